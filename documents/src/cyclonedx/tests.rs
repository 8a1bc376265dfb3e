//! The CycloneDX document holds the whole list, the same bytes every time.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::sample;

const GOLDEN: &str = "sha256:062faf156c9d9de1b6325e34f2a0c66018fea01e6ce5a020714d340c6ddc0b6b";

fn parsed(count: usize) -> Value {
    let contents = sample::contents(count);
    serde_json::from_slice(&document(&sample::subject(&contents).unwrap()).unwrap()).unwrap()
}

#[test]
fn golden_bytes() {
    let contents = sample::contents(60);
    let bytes = document(&sample::subject(&contents).unwrap()).unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), GOLDEN);
}

#[test]
fn every_component_with_its_elements() {
    let contents = sample::contents(60);
    let value = parsed(60);
    assert_eq!(value["metadata"]["component"]["type"], "container");
    let components = value["components"].as_array().unwrap();
    assert_eq!(components.len(), 61);
    assert_eq!(components[0]["type"], "operating-system");
    for (component, part) in contents.components.iter().zip(&components[1..]) {
        assert_eq!(part["name"], component.name);
        assert_eq!(part["version"], component.version);
        assert_eq!(part["licenses"][0]["expression"], component.license);
        assert_eq!(part["hashes"][0]["content"], component.checksum.hex());
        assert_eq!(part["properties"].is_array(), component.from_base);
    }
}

#[test]
fn references_are_unique_plain_and_resolve() {
    let value = parsed(60);
    let mut references = HashSet::from([value["metadata"]["component"]["bom-ref"].clone()]);
    for part in value["components"].as_array().unwrap() {
        assert!(!part["bom-ref"].as_str().unwrap().contains('%'));
        assert!(references.insert(part["bom-ref"].clone()));
    }
    let dependencies = value["dependencies"].as_array().unwrap();
    assert_eq!(dependencies.len(), references.len());
    for dependency in dependencies {
        assert!(references.contains(&dependency["ref"]));
        for needed in dependency["dependsOn"].as_array().into_iter().flatten() {
            assert!(references.contains(needed), "{needed}");
        }
    }
}

#[test]
fn another_instant_is_another_document() {
    let contents = sample::contents(2);
    let subject = sample::subject(&contents).unwrap();
    let later = Subject { created: Timestamp::from_ms(1_767_600_000_000).unwrap(), ..subject };
    assert_ne!(subject.uuid("cyclonedx"), later.uuid("cyclonedx"));
}
