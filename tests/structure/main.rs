//! The rooms of the house: what each crate and each folder of the API may use, read from the manifests
//! and from the imports of every source file. Cargo refuses circles of crates; this test refuses
//! circles of files, and holds the rules that Cargo cannot.
mod imports;

use imports::{Crate, File};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The crates from the ground up, each with the crates of ours that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("sim", &[]),
    ("study", &["sim"]),
    ("documents", &[]),
    ("score", &["study", "documents"]),
    ("import", &["sim", "study", "documents"]),
    ("embedded", &[]),
    ("store", &["sim", "documents"]),
    ("telemetry", &["store"]),
    ("jobs", &["sim", "study", "documents", "store", "telemetry"]),
    ("api", &["sim", "study", "documents", "score", "store", "telemetry", "jobs"]),
    (
        "wavetank",
        &[
            "sim",
            "study",
            "documents",
            "score",
            "import",
            "embedded",
            "store",
            "telemetry",
            "jobs",
            "api",
        ],
    ),
];

/// The folders of the API, each with those that it may use beside itself. A resource, which is a
/// folder below `resources`, never uses another one.
const FOLDERS: &[(&str, &[&str])] = &[
    ("auth", &[]),
    ("http", &["auth"]),
    ("schemas", &["http"]),
    ("resources", &["auth", "http", "schemas"]),
    ("registry", &["auth", "http"]),
    ("openapi", &["http", "resources"]),
    ("web", &["http"]),
];

/// What only one room knows: a text in its sources, and the room.
const SECRETS: &[(&str, &[&str])] = &[
    ("poem::", &["api"]),
    ("poem_openapi::", &["api"]),
    ("sqlx::query", &["store", "embedded"]),
    ("AssertSqlSafe", &["store", "api"]),
    ("apalis::", &["jobs"]),
    // These fail where nobody reads; `src/cli/say.rs` and `cli::print` do not.
    ("println!", &[]),
    ("eprint!", &[]),
    ("apalis_postgres", &["jobs"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn crates() -> Vec<Crate> {
    ROOMS.iter().map(|(name, _)| Crate::read(root(), name)).collect()
}

#[test]
fn a_room_uses_only_what_stands_below_it() {
    for (name, allowed) in ROOMS {
        let known: BTreeSet<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
        let used = imports::dependencies(root(), name);
        let ours: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|used| known.contains(used)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let more: Vec<_> = ours.difference(&allowed).collect();
        assert!(more.is_empty(), "{name} must not use {more:?}: see ROOMS");
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for house in crates() {
        let arrows: BTreeMap<&str, BTreeSet<&str>> =
            house.files.iter().map(|file| (file.module.as_str(), house.arrows(file))).collect();
        for circle in imports::circles(&arrows) {
            circles.push(format!("{}: {}", house.name, circle.join(" -> ")));
        }
    }
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn folders_of_the_api_use_only_what_stands_below_them() {
    let house = Crate::read(root(), "api");
    let mut wrong = Vec::new();
    for file in &house.files {
        let Some(from) = folder(file) else { continue };
        let allowed = FOLDERS.iter().find(|(name, _)| *name == from).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{from} is not among FOLDERS"));
        for target in house.arrows(file) {
            let to = target.split("::").next().unwrap_or_default();
            if to != from && FOLDERS.iter().any(|(name, _)| *name == to) && !allowed.contains(&to) {
                wrong.push(format!("{} uses {target}", file.module));
            }
            if let (Some(own), Some(other)) = (resource(&file.module), resource(target))
                && own != other
            {
                wrong.push(format!("{} uses another resource: {target}", file.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_one_room_knows_no_other_does() {
    let mut wrong = Vec::new();
    for house in crates() {
        for file in &house.files {
            for (secret, rooms) in SECRETS {
                if file.code.contains(secret) && !rooms.contains(&house.name.as_str()) {
                    wrong.push(format!("{} {} holds {secret}", house.name, file.module));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folder of the API that a file belongs to; none: the crate's own root.
fn folder(file: &File) -> Option<&str> {
    let first = file.module.split("::").next()?;
    (!first.is_empty()).then_some(first)
}

/// The resource that a module belongs to; the list of all resources belongs to none.
fn resource(module: &str) -> Option<&str> {
    module.strip_prefix("resources::")?.split("::").next()
}
