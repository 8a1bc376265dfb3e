//! The Dockerfile, as far as it can be judged without building it: what it copies is there and is
//! let in, its bases are pinned, and it does not run as root.
use crate::file;
use std::path::Path;

fn instructions() -> Vec<(String, String)> {
    let joined = file("Dockerfile").replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
        .collect()
}

#[test]
fn base_images_are_pinned() {
    for (_, base) in instructions().iter().filter(|(name, _)| name == "FROM") {
        let image = base.split(' ').next().expect("an image");
        let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no tag"));
        assert!(
            tag.starts_with(|c: char| c.is_ascii_digit()),
            "the tag of {image} is not a version"
        );
    }
    let toolchain = file("rust-toolchain.toml");
    let version = toolchain.lines().find_map(|line| line.strip_prefix("channel = "));
    let version = version.expect("a channel").trim_matches('"').to_owned();
    assert!(
        file("Dockerfile").contains(&format!("/rust:{version}")),
        "another Rust than {version}"
    );
}

#[test]
fn the_image_does_not_run_as_root_and_contains_no_secret() {
    let all = instructions();
    let user = all.iter().rev().find(|(name, _)| name == "USER").expect("a user");
    let uid: u32 = user.1.split(':').next().and_then(|uid| uid.parse().ok()).expect("a number");
    assert!(uid >= 1000, "{uid}");
    let build = all.iter().rposition(|(name, _)| name == "FROM").expect("a base");
    for (name, rest) in &all[build..] {
        assert!(!matches!(name.as_str(), "ARG" | "ENV" | "ADD"), "{name} {rest}");
    }
}

#[test]
fn copied_files_exist_and_are_not_ignored() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = file(".dockerignore");
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "everything else is left out");
    for copied in ["scenarios", "studies"] {
        assert!(root.join(copied).is_dir() && let_in.contains(&copied), "{copied}");
    }
    // Everything that a build of the workspace reads.
    let manifest = file("Cargo.toml");
    let members = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let members = members.expect("members").0.replace(['"', ' ', '\n'], "");
    let members = members.trim_end_matches(',');
    for member in members.split(',').chain(["src", "benches", "migrations", "Cargo.lock"]) {
        assert!(root.join(member).exists() && let_in.contains(&member), "{member}");
    }
    for secret in ["deploy", "data", ".env", ".git", "target"] {
        assert!(!let_in.contains(&secret), "{secret}");
    }
}
