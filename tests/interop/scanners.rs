//! Trivy, unchanged, on what a world exports: with the exported database it finds what the answer key
//! says, and VEX takes away what was judged. Python's zipfile reads the archives of OSV records.
use crate::clients::World;
use crate::support::{data_dir, figures, said, wavetank};
use crate::validators::python;
use crate::worlds::untampered;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A CVE in a package.
type Found = BTreeSet<(String, String)>;

/// A classroom that scanners see as that distribution; false positives are frequent, and judged
/// within minutes.
fn world(identity: &str, seed: &str) -> TempDir {
    let data = data_dir();
    let text = untampered(seed);
    let changed = [
        ("distribution:\n", format!("distribution:\n  identity: {identity}\n")),
        (
            "detection_lag: {uniform: {min: 1h, max: 6h}}",
            "detection_lag: {constant: 1m}".to_owned(),
        ),
        ("schedule: 0 */4 * * *", "schedule: '*/10 * * * *'".to_owned()),
        ("false_positives: 5%", "false_positives: 25%".to_owned()),
        ("triage: {lognormal: {median: 1d, sigma: 0.5}}", "triage: {constant: 1m}".to_owned()),
    ];
    let text = changed.iter().fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    });
    let file = data.path().join("scenario.yaml");
    std::fs::write(&file, text).expect("a scenario");
    let mut run = wavetank();
    run.arg("run").arg(&file).arg("--data-dir").arg(data.path().join("world"));
    run.args(["--format", "json", "--seed", seed, "--until", "7d"]);
    figures(run);
    data
}

/// The export of a world at an instant of its past, verified.
fn exported(world: &TempDir, as_of: &str) -> PathBuf {
    let directory = world.path().join(as_of.replace(':', ""));
    let mut export = wavetank();
    export.arg("export").arg(&directory).arg("--data-dir").arg(world.path().join("world"));
    succeeds(export.args(["--as-of", as_of]));
    succeeds(wavetank().arg("verify").arg(&directory));
    directory
}

#[track_caller]
fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", said(&output));
    output
}

/// Trivy among the validators, or what TRIVY names; it is not published for every machine.
fn trivy() -> Option<PathBuf> {
    let named = std::env::var_os("TRIVY").map(PathBuf::from);
    let trivy = named.unwrap_or_else(|| python(root()).with_file_name("trivy"));
    if trivy.exists() {
        return Some(trivy);
    }
    println!("SKIPPED: scanners: no {}", trivy.display());
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What Trivy finds in a version's image; none when it does not know the operating system.
fn scanned(trivy: &Path, export: &Path, version: &Path, vex: bool) -> Option<Found> {
    let mut trivy = Command::new(trivy);
    trivy.env("TRIVY_DISABLE_TELEMETRY", "true").env("TRIVY_SKIP_VERSION_CHECK", "true");
    trivy.args(["image", "--quiet", "--format", "json", "--list-all-pkgs", "--scanners", "vuln"]);
    trivy.args(["--skip-db-update", "--skip-java-db-update", "--offline-scan"]);
    trivy.arg("--cache-dir").arg(export.join("scanners/trivy"));
    trivy.arg("--input").arg(version.join("oci"));
    if vex {
        trivy.arg("--vex").arg(version.join("openvex.json"));
    }
    let report: Value = serde_json::from_slice(&succeeds(&mut trivy).stdout).expect("JSON");
    let result = report["Results"].as_array()?.first()?;
    assert!(result["Packages"].as_array().is_some_and(|all| !all.is_empty()), "{report:#}");
    let found = result["Vulnerabilities"].as_array().into_iter().flatten();
    Some(found.map(|found| pair(&found["VulnerabilityID"], &found["PkgName"])).collect())
}

fn pair(cve: &Value, package: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    (text(cve), text(package))
}

/// One image of an export: its directory, what is in it, and what of that does not affect it.
fn images(export: &Path) -> Vec<(PathBuf, Found, Found)> {
    let answers = read(&export.join("answers.json"));
    let image = |image: &Value| {
        let (name, version) = (image["name"].as_str().expect("a name"), &image["version"]);
        let held = image["vulnerabilities"].as_array().expect("a list");
        let of = |wanted: bool| {
            let held = held.iter().filter(|held| wanted || held["affected"] == false);
            held.map(|held| pair(&held["cve"], &held["package"])).collect()
        };
        (export.join(format!("images/{name}/{version}")), of(true), of(false))
    };
    answers["images"].as_array().expect("a list").iter().map(image).collect()
}

fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}

/// What the image's VEX document says does not affect it.
fn judged(version: &Path) -> Found {
    let vex = read(&version.join("openvex.json"));
    let statements = vex["statements"].as_array().expect("a list").iter();
    let judged = statements.filter(|said| said["status"] == "not_affected");
    let named = judged.filter_map(|said| {
        let product = said["products"].as_array()?.iter().find_map(|product| {
            product["@id"].as_str()?.strip_prefix("pkg:apk/")?.split(['/', '@']).nth(1)
        });
        Some((said["vulnerability"]["name"].as_str()?.to_owned(), product?.replace("%2B", "+")))
    });
    named.collect()
}

#[test]
fn trivy_finds_what_the_answer_key_says() {
    let Some(trivy) = trivy() else { return };
    let (mut scans, mut true_ones, mut false_ones) = (0, 0, 0);
    for seed in ["3", "4"] {
        let world = world("alpine", seed);
        for as_of in ["2026-01-07T12:00:00Z", "2026-01-09T06:30:00Z", "2026-01-11T23:00:00Z"] {
            let export = exported(&world, as_of);
            for (version, held, unaffected) in images(&export) {
                let place = version.display();
                let judged = judged(&version);
                assert_eq!(judged, unaffected, "{place}: all is judged by then");
                let without = scanned(&trivy, &export, &version, false).expect("a known system");
                assert_eq!(without, held, "{place}");
                let with = scanned(&trivy, &export, &version, true).expect("a known system");
                assert_eq!(with, &held - &unaffected, "{place}: precision and recall 1.0");
                scans += 2;
                true_ones += (&held - &unaffected).len();
                false_ones += judged.len();
            }
        }
    }
    assert_eq!(scans, 2 * 3 * 8 * 2);
    assert!(true_ones >= 50 && false_ones >= 10, "{true_ones} affect, {false_ones} were judged");
}

/// The two traps that docs/scanners.md warns of.
#[test]
fn trivy_passes_over_what_another_identity_hides() {
    let Some(trivy) = trivy() else { return };
    let as_of = "2026-01-11T23:00:00Z";
    let unknown = world("wavetank", "3");
    let export = exported(&unknown, as_of);
    for (version, held, _) in images(&export) {
        let found = scanned(&trivy, &export, &version, false);
        assert_eq!(found, None, "{}, which holds {held:?}", version.display());
    }
    let wolfi = world("wolfi", "3");
    let export = exported(&wolfi, as_of);
    let unfixed = unfixed(&export);
    let mut passed_over = 0;
    for (version, held, _) in images(&export) {
        let found = scanned(&trivy, &export, &version, false).expect("a known system");
        let fixed: Found = held.iter().filter(|pair| !unfixed.contains(pair)).cloned().collect();
        assert!(found.is_superset(&fixed), "{}", version.display());
        assert!(found.is_disjoint(&unfixed), "{}", version.display());
        passed_over += held.len() - fixed.len();
    }
    assert!(passed_over > 0, "everything has a fix");
}

fn unfixed(export: &Path) -> Found {
    let answers = read(&export.join("answers.json"));
    let all = answers["vulnerabilities"].as_array().expect("a list").iter();
    let pairs = all.flat_map(|vulnerability| {
        let packages = vulnerability["packages"].as_array().expect("a list").iter();
        let open = packages.filter(|package| package["fixed"].is_null());
        open.map(|package| pair(&vulnerability["cve"], &package["name"])).collect::<Vec<_>>()
    });
    pairs.collect()
}

#[test]
fn archives_of_osv_records_hold_the_records() {
    let world = world("alpine", "3");
    let export = exported(&world, "2026-01-09T06:30:00Z");
    const COMPARE: &str = "\
import pathlib, sys, zipfile
export = pathlib.Path(sys.argv[1])
archive = zipfile.ZipFile(export / 'scanners/osv/Alpine/all.zip')
assert archive.testzip() is None
records = {path.name: path.read_bytes() for path in (export / 'osv').iterdir()}
assert records and records == {name: archive.read(name) for name in archive.namelist()}
";
    succeeds(Command::new(python(root())).args(["-c", COMPARE]).arg(&export));
}

/// Nothing but the address of a demo: images, database and VEX come from its registry, and what Trivy
/// found is scored by the demo itself.
#[tokio::test(flavor = "multi_thread")]
async fn trivy_needs_nothing_but_a_registry() {
    let Some(trivy) = trivy() else { return };
    let demo = World::start().await;
    let address = demo.base.trim_start_matches("http://").to_owned();
    let home = tempfile::tempdir().expect("a directory");
    let client = reqwest::Client::new();
    let post = |path: &str, body: &Value| client.post(format!("{}{path}", demo.base)).json(body);
    let token = post("/v1/auth/token", &json!({ "api_key": demo.key })).send().await;
    let token: Value = token.expect("an answer").json().await.expect("JSON");
    let bearer = token["access_token"].as_str().expect("a token");
    let images = client.get(format!("{}/v1/images", demo.base)).bearer_auth(bearer).send().await;
    let images: Value = images.expect("an answer").json().await.expect("JSON");
    let images = images["items"].as_array().expect("images").iter();
    let names: Vec<&str> = images.filter_map(|image| image["name"].as_str()).collect();
    let view = format!("{address}/as-of/20260109t063000z");
    let mut reports = Vec::new();
    for name in &names {
        let file = home.path().join(format!("{name}.json"));
        let mut scan = Command::new(&trivy);
        scan.env("TRIVY_DISABLE_TELEMETRY", "true").env("TRIVY_SKIP_VERSION_CHECK", "true");
        scan.args([
            "image",
            "--quiet",
            "--format",
            "json",
            "--list-all-pkgs",
            "--scanners",
            "vuln",
        ]);
        scan.args(["--insecure", "--image-src", "remote", "--vex", "oci", "--skip-java-db-update"]);
        scan.arg("--db-repository").arg(format!("{view}/wavetank/trivy-db:2"));
        scan.arg("--cache-dir").arg(home.path().join("cache")).arg("--output").arg(&file);
        succeeds(scan.arg(format!("{view}/{name}:latest")));
        reports.push(json!({ "name": name, "report": read(&file) }));
    }
    let asked = json!({ "reports": reports, "as_of": "2026-01-09T06:30:00Z" });
    let scored = post("/v1/score", &asked).bearer_auth(bearer).send().await.expect("an answer");
    let score: Value = scored.json().await.expect("JSON");
    let total = &score["total"];
    assert!(total["right"].as_u64().is_some_and(|right| right > 0), "{score:#}");
    assert_eq!((&total["missed"], &total["wrong"]), (&json!(0), &json!(0)), "{score:#}");
    assert_eq!(score["coverage"]["images_scored"], names.len(), "{score:#}");
    assert!(demo.demo.stop(), "the demo stops when it is asked to");
}
