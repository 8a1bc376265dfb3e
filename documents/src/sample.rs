//! An invented image of any size, for examples, benchmarks and tests.

use crate::contents::{BaseReference, Component, ImageContents};
use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::subject::Subject;
use crate::timestamp::Timestamp;

const WORDS: [&str; 20] = [
    "anchor",
    "ballast",
    "capstan",
    "davit",
    "ensign",
    "fender",
    "gudgeon",
    "halyard",
    "inlet",
    "jib",
    "keel",
    "libstdc++",
    "mooring",
    "nautilus",
    "oarlock",
    "pintle",
    "quay",
    "rudder_x",
    "spar.io",
    "tiller",
];
const LICENSES: [&str; 5] =
    ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-2.0-or-later", "MIT AND (Zlib OR BSD-2-Clause)"];

/// The contents of an image `harbor-web` with that many components, always the same.
pub fn contents(count: usize) -> ImageContents {
    let mut names: Vec<String> = (0..count).map(name).collect();
    names.sort();
    let components = (0..count).map(|index| component(&names, index)).collect();
    ImageContents {
        image: "harbor-web".into(),
        version: "2.4".into(),
        repository: "registry.wavetank.example/harbor-web".into(),
        vendor: "Wavetank".into(),
        distribution: Distribution::Alpine,
        architecture: "x86_64".into(),
        components,
        base: Some(BaseReference {
            name: "registry.wavetank.example/keel:3".into(),
            digest: Digest::of(b"keel"),
        }),
    }
}

/// The subject of those contents with their real digest, published on 2026-01-05.
///
/// # Errors
/// Those of [`crate::oci::image`].
pub fn subject(contents: &ImageContents) -> Result<Subject<'_>, crate::Error> {
    let digest = crate::oci::image(contents)?.digest();
    Ok(Subject { contents, digest, created: Timestamp::from_ms(1_767_578_400_250)? })
}

fn name(index: usize) -> String {
    let word = WORDS[index % WORDS.len()];
    match index / WORDS.len() {
        0 => word.to_owned(),
        1 => format!("{word}-libs"),
        round => format!("{word}-{round}"),
    }
}

fn component(names: &[String], index: usize) -> Component {
    let name = &names[index];
    let origin = name.split('-').next().unwrap_or(name);
    let mut depends_on: Vec<String> = Vec::new();
    for needed in [0, index / 2, index / 3] {
        if needed < index && !depends_on.contains(&names[needed]) {
            depends_on.push(names[needed].clone());
        }
    }
    let suffix = if index % 17 == 5 { "_git20251201" } else { "" };
    Component {
        name: name.clone(),
        version: format!("1.{}.{}{suffix}-r{}", index % 30 + 3, index % 7, index % 4),
        license: LICENSES[index % LICENSES.len()].into(),
        supplier: "Wavetank Packages".into(),
        origin: origin.into(),
        description: format!("{name}, a part of the simulated distribution"),
        checksum: Digest::of(name.as_bytes()),
        size_bytes: 20_000 + 977 * index as u64,
        depends_on,
        from_base: index < names.len() / 4,
    }
}
