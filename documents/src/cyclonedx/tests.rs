//! The CycloneDX document holds the whole list, the same bytes every time.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::sample;

const GOLDEN: &str = "sha256:6b5756ddf59c3f68c055c848e06e9fd2a80af7c73c085347fdd09275bea3bb2b";

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
        let license = |acknowledgement: &str| {
            serde_json::json!([
                { "expression": component.license, "acknowledgement": acknowledgement }
            ])
        };
        assert_eq!(part["licenses"], license("concluded"));
        assert_eq!(part["evidence"]["licenses"], license("declared"));
        let origin = &component.origin;
        assert_eq!(part["copyright"], format!("Copyright (c) The {origin} authors"));
        assert_eq!(part["supplier"]["contact"][0]["email"], "sbom@wavetank.example");
        assert_eq!(part["hashes"][0]["content"], component.checksum.hex());
        assert_eq!(part["properties"].is_array(), component.from_base);
    }
}

#[test]
fn the_document_says_who_made_it_when_and_from_what() {
    let metadata = &parsed(60)["metadata"];
    assert_eq!(metadata["lifecycles"], serde_json::json!([{ "phase": "build" }]));
    for entity in ["manufacturer", "supplier"] {
        assert_eq!(metadata[entity]["contact"][0]["email"], "sbom@wavetank.example", "{entity}");
    }
    assert_eq!(metadata["authors"][0]["email"], "sbom@wavetank.example");
    let base = &metadata["component"]["pedigree"]["ancestors"][0];
    assert_eq!(base["name"], "registry.wavetank.example/keel:3");
    assert_eq!(base["version"], "3");
    assert_eq!(base["hashes"][0]["content"], Digest::of(b"keel").hex());
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
        for needed in dependency["dependsOn"].as_array().expect("also where it is empty") {
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
