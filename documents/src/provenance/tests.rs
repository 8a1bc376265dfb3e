//! The provenance states every input of the build, the same bytes every time.

use serde_json::{Value, json};

use super::*;
use crate::sample;

const GOLDEN: &str = "sha256:8d347c5064287583168ccfa9b7259142714c4a32106348565ad2c876b5941a40";

fn made(trigger: &Trigger, extra: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let contents = sample::contents(60);
    let subject = sample::subject(&contents)?;
    statement(&Build {
        contents: &contents,
        digest: subject.digest,
        trigger,
        builder_id: &builder_id("builder-2"),
        source: Source {
            uri: "git+https://git.wavetank.example/images/harbor-web",
            commit: "0123456789abcdef0123456789abcdef01234567",
        },
        invocation_id: "build-00000042",
        started: Timestamp::from_ms(1_767_578_000_000)?,
        finished: Timestamp::from_ms(1_767_578_400_250)?,
        extra_parameters: extra,
    })
}

#[test]
fn golden_bytes() {
    let trigger = Trigger::CveFix { advisory: "CVE-2026-1000001".into() };
    let bytes = made(&trigger, &BTreeMap::new()).unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), GOLDEN);
}

#[test]
fn every_trigger_is_stated() {
    let digest = Digest::of(b"base");
    for (trigger, expected) in [
        (
            Trigger::Upstream { package: "zlib".into(), revision: "1.3.1-r1".into() },
            json!({"kind": "upstream", "package": "zlib", "revision": "1.3.1-r1"}),
        ),
        (
            Trigger::Manual { requested_by: "ada".into() },
            json!({"kind": "manual", "requestedBy": "ada"}),
        ),
        (
            Trigger::Cron { schedule: "0 2 * * *".into() },
            json!({"kind": "cron", "schedule": "0 2 * * *"}),
        ),
        (
            Trigger::CveFix { advisory: "CVE-2026-1000001".into() },
            json!({"kind": "cve_fix", "advisory": "CVE-2026-1000001"}),
        ),
        (
            Trigger::BaseChange { digest },
            json!({"kind": "base_change", "digest": digest.to_string()}),
        ),
        (
            Trigger::Retry { build: 41, failures: 2 },
            json!({"kind": "retry", "build": 41, "failures": 2}),
        ),
        (Trigger::Bootstrap, json!({"kind": "bootstrap"})),
    ] {
        let value: Value =
            serde_json::from_slice(&made(&trigger, &BTreeMap::new()).unwrap()).unwrap();
        assert_eq!(value["predicateType"], "https://slsa.dev/provenance/v1");
        let parameters = &value["predicate"]["buildDefinition"]["externalParameters"];
        assert_eq!(parameters["trigger"], expected);
        let names: Vec<&String> = parameters.as_object().unwrap().keys().collect();
        assert!(names.iter().all(|name| is_known_parameter(name)), "{names:?}");
        assert!(!trigger.to_string().is_empty());
    }
}

#[test]
fn dependencies_have_digests() {
    let value: Value =
        serde_json::from_slice(&made(&Trigger::Bootstrap, &BTreeMap::new()).unwrap()).unwrap();
    let resources =
        value["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    assert_eq!(resources.len(), 62);
    assert_eq!(resources[0]["digest"]["gitCommit"].as_str().unwrap().len(), 40);
    for resource in &resources[1..] {
        assert_eq!(resource["digest"]["sha256"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn extra_parameters_are_added_but_never_replace() {
    let extra = BTreeMap::from([("debugShell".to_owned(), "1".to_owned())]);
    let value: Value = serde_json::from_slice(&made(&Trigger::Bootstrap, &extra).unwrap()).unwrap();
    let parameters = &value["predicate"]["buildDefinition"]["externalParameters"];
    assert_eq!(parameters["debugShell"], "1");
    let twice = BTreeMap::from([("image".to_owned(), "other".to_owned())]);
    assert!(made(&Trigger::Bootstrap, &twice).is_err());
}
