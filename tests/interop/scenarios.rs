//! `scenario check` and the JSON Schema of scenarios are of one mind: thousands of scenario files, made
//! wrong in a place by a seeded generator, are judged by both.
mod changes;

use crate::support::{data_dir, said, wavetank};
use crate::validators::python;
use changes::{Random, change, whole};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const SEED: u64 = 17;
const FILES: usize = 3_000;

/// What the check refuses and a schema cannot say: a part of the problem, and why.
const BEYOND_A_SCHEMA: [(&str, &str); 34] = [
    ("expected each name once", "compares the items of a list by one of their fields"),
    ("expected the name of an image", "refers to another part of the file"),
    ("expected the name of a policy", "refers to another part of the file"),
    ("expected a base that does not stand on this image", "follows references"),
    ("expected a lineage of at most", "follows references"),
    ("packages of the distribution", "adds up fields along references"),
    ("expected at least the ", "adds up fields, against another one"),
    ("expected an instant after the start", "compares two fields"),
    ("expected an instant within the run", "adds up two fields, against a third"),
    ("expected min up to max", "compares two fields"),
    ("expected [least, most]", "compares two items"),
    ("expected a run of 1m to 3650d", "a length of time is text: its size takes arithmetic"),
    ("a day or more of history", "a length of time is text: its size takes arithmetic"),
    ("no `keep` where SLA timers are never", "compares with another part of the file"),
    (", in whole milliseconds", "a length of time is text: its size takes arithmetic"),
    ("of 100 years", "a length of time is text: its size takes arithmetic"),
    ("expected a length of time above 0", "a length of time is text: its size takes arithmetic"),
    ("expected a length of time up to", "a length of time is text: its size takes arithmetic"),
    ("expected at most `max`", "compares two lengths of time"),
    ("expected at least `first`", "compares two lengths of time"),
    ("expected a gap that lets at most", "divides one length of time by another"),
    ("goes upwards", "compares two numbers within a text"),
    ("every weekday is `*`", "compares two numbers within a text"),
    ("this one never does", "knows the calendar"),
    ("expected a schedule that fires at most", "knows the calendar"),
    ("expected 1 to ", "counts the items of another list"),
    ("expected days for some severity", "knows what the preset promises"),
    ("20000 images in all", "adds up fields and counts items"),
    ("customers in all", "adds up fields"),
    ("uses of images in all", "multiplies fields"),
    ("packages in all images together", "multiplies fields"),
    ("expected outages of at most", "adds up fields of items that overlap in time"),
    ("expected a builder of the pool", "compares with another part of the file"),
    ("expected each builder once", "compares the items of a list by one of their fields"),
];

/// For each of those a scenario, as changes of the whole one, so that the list above stays true.
fn beyond_a_schema() -> Vec<Vec<(&'static str, Value)>> {
    let image = |n: u32| {
        let base = if n == 0 { Value::Null } else { json!(format!("i{}", n - 1)) };
        json!({"name": format!("i{n}"), "packages": 1, "base": base})
    };
    let chain: Vec<Value> = (0..40).map(image).collect();
    let nothing = json!({"critical": null, "high": null, "medium": null, "low": null});
    let outage = json!({"at": "2026-01-07T01:00:00Z",
                        "builder_outage": {"builders": 2, "duration": "1h"}});
    let distrust = json!({"at": "2026-01-07T01:00:00Z", "distrust_builder": {"builder": 1}});
    let base = json!({"name": "base", "base": "gateway", "packages": 12});
    vec![
        vec![("/customers/1/name", json!("bank"))],
        vec![("/images/1/base", json!("nowhere"))],
        vec![("/customers/0/images/0", json!("nowhere"))],
        vec![("/customers/0/policy", json!("nowhere"))],
        vec![("/images/0", base)],
        vec![("/images", json!(chain))],
        vec![("/distribution/packages", json!(20))],
        vec![("/distribution/packages", json!(45))],
        vec![("/images/1/end_of_life", json!("2026-01-01T00:00:00Z"))],
        vec![("/incidents/0/at", json!("2027-01-01T00:00:00Z"))],
        vec![("/vulnerabilities/detection_lag/uniform/min", json!("9d"))],
        vec![("/fleet/base_packages", json!([30, 10]))],
        vec![("/duration", json!("30s"))],
        vec![("/keep", json!({"history": "23h"}))],
        vec![("/sla/check", json!("never"))],
        vec![("/scanner/triage", json!({"constant": "0.0000001s"}))],
        vec![("/duration", json!("36501d"))],
        vec![("/builders/back_off/first", json!("0s"))],
        vec![("/builders/back_off/max", json!("366d"))],
        vec![("/builders/back_off", json!({"first": "3d"}))],
        vec![("/builders/back_off", json!({"first": "3h", "max": "2h"}))],
        vec![("/triggers/arrivals/0/gap", json!({"constant": "0s"}))],
        vec![("/triggers/rebuild", json!("0 22-6 * * *"))],
        vec![("/triggers/rebuild", json!("0 0 * * SUN-SUN"))],
        vec![("/triggers/rebuild", json!("0 0 30 2 *"))],
        vec![("/scanner/schedule", json!("* * * * * *"))],
        vec![("/customers/1/images", json!(5000))],
        vec![("/policies/0/days", nothing)],
        vec![("/fleet/images", json!(20_000))],
        vec![("/customers/1/count", json!(10_000))],
        vec![
            ("/fleet/images", json!(1000)),
            ("/customers/1/count", json!(9999)),
            ("/customers/1/images", json!(600)),
        ],
        vec![
            ("/fleet/images", json!(19_000)),
            ("/fleet/own_packages", json!([1, 5000])),
            ("/distribution/packages", json!(10_000)),
        ],
        vec![("/incidents/2", outage)],
        vec![("/incidents/3/distrust_builder/builder", json!(7))],
        vec![("/incidents/2", distrust)],
        vec![("/incidents/1/builder_outage/builders", json!(5))],
    ]
}

#[test]
fn the_check_and_the_schema_are_of_one_mind() {
    let dir = data_dir();
    let mut random = Random(SEED);
    // The first one is right, and stays so.
    let mut scenarios = vec![whole()];
    for changes in beyond_a_schema() {
        let mut scenario = whole();
        for (place, value) in changes {
            *scenario.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
        }
        scenarios.push(scenario);
    }
    while scenarios.len() < FILES {
        let mut scenario = whole();
        for _ in 0..=random.below(2) {
            change(&mut scenario, &mut random);
        }
        scenarios.push(scenario);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        let file = dir.path().join(format!("{number:04}.yaml"));
        let text = serde_json::to_string_pretty(scenario).expect("JSON");
        std::fs::write(&file, text).expect("a file");
        files.push(file);
    }
    let (checked, judged) = (checked(&files), judged(dir.path(), &files));
    let mut wrong = Vec::new();
    let mut met = BTreeMap::new();
    let mut refused = 0;
    for file in &files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        let (check, schema) = (&checked[name], &judged[name]);
        refused += usize::from(!check.is_empty());
        let told = || format!("{name}: the check says {check:#?}, the schema {schema:?}");
        match (check.is_empty(), schema.is_none()) {
            (true, true) | (false, false) => {}
            (true, false) => wrong.push(told()),
            (false, true) => {
                for problem in check {
                    let known = BEYOND_A_SCHEMA.iter().find(|(part, _)| problem.contains(part));
                    match known {
                        Some((part, _)) => *met.entry(*part).or_insert(0) += 1,
                        None => wrong.push(told()),
                    }
                }
            }
        }
    }
    let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "seed {SEED}: {} of {FILES} files:\n{shown}", wrong.len());
    assert!(checked["0000.yaml"].is_empty(), "{:?}", checked["0000.yaml"]);
    assert!((FILES / 3..FILES).contains(&refused), "{refused} of {FILES} were refused");
    let unmet: Vec<_> =
        BEYOND_A_SCHEMA.iter().filter(|(part, _)| !met.contains_key(part)).collect();
    assert!(unmet.is_empty(), "seed {SEED}: never met, so perhaps no rule any more: {unmet:?}");
}

/// What the program says of the files: the problems, none when it is right.
fn checked(files: &[PathBuf]) -> BTreeMap<String, Vec<String>> {
    let mut command = wavetank();
    command.args(["scenario", "check", "--format", "json"]).args(files);
    let output = command.output().expect("the program runs");
    let all: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}", said(&output)));
    let name = |file: &Value| {
        let path = Path::new(file["file"].as_str().expect("a path")).file_name();
        path.and_then(|name| name.to_str()).expect("a name").to_owned()
    };
    let problems = |file: &Value| {
        let errors = file["errors"].as_array().into_iter().flatten();
        let line = |error: &Value| {
            format!("{}: {}", error["field"].as_str().unwrap_or(""), error["problem"])
        };
        errors.map(line).collect::<Vec<String>>()
    };
    let all: BTreeMap<_, _> = all.iter().map(|file| (name(file), problems(file))).collect();
    assert_eq!(all.len(), files.len());
    all
}

/// What the reference implementation of JSON Schema says of them by our schema.
fn judged(dir: &Path, files: &[PathBuf]) -> BTreeMap<String, Option<String>> {
    let output = wavetank().args(["scenario", "schema"]).output().expect("the program runs");
    let schema = dir.join("schema.json");
    std::fs::write(&schema, output.stdout).expect("a file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python(root));
    command.arg(root.join("tests/interop/scenario_schema.py")).arg(schema).args(files);
    let output = command.output().expect("Python runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}", said(&output)))
}
