//! Seeds have 64 bits: wherever JSON goes out they are text, for many readers of JSON lose what is
//! above 2^53.
use crate::support::{data_dir, figures, run, said, wavetank};
use serde_json::{Value, json};

/// 2^64 - 1; as a double it is 2^64.
const SEED: &str = "18446744073709551615";

#[test]
fn seeds_are_text_in_json() {
    let (data, out) = (data_dir(), data_dir());
    let played = figures(run("classroom", data.path(), &["--seed", SEED, "--until", "3d"]));
    assert_eq!(played["seed"], SEED);
    let mut export = wavetank();
    export.args(["export", "--data-dir"]).arg(data.path()).arg(out.path());
    let written = export.output().expect("the program runs");
    assert!(written.status.success(), "{}", said(&written));

    let file = out.path().join("world.json");
    let text = std::fs::read_to_string(&file).expect("world.json");
    let mut world: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(world["seed"], SEED);
    let verify = || {
        let output = wavetank().arg("verify").arg(out.path()).output().expect("the program runs");
        assert!(output.status.success(), "{}", said(&output));
    };
    verify();
    // What earlier releases wrote, a number, is still read.
    world["seed"] = json!(3);
    std::fs::write(&file, world.to_string()).expect("world.json");
    verify();
}
