//! Other people's clients pull from the registry of a demo, list what refers to an image, and verify it,
//! with nothing but an address: crane, skopeo, oras and cosign, each where it is installed.
use crate::clients::World;
use crate::support::said;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The predicate types of the statements about an image, as cosign is asked for them.
const PREDICATES: [&str; 5] = [
    "https://slsa.dev/provenance/v1",
    "https://spdx.dev/Document",
    "https://cyclonedx.org/bom",
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://openvex.dev/ns",
];

/// A program by the variable that names it, or on the path.
fn tool(name: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(name.to_uppercase()) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file());
    if found.is_none() {
        println!("SKIPPED: registry: {name} is not installed (scripts/setup.sh says how)");
    }
    found
}

/// Runs it; whether it succeeded, and what it said.
fn ask(program: &Path, home: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", home).current_dir(home);
    let output = command.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    (output.status.success(), said(&output))
}

#[track_caller]
fn good(program: &Path, home: &Path, arguments: &[&str]) -> String {
    let (succeeded, text) = ask(program, home, arguments);
    assert!(succeeded, "{program:?} {arguments:?}:\n{text}");
    text
}

/// The images of the world.
fn images(crane: &Path, home: &Path, address: &str) -> Vec<String> {
    let text = good(crane, home, &["catalog", "--insecure", address]);
    text.lines().filter(|name| !name.contains('/')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_clients_pull_and_verify() {
    let tools = ["crane", "skopeo", "oras", "cosign"].map(tool);
    if tools.iter().all(Option::is_none) {
        return;
    }
    let world = World::start().await;
    let address = world.base.trim_start_matches("http://").to_owned();
    let home = tempfile::tempdir().expect("a directory");
    let [crane, skopeo, oras, cosign] = tools;
    let mut names = vec!["foundation".to_owned()];
    if let Some(crane) = &crane {
        names = images(crane, home.path(), &address);
        assert!(names.len() >= 5, "{names:?}");
        for name in &names {
            pulled_by_crane(crane, home.path(), &format!("{address}/{name}"));
        }
    }
    let image = format!("{address}/{}", names[0]);
    if let Some(skopeo) = skopeo {
        let (from, to) =
            (format!("docker://{image}:latest"), format!("dir:{}/d", home.path().display()));
        good(&skopeo, home.path(), &["copy", "--src-tls-verify=false", &from, &to]);
        let unauthorized = format!("docker://{image}-of-nobody:latest");
        let (there, text) =
            ask(&skopeo, home.path(), &["inspect", "--tls-verify=false", &unauthorized]);
        assert!(!there && text.contains("no repository"), "{text}");
    }
    if let Some(oras) = &oras {
        let tree =
            good(oras, home.path(), &["discover", "--plain-http", &format!("{image}:latest")]);
        assert!(PREDICATES.iter().all(|predicate| tree.contains(predicate)), "{tree}");
        let old = format!("{address}/no-referrers-api/{}:latest", names[0]);
        let same = good(oras, home.path(), &["discover", "--plain-http", &old]);
        assert!(PREDICATES.iter().all(|predicate| same.contains(predicate)), "{same}");
        let trust = format!("{address}/wavetank/trust:latest");
        good(oras, home.path(), &["pull", "--plain-http", &trust]);
        if let Some(cosign) = &cosign {
            verified_by_cosign(cosign, home.path(), &address, &names[0]);
        }
    }
    assert!(world.demo.stop(), "the demo stops when it is asked to");
}

/// crane recomputes the digest of everything that it pulls.
fn pulled_by_crane(crane: &Path, home: &Path, image: &str) {
    let latest = format!("{image}:latest");
    let digest = good(crane, home, &["digest", "--insecure", &latest]);
    for reference in [latest, format!("{image}@{}", digest.trim())] {
        good(crane, home, &["validate", "--insecure", "--remote", &reference]);
    }
    let (address, name) = image.split_once('/').expect("a name");
    let damaged = format!("{address}/damaged-layers/{name}:latest");
    let (accepted, text) = ask(crane, home, &["validate", "--insecure", "--remote", &damaged]);
    assert!(!accepted && text.contains("sha256"), "{text}");
}

/// Every statement verifies where it is genuine, and none where it is not.
fn verified_by_cosign(cosign: &Path, home: &Path, address: &str, name: &str) {
    let common = ["--key", "cosign.pub", "--trusted-root", "trusted_root.json"];
    let verify = |prefix: &str, command: &str, more: &[&str]| {
        let image = format!("{address}/{prefix}{name}:latest");
        let arguments =
            [&[command], &common[..], more, &["--allow-http-registry", &image]].concat();
        ask(cosign, home, &arguments)
    };
    for (prefix, genuine) in [
        ("", true),
        ("no-referrers-api/", true),
        ("unsigned/", false),
        ("wrong-key/", false),
        ("tampered/", false),
    ] {
        let (verified, text) = verify(prefix, "verify", &[]);
        assert_eq!(verified, genuine, "{prefix}:\n{text}");
        for predicate in PREDICATES {
            let (verified, text) = verify(prefix, "verify-attestation", &["--type", predicate]);
            assert_eq!(verified, genuine, "{prefix} {predicate}:\n{text}");
        }
    }
}
