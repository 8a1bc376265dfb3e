//! Reports that are none, and reports that mean harm.
use super::*;

#[test]
fn what_is_no_report_is_told_with_what_helps() {
    let told = |bytes: &[u8]| {
        let error = parse(bytes).unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string()
    };
    for (text, expected) in [
        ("", "not JSON"),
        ("2026-01-12 INFO scanning", "not JSON"),
        (r#"{"SchemaVersion": 2, "#, "not JSON: EOF while parsing"),
        ("[]", "a list, as Trivy wrote them before version 0.20"),
        ("3", "one value"),
        ("{}", "it holds nothing"),
        (r#"{"name": 1, "on": 2}"#, "it holds `name`, `on`"),
        (r#"{"spdxVersion": "SPDX-2.3"}"#, "an SBOM in SPDX"),
        (r#"{"bomFormat": "CycloneDX"}"#, "neither `vulnerabilities` nor `components`"),
        (r#"{"version": "2.0.0", "runs": []}"#, "SARIF of version 2.0.0"),
        (r#"{"SchemaVersion": 1, "Results": []}"#, "SchemaVersion 1"),
        (r#"{"ClusterName": "c", "SchemaVersion": 0}"#, "of a cluster"),
        (r#"{"SchemaVersion": 2, "Results": {}}"#, "at /Results: expected a list, found an object"),
        (
            r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"PkgName": "a/b"}]}]}"#,
            "at /Results/0/Vulnerabilities/0/VulnerabilityID: expected a text, found nothing",
        ),
        (
            r#"{"matches": [{"vulnerability": {"id": 7}, "artifact": {"name": "a"}}]}"#,
            "at /matches/0/vulnerability/id: expected a text, found 7",
        ),
        (
            r#"{"results": [{"packages": [3]}]}"#,
            "at /results/0/packages/0: expected an object, found 3",
        ),
        (
            r#"{"version": "2.1.0", "runs": [{"results": [{}]}]}"#,
            "at /runs/0/results/0: expected a result with `ruleId`",
        ),
    ] {
        let said = told(text.as_bytes());
        assert!(said.contains(expected), "{text}: {said}");
    }
    assert!(told(b"\xff\xfe{\0}\0").contains("UTF-16"));
    assert!(parse(b"\xef\xbb\xbf{\"results\": []}").is_ok(), "a mark of byte order does no harm");
    assert!(told(&vec![b' '; MAX_REPORT_BYTES + 1]).contains("larger than 67108864 bytes"));
    assert!(told("[".repeat(100_000).as_bytes()).contains("recursion limit"));
    let deep = (0..40).fold(json!([]), |inner, _| json!([{"name": "x", "components": inner}]));
    let deep = json!({"bomFormat": "CycloneDX", "components": deep});
    assert!(read(&deep).unwrap_err().to_string().contains("nested 32 deep"));
}

/// Texts are cut, and nothing in them steers a terminal.
#[test]
fn texts_of_others_are_tamed() {
    let name = format!("\u{1b}[31m\u{202e}{}", "x".repeat(5000));
    let target = only(&json!({"SchemaVersion": 2, "ArtifactName": name}));
    assert_eq!(target.names[0].chars().count(), MAX_TEXT_CHARS);
    assert!(target.names[0].starts_with("\u{fffd}[31m\u{fffd}xxx"));
}

/// Whatever stands in a report in the place of anything, reading ends, with an answer or an error.
#[test]
fn no_value_in_no_place_panics() {
    let odd = r#"[null, -1e300, "", "@sha256:", [], {}, [[]], "CVE-"]"#;
    let odd: Vec<Value> = serde_json::from_str(odd).unwrap();
    let samples = [
        json!({"SchemaVersion": 2, "ArtifactName": "a",
            "Metadata": {"OS": {"Family": "f"}, "RepoTags": ["t"]},
            "Results": [{"Class": "os-pkgs", "Packages": [{"Name": "n", "Version": "v"}],
                "Vulnerabilities": [{"VulnerabilityID": "i", "PkgName": "p"}],
                "ExperimentalModifiedFindings": [{"Finding": {"VulnerabilityID": "i"}}]}]}),
        json!({"matches": [{"vulnerability": {"id": "i"}, "artifact": {"name": "n"},
                "relatedVulnerabilities": [{"id": "r"}]}],
            "source": {"target": {"userInput": "u", "tags": ["t"]}},
            "descriptor": {"version": "1"}}),
        json!({"artifacts": [{"name": "n"}],
            "source": {"name": "s", "metadata": {"imageID": "i"}}}),
        json!({"results": [{"source": {"path": "p"}, "packages": [{"package": {"name": "n"},
            "groups": [{"ids": ["i"], "max_severity": "9"}], "vulnerabilities": [{"id": "i"}]}]}]}),
        json!({"version": "2.1.0", "runs": [{
            "tool": {"driver": {"name": "d", "rules": [{"id": "i",
                "properties": {"purls": ["pkg:apk/a"], "tags": ["t"]}}]}},
            "results": [{"ruleId": "i", "ruleIndex": 0, "message": {"text": "m"},
                "locations": [{"logicalLocations": [{"fullyQualifiedName": "n:/x"}]}],
                "suppressions": [{"status": "accepted"}]}]}]}),
        json!({"bomFormat": "CycloneDX",
            "metadata": {"tools": [{"name": "t"}], "component": {"name": "n",
                "purl": "pkg:oci/a@b", "hashes": [{"alg": "SHA-256", "content": "c"}]}},
            "components": [{"name": "n", "bom-ref": "r"}],
            "vulnerabilities": [{"id": "i", "affects": [{"ref": "r"}],
                "ratings": [{"score": 9}], "analysis": {"state": "s"}}]}),
    ];
    fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
        all.push(at.clone());
        match value {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, v)| pointers(v, format!("{at}/{n}"), all));
            }
            Value::Object(fields) => {
                fields.iter().for_each(|(n, v)| pointers(v, format!("{at}/{n}"), all));
            }
            _ => {}
        }
    }
    for sample in &samples {
        read(sample).unwrap();
        let mut all = Vec::new();
        pointers(sample, String::new(), &mut all);
        for at in all {
            for value in &odd {
                let mut changed = sample.clone();
                *changed.pointer_mut(&at).unwrap() = value.clone();
                let _ = read(&changed);
            }
        }
    }
}

/// What is repeated without end is kept within bounds, and takes no time that grows with its square.
#[test]
fn lists_without_end_are_bounded() {
    let many: Vec<Value> = (0..30_000).map(|n| json!(format!("name-{n}"))).collect();
    let report = json!({"SchemaVersion": 2, "ArtifactName": "a", "Metadata": {"RepoTags": many},
        "Results": [{"Vulnerabilities": [{"VulnerabilityID": "i", "VendorIDs": many}]}]});
    let target = only(&report);
    assert_eq!((target.names.len(), target.findings.unwrap()[0].ids.len()), (256, 256));
    let groups: Vec<Value> = many.iter().map(|id| json!({"ids": [id]})).collect();
    let found: Vec<Value> = many.iter().map(|id| json!({"id": id})).collect();
    let package = json!({"package": {"name": "n"}, "groups": groups, "vulnerabilities": found});
    let report = json!({"results": [{"packages": [package]}]});
    assert_eq!(only(&report).findings.unwrap().len(), 30_000);
}
