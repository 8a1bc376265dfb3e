//! The catalogue of forgeries of a real world: the same bytes each time, the right verdict of `wavetank
//! verify` on every case, and that of another implementation on all that it judges.
use crate::support::{data_dir, said, scenario, wavetank};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Made once, for both tests.
fn catalogue() -> &'static Path {
    static MADE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forgeries");
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).expect("a directory");
        let data = data_dir();
        let mut run = wavetank();
        run.arg("run").arg(scenario("classroom")).args(["--until", "1d", "--data-dir"]);
        let run = run.arg(data.path()).output().expect("a run");
        assert!(run.status.success(), "{}", said(&run));
        for name in ["one", "again"] {
            let mut export = wavetank();
            export.arg("export").arg(place.join(name)).args(["--forgeries", "--data-dir"]);
            let export = export.arg(data.path()).output().expect("an export");
            assert!(export.status.success(), "{}", said(&export));
        }
        place
    })
}

fn files(of: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![of.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(of).expect("inside").to_path_buf();
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// Names of cases and their verdicts.
fn index(of: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read(of.join("index.json")).expect("the index");
    let index: Value = serde_json::from_slice(&text).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let cases = index["cases"].as_array().expect("cases").iter();
    cases.map(|case| (text(&case["name"]), text(&case["verdict"]))).collect()
}

fn verified(path: &Path) -> bool {
    let output = wavetank().arg("verify").arg(path).output().expect("a verification");
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{}: {}", path.display(), said(&output));
    code == Some(0)
}

#[test]
fn every_forgery_gets_its_verdict() {
    let catalogue = catalogue();
    let (one, again) = (catalogue.join("one"), catalogue.join("again"));
    assert!(files(&one) == files(&again), "the same world has the same forgeries");
    let cases = index(&one);
    let count = |verdict: &str| cases.values().filter(|of| *of == verdict).count();
    assert!(count("fail") >= 40 && count("pass") >= 20, "{cases:?}");
    for (name, verdict) in &cases {
        assert_eq!(verdict == "fail", name.ends_with("_fail"), "{name}");
        assert_eq!(verified(&one.join(name)), verdict == "pass", "{name}");
    }
    assert!(verified(&one));
    // A catalogue with one verdict turned round does not verify.
    let listed = std::fs::read_to_string(again.join("index.json")).expect("the index");
    let turned = listed.replacen("\"verdict\": \"fail\"", "\"verdict\": \"pass\"", 1);
    std::fs::write(again.join("index.json"), turned).expect("written");
    assert!(!verified(&again));
}

/// What sigstore-js takes for an invalid bundle although the format's rules allow it: members by the
/// names that they have in the definition of the format.
const NARROWER: &str = "members-by-their-field-names";
/// What forgeries begin with that sigstore-js must refuse: who signed, what, and that it is in the log.
const JUDGED: [&str; 10] = [
    "signature-",
    "signatures-",
    "payload-flipped",
    "promise-",
    "proof-",
    "checkpoint-",
    "artifact-",
    "log-unknown",
    "log-none",
    "envelope-",
];

#[test]
fn another_implementation_agrees() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = root.join("target/client-tools");
    let catalogue = catalogue().join("one");
    let mut command = Command::new("node");
    command.arg(root.join("tests/interop/forgeries.mjs")).arg(&tools).arg(&catalogue);
    let output = command.output().expect("node runs: run scripts/setup.sh");
    assert!(output.status.success(), "run scripts/setup.sh? {}", said(&output));
    let theirs: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut judged = 0;
    for (name, verdict) in index(&catalogue) {
        let judges = JUDGED.iter().any(|kind| name.starts_with(kind));
        if name != NARROWER && (verdict == "pass" || judges) {
            assert_eq!(theirs[&name], verdict, "{name}");
            judged += 1;
        }
    }
    assert!(judged >= 60, "only {judged}");
}
