//! `wavetank score`: reports made from the answer key are perfect in every format at several
//! instants, and each change to them shows by exactly as much as it is; thresholds and bad input by
//! their exit codes.
use crate::support::{data_dir, figures, run, said, wavetank};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// A classroom of ten days, and its export with every version.
struct World {
    data: TempDir,
    export: TempDir,
    reports: TempDir,
    answers: Value,
}

/// What a scanner finds that sees everything: image, CVE, package, installed version.
type Found = (String, String, String, String);

impl World {
    fn made() -> World {
        let (data, export, reports) = (data_dir(), data_dir(), data_dir());
        figures(run("classroom", data.path(), &["--seed", "3", "--until", "10d"]));
        let mut command = wavetank();
        command.args(["export", "--all-versions", "--data-dir"]).arg(data.path());
        let written = command.arg(export.path()).output().expect("the program runs");
        assert!(written.status.success(), "{}", said(&written));
        let answers = std::fs::read(export.path().join("answers.json")).expect("the answer key");
        let answers = serde_json::from_slice(&answers).expect("JSON");
        World { data, export, reports, answers }
    }

    /// The current versions at an instant.
    fn current(&self, at: &str) -> Vec<&Value> {
        let all = self.answers["images"].as_array().expect("images").iter();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let is_current = |image: &&Value| {
            at >= text(&image["published_at"]).expect("an instant").as_str()
                && text(&image["superseded_at"]).is_none_or(|until| at < until.as_str())
        };
        all.filter(is_current).collect()
    }

    /// What a scanner that sees everything finds at an instant; with VEX without what is judged.
    fn found(&self, at: &str, with_vex: bool) -> Vec<Found> {
        let advisories = self.answers["vulnerabilities"].as_array().expect("vulnerabilities");
        let detectable = |cve: &Value| {
            let advisory = advisories.iter().find(|of| of["cve"] == *cve).expect("an advisory");
            advisory["detectable_at"].as_str().expect("an instant") <= at
        };
        let judged =
            |held: &Value| held["not_affected_at"].as_str().is_some_and(|judged| judged <= at);
        let mut found = Vec::new();
        for image in self.current(at) {
            for held in image["vulnerabilities"].as_array().expect("a list") {
                if detectable(&held["cve"]) && !(with_vex && judged(held)) {
                    let text = |value: &Value| value.as_str().expect("a text").to_owned();
                    let [cve, package, installed] =
                        ["cve", "package", "installed"].map(|f| text(&held[f]));
                    found.push((text(&image["name"]), cve, package, installed));
                }
            }
        }
        found
    }

    /// Writes a report an image in a format.
    fn write(&self, format: &str, at: &str, found: &[Found]) -> Vec<PathBuf> {
        let write = |image: &&Value| {
            let name = image["name"].as_str().expect("a name");
            let of_image: Vec<&Found> = found.iter().filter(|found| found.0 == name).collect();
            let path = self.reports.path().join(format!("{name}.{format}.json"));
            std::fs::write(&path, report(format, image, &of_image).to_string()).expect("a write");
            path
        };
        self.current(at).iter().map(write).collect()
    }

    fn score(&self, reports: &[PathBuf], more: &[&str]) -> Output {
        let mut command = wavetank();
        command.arg("score").arg("--export").arg(self.export.path()).args(reports).args(more);
        command.output().expect("the program runs")
    }

    fn scored(&self, reports: &[PathBuf], at: &str) -> Value {
        let output = self.score(reports, &["--format", "json", "--as-of", at]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// A report about an image as a tool of that name would write it.
fn report(format: &str, image: &Value, found: &[&Found]) -> Value {
    let (name, digest, config) = (&image["name"], &image["digest"], &image["config_digest"]);
    let each = |entry: &dyn Fn(&str, &str, &str) -> Value| -> Vec<Value> {
        found.iter().map(|(_, cve, package, version)| entry(cve, package, version)).collect()
    };
    match format {
        "trivy" => {
            let found = each(&|cve, package, version| {
                let at = version;
                json!({"VulnerabilityID": cve, "PkgName": package, "InstalledVersion": at})
            });
            json!({"SchemaVersion": 2, "ArtifactName": name, "Metadata": {"ImageID": config},
                "Results": [{"Class": "os-pkgs", "Vulnerabilities": found}]})
        }
        "grype" => {
            let found = each(&|cve, package, version| {
                json!({"vulnerability": {"id": cve},
                    "artifact": {"name": package, "version": version}})
            });
            json!({"source": {"type": "image", "target": {"manifestDigest": digest}},
                "matches": found})
        }
        // It names no image: the file does.
        "osv" => {
            let found = each(&|cve, package, version| {
                json!({"package": {"name": package, "version": version},
                    "vulnerabilities": [{"id": format!("X-{cve}"), "aliases": [cve]}]})
            });
            json!({"image_metadata": {"os": "x"},
                "results": [{"source": {"path": "/lib/apk/db"}, "packages": found}]})
        }
        "sarif" => {
            let found = each(&|cve, package, version| {
                let text = format!("Package: {package}\nInstalled Version: {version}\n");
                json!({"ruleId": cve, "message": {"text": text}})
            });
            json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}},
                "properties": {"imageID": config}, "results": found}]})
        }
        "cyclonedx" => {
            let found = each(&|cve, package, version| {
                let purl = format!("pkg:apk/x/{package}@{version}");
                json!({"id": cve, "affects": [{"ref": purl}]})
            });
            json!({"bomFormat": "CycloneDX",
                "metadata": {"component": {"name": name, "version": digest}},
                "vulnerabilities": found})
        }
        other => panic!("{other}"),
    }
}

const FORMATS: [&str; 5] = ["trivy", "grype", "osv", "sarif", "cyclonedx"];

#[test]
fn perfect_reports_score_one_and_each_change_shows() {
    let world = World::made();
    let end = world.answers["as_of"].as_str().expect("an instant").to_owned();
    let mut judged_in_all = 0;
    for at in ["2026-01-09T00:00:00Z", "2026-01-12T06:00:00Z", &end] {
        let (perfect, by_package) = (world.found(at, true), world.found(at, false));
        let (n, judged) = (perfect.len() as u64, (by_package.len() - perfect.len()) as u64);
        assert!(n > 3, "too little is there at {at}");
        judged_in_all += judged;
        for format in FORMATS {
            let score = world.scored(&world.write(format, at, &perfect), at);
            let total = &score["total"];
            assert_eq!(
                (&total["right"], &total["missed"], &total["wrong"]),
                (&json!(n), &json!(0), &json!(0)),
                "{format} at {at}: {score}"
            );
            assert_eq!((&total["precision"]["estimate"], &total["f1"]), (&json!(1.0), &json!(1.0)));
            assert_eq!(total["recall"]["estimate"], 1.0, "{format} at {at}");
        }
        // Without VEX exactly what is judged is the difference.
        let score = world.scored(&world.write("trivy", at, &by_package), at);
        assert_eq!(
            (&score["total"]["right"], &score["total"]["wrong"]),
            (&json!(n), &json!(judged))
        );
        let causes: Vec<&Value> =
            score["causes"].as_array().expect("causes").iter().map(|of| &of["cause"]).collect();
        let expected = if judged == 0 { vec![] } else { vec!["judged_not_affected"] };
        assert_eq!(causes, expected, "at {at}");
        // One less, and one that is wrong more.
        let fewer = world.scored(&world.write("trivy", at, &perfect[1..]), at);
        assert_eq!(fewer["total"]["recall"]["estimate"], json!((n - 1) as f64 / n as f64));
        let mut more = perfect.clone();
        more.push((perfect[0].0.clone(), "CVE-1999-0001".into(), "nothing".into(), "1".into()));
        let more = world.scored(&world.write("trivy", at, &more), at);
        assert_eq!(more["total"]["precision"]["estimate"], json!(n as f64 / (n + 1) as f64));
    }
    assert!(judged_in_all > 0, "no world without a false positive shows anything");
    thresholds(&world, &end);
    the_stored_world_says_the_same(&world, &end);
}

fn thresholds(world: &World, end: &str) {
    let perfect = world.found(end, true);
    let reports = world.write("trivy", end, &perfect[1..]);
    let code = |more: &[&str]| world.score(&reports, more).status.code();
    assert_eq!(code(&["--min-precision", "1", "--min-recall", "0.5", "--min-f1", "0.5"]), Some(0));
    assert_eq!(code(&["--min-recall", "1"]), Some(1));
    assert_eq!(code(&["--min-f1", "1"]), Some(1));
    let output = world.score(&reports, &["--min-recall", "0.999", "--format", "csv"]);
    assert!(said(&output).contains("recall 0.") && said(&output).contains("is below 0.999"));
    // Nothing reported: precision is not defined and fails no threshold, recall is 0.
    let nothing = world.write("trivy", end, &[]);
    assert_eq!(world.score(&nothing, &["--min-precision", "1"]).status.code(), Some(0));
    assert_eq!(world.score(&nothing, &["--min-recall", "0.1"]).status.code(), Some(1));
    // One image alone misses nothing of the others, but for who asks for that.
    let one = &reports[..1];
    assert_eq!(world.score(one, &["--all-images", "--min-recall", "0.999"]).status.code(), Some(1));
}

/// The rows of the world give the same score as its export.
fn the_stored_world_says_the_same(world: &World, end: &str) {
    let reports = world.write("grype", end, &world.found(end, false)[2..]);
    let exported = world.scored(&reports, end);
    let mut command = wavetank();
    command.arg("score").args(&reports).args(["--format", "json", "--as-of", end]);
    command.arg("--data-dir").arg(world.data.path());
    let output = command.output().expect("the program runs");
    let stored: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(stored, exported);
}

#[test]
fn what_cannot_be_scored_exits_with_two_and_says_what_helps() {
    let (export, dir) = (data_dir(), data_dir());
    let key = json!({"format": "wavetank-answers/1", "as_of": "2026-01-12T00:00:00Z",
        "starts_at": "2026-01-05T00:00:00Z", "vulnerabilities": [], "images": []});
    std::fs::write(export.path().join("answers.json"), key.to_string()).expect("a write");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a write");
        path
    };
    let refused = |export: &Path, more: &[&str], report: PathBuf, expected: &[&str]| {
        let mut command = wavetank();
        command.arg("score").arg("--export").arg(export).arg(report).args(more);
        let output = command.output().expect("the program runs");
        let message = said(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        for text in expected {
            assert!(message.contains(text), "it should say {text:?}: {message}");
        }
    };
    let empty = || file("empty.json", r#"{"results": []}"#);
    let of = export.path();
    refused(
        of,
        &[],
        file("cut.json", r#"{"SchemaVersion": 2,"#),
        &["cut.json: the report is not JSON", "hint:"],
    );
    refused(of, &[], file("deep.json", &"[".repeat(1 << 20)), &["recursion limit", "hint:"]);
    refused(
        of,
        &[],
        file("spdx.json", r#"{"spdxVersion": "SPDX-2.3"}"#),
        &["an SBOM in SPDX", "hint:"],
    );
    refused(of, &[], dir.path().join("missing.json"), &["cannot read the report", "missing.json"]);
    refused(of, &[], dir.path().to_owned(), &["cannot read the report", "directory"]);
    refused(of, &[], empty(), &["no report is about an image of this world", "hint:"]);
    refused(
        of,
        &["--as-of", "2026-02-01T00:00:00Z"],
        empty(),
        &["lies outside", "2026-01-12T00:00:00Z", "hint:"],
    );
    refused(of, &["--as-of", "yesterday"], empty(), &["yesterday", "2026-01-14T00:00:00Z"]);
    refused(of, &["--min-recall", "2"], empty(), &["0 to 1"]);
    refused(&of.join("nowhere"), &[], empty(), &["nowhere", "wavetank export"]);
    std::fs::write(of.join("answers.json"), r#"{"format": "other/1"}"#).expect("a write");
    refused(of, &[], empty(), &["cannot use", "other/1"]);
}
