//! What is told of a score, and that nothing in it acts where it is shown.
use crate::support::{at, named, trivy, trivy_with, truth};
use score::cause::Cause;
use score::result::Score;
use score::{Options, answers, output, score};
use serde_json::{Value, json};

fn scored() -> Score {
    let findings = [("CVE-2026-1000001", "zlib", "1.9.0-r0"), ("CVE-2020-1", "=cmd|`x`,\"<b>", "")];
    let report = trivy_with(&findings, json!({"Trivy": {"Version": "0.76.0"}}), None);
    let unknown = trivy_with(&[("CVE-1", "a", "b")], json!({"ArtifactName": "alpine:3.20"}), None);
    let reports = [named("gateway.json", report), named("other.json", unknown)];
    let asked = Options {
        as_of: Some(at("2026-01-14T00:00:00Z")),
        knows_all_images: true,
        ..Options::default()
    };
    score(&truth(), &reports, asked).unwrap()
}

#[test]
fn the_text_tells_figures_instant_and_what_is_unknown() {
    let text = output::text(&scored());
    for expected in [
        "Trivy 0.76.0: 1 report on 1 image, judged as of 2026-01-14T00:00:00Z (as asked for)",
        "1       1      1  50.0 % (9.5 to 90.5)  50.0 % (9.5 to 90.5)  0.500",
        "  unknown",
        "no_fix_yet",
        "  missed no_fix_yet            gateway 7  CVE-2026-1000002  openssl",
        "packages recognised: unknown; no report lists packages",
        "no report is about 2 of the 3 current images",
        "not counted: other.json: \"alpine:3.20\", 1 finding: no image has this name",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
}

#[test]
fn csv_quotes_and_leaves_unknown_empty() {
    let csv = output::csv(&scored());
    let rows: Vec<&str> = csv.lines().collect();
    let columns = rows[0].split(',').count();
    assert_eq!((columns, &rows[0][..18]), (16, "scope,name,version"));
    assert!(rows[1].starts_with("all,,,1,1,1,0,0.5,"), "{}", rows[1]);
    assert!(rows[1].ends_with(",0.5,,"), "packages of all are no number: {}", rows[1]);
    let image = rows.iter().find(|row| row.starts_with("image,gateway,7,")).unwrap();
    assert!(image.ends_with(",5,"), "how many were recognised is not known: {image}");
    let hostile = rows.iter().find(|row| row.contains("cmd")).unwrap();
    assert!(hostile.starts_with("package,\"'=cmd|`x`,\"\"<b>\",,0,0,1,0,0,"), "{hostile}");
    assert!(rows.contains(&"missed,no_fix_yet,,,1,,,,,,,,,,,"), "{csv}");
    for row in rows.iter().filter(|row| !row.contains("cmd")) {
        assert_eq!(row.split(',').count(), columns, "{row}");
    }
}

#[test]
fn markdown_of_others_is_text() {
    let markdown = output::markdown(&scored());
    assert!(markdown.contains("| all | 1 | 1 | 1 |"), "{markdown}");
    assert!(markdown.contains(r#"=cmd\|\`x\`,"&lt;b&gt;"#), "{markdown}");
    assert!(!markdown.contains("<b>"), "{markdown}");
}

#[test]
fn json_says_null_where_nothing_is_defined() {
    let score = score(&truth(), &[named("clean.json", trivy(&[]))], Options::default()).unwrap();
    let json = serde_json::to_value(&score).unwrap();
    assert_eq!(json["format"], "wavetank-score/1");
    assert_eq!(json["total"]["right"], 0);
    assert_eq!(json["total"]["recall"], json!({"estimate": null, "lower": null, "upper": null}));
    assert_eq!(json["total"]["f1"], Value::Null);
    assert_eq!(json["coverage"]["images_current"], Value::Null);
    assert_eq!(json["reports"][0]["as_of"], "2026-01-20T00:00:00Z");
    assert_eq!(json["reports"][0]["as_of_source"], "world");
}

/// The page for authors of tools names every cause, with its meaning.
#[test]
fn the_documentation_lists_every_cause() {
    let page = include_str!("../../../docs/tool-authors.md");
    for cause in Cause::ALL {
        let (name, meaning) = (cause.as_str(), cause.meaning());
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {meaning} |"))), "{name}");
    }
}

/// An answer key that says what the small world holds is read as that; one of an earlier release, or
/// of something else, is refused with what helps.
#[test]
fn answer_keys() {
    let mut key = json!({
        "format": "wavetank-answers/1", "as_of": "2026-01-20T00:00:00Z",
        "starts_at": "2026-01-05T00:00:00Z",
        "vulnerabilities": [{"cve": "CVE-2026-1000001", "severity": "critical", "cvss_vector": "x",
            "aliases": ["GHSA-aaaa-bbbb-cccc"],
            "published_at": "2026-01-06T00:00:00Z", "detectable_at": "2026-01-08T00:00:00Z",
            "packages": [{"name": "zlib", "introduced": "0", "fixed": "1.10.0-r0",
                "fixed_at": "2026-01-10T00:00:00Z"}]}],
        "images": [{"name": "gateway", "version": 6,
            "digest": crate::support::OLD_DIGEST, "config_digest": null,
            "tags": ["latest", "2.15", "2"],
            "published_at": "2026-01-05T00:00:00Z", "superseded_at": "2026-01-10T00:00:00Z",
            "slsa_level": 3, "tampered": [], "packages": {"zlib": "1.9.0-r0"},
            "vulnerabilities": [{"cve": "CVE-2026-1000001", "package": "zlib",
                "installed": "1.9.0-r0", "from": "2026-01-06T00:00:00Z", "until": null,
                "affected": true, "not_affected_at": null}]}],
    });
    let read = |key: &Value| answers::parse(key.to_string().as_bytes());
    let truth = read(&key).unwrap();
    let small = crate::support::truth();
    assert_eq!(truth.versions[0], small.versions[0]);
    assert_eq!(truth.advisories["CVE-2026-1000001"], small.advisories["CVE-2026-1000001"]);
    assert_eq!((truth.starts_at, truth.as_of), (small.starts_at, small.as_of));
    let image = key["images"][0].as_object_mut().unwrap();
    image.remove("packages");
    let error = read(&key).unwrap_err().to_string();
    assert!(error.contains("hint: export the world again"), "{error}");
    key["format"] = json!("wavetank-answers/2");
    assert!(read(&key).unwrap_err().to_string().contains("of the format \"wavetank-answers/2\""));
    assert!(answers::parse(b"{}").unwrap_err().to_string().contains("missing field `format`"));
}
