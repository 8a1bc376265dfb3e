//! Identical contents, identical digest; every part is what its descriptor says.

use serde_json::Value;

use super::*;
use crate::sample;

/// The digest of the sample image. It changes only if the documents change for every user, which
/// a release must then say.
const GOLDEN: &str = "sha256:3221fd188cf7541493f0a58ad00ea1c0c450220f38de25aa1da165a3cfcf3d25";

#[test]
fn golden_digest() {
    assert_eq!(image(&sample::contents(60)).unwrap().digest().to_string(), GOLDEN);
}

#[test]
fn identical_contents_identical_digest() {
    let one = image(&sample::contents(20)).unwrap();
    assert_eq!(one, image(&sample::contents(20)).unwrap());
    let mut changed = sample::contents(20);
    changed.components[3].version = "9.9.9-r9".into();
    assert_ne!(one.digest(), image(&changed).unwrap().digest());
    let mut rebased = sample::contents(20);
    rebased.base.as_mut().unwrap().digest = Digest::of(b"another base");
    assert_ne!(one.digest(), image(&rebased).unwrap().digest());
}

#[test]
fn descriptors_hold() {
    let contents = sample::contents(20);
    let image = image(&contents).unwrap();
    let manifest: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    assert_eq!(image.digest(), Digest::of(&image.manifest.bytes));
    assert_eq!(manifest["config"]["digest"], Digest::of(&image.config.bytes).to_string());
    assert_eq!(manifest["config"]["size"], image.config.bytes.len());
    assert_eq!(manifest["layers"][0]["digest"], Digest::of(&image.layer.bytes).to_string());
    let annotations = &manifest["annotations"];
    let base = contents.base.as_ref().unwrap();
    assert_eq!(annotations["org.opencontainers.image.base.digest"], base.digest.to_string());

    let archive = gzip::decompress(&image.layer.bytes, 1 << 20).unwrap();
    let config: Value = serde_json::from_slice(&image.config.bytes).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&archive).to_string());
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["architecture"], "amd64");
    let text = String::from_utf8(archive).unwrap();
    assert!(text.contains("lib/apk/db/installed"));
    assert!(text.contains("\nP:anchor\n"));
}

#[test]
fn contents_that_break_the_package_database_are_refused() {
    let mut contents = sample::contents(3);
    contents.components[0].supplier = "x\nP:forged".into();
    assert!(image(&contents).is_err());
}
