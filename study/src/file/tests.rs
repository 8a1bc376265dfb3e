//! What studies are refused, with which words.
use super::*;

const SMALLEST: &str = "name: s\ntitle: S\nscenario: classroom\narms: [{name: a}]\n";

fn first_line(text: &str) -> String {
    let said = parse("s.yaml", text.as_bytes()).expect_err(text).to_string();
    said.lines().next().expect("a line").to_owned()
}

#[test]
fn the_smallest_study_has_every_default() {
    let study = parse("s.yaml", SMALLEST.as_bytes()).expect("valid");
    assert_eq!((study.seed, study.confidence.value()), (1, 0.95));
    assert!(study.replications.is_none() && study.precision.is_none() && study.warm_up.is_none());
}

#[test]
fn what_is_refused_is_named_by_line_and_field() {
    for (more, expected) in [
        ("replicatons: 3\n", "s.yaml:5:1: expected a known key, found `replicatons`"),
        ("replications: 1000000000\n", "s.yaml:5:15: replications: expected a number from 1 to"),
        ("confidence: 2\n", "s.yaml:5:13: confidence: expected a share from 0 to 1"),
        (
            "questions: [{cheapest: {}}]\n",
            "s.yaml:5:24: questions[0].cheapest: expected a study with `costs`",
        ),
        (
            "questions: [{better: {arm: a, than: a, in: {measure: violations}}}]\n",
            "questions[0].better.than: expected another arm",
        ),
        (
            "questions: [{better: {arm: a, than: b, in: {measure: builds, clock: provider}}}]\n",
            "questions[0].better.in.clock: expected no clock",
        ),
        (
            "uncertain: {inputs: [{path: a, is: {uniform: {min: 2, max: 1}}}]}\n",
            "uncertain.inputs[0].is: expected min below max",
        ),
    ] {
        let line = first_line(&format!("{SMALLEST}{more}"));
        assert!(line.contains(expected), "{more}: {line}");
    }
}

#[test]
fn the_stored_schema_is_that_of_the_code() {
    let stored = include_str!("../../../studies/study.schema.json");
    let stored: serde_json::Value = serde_json::from_str(stored).expect("JSON");
    assert!(
        stored == schema(),
        "studies/study.schema.json is stale; refresh it with\n\
         cargo run -- study --schema > studies/study.schema.json"
    );
}
