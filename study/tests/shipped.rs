//! The studies that are shipped can be played, with the same result for any number of threads.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use study::arms::{Compiled, Source, compile};

fn studies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../studies")
}

fn load(name: &str) -> Result<(String, Vec<u8>), String> {
    let bundled = sim::bundled::BUNDLED.iter().find(|bundled| bundled.name == name);
    let bundled = bundled.map(|bundled| (name.to_owned(), bundled.text.as_bytes().to_vec()));
    bundled.ok_or_else(|| format!("`{name}`, which is not bundled"))
}

fn shipped(name: &str, change: impl Fn(String) -> String) -> Compiled {
    let text = std::fs::read_to_string(studies().join(name)).expect("it is there");
    let text = change(text);
    let source = Source { file_name: name, bytes: text.as_bytes() };
    compile(source, &load).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_shipped_study_is_accepted() {
    let names = std::fs::read_dir(studies()).expect("a directory");
    let mut count = 0;
    for entry in names {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        if name.ends_with(".yaml") {
            shipped(&name, |text| text);
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn threads_do_not_show_in_the_result() {
    let compiled = Arc::new(shipped("nightly-or-weekly.yaml", |text| {
        text.replace("horizon: 12w", "horizon: 4w").replace("replications: 60", "replications: 8")
    }));
    let run = |threads| {
        let mut rows = Vec::new();
        let stop = AtomicBool::new(false);
        let result = study::runner::run(&compiled, threads, &stop, &mut |_| (), &mut |row| {
            rows.push(format!("{row:?}"));
        });
        let result = result.expect("it was not stopped");
        (serde_json::to_string_pretty(&result).expect("JSON"), rows)
    };
    let (one, rows) = run(1);
    if let Some(path) = std::env::var_os("STUDY_RESULT") {
        std::fs::write(path, &one).expect("written");
    }
    assert_eq!(rows.len(), 24);
    assert!((one, rows) == run(3), "three threads gave another result");
}
