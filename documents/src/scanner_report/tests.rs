mod hostile;

use super::*;
use serde_json::json;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const CONFIG: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn package(name: &str, version: &str) -> Package {
    Package { name: name.into(), version: version.into() }
}

fn finding(ids: &[&str], package: Option<(&str, &str)>, severity: Option<&str>) -> Finding {
    Finding {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        package: package.map(|of| of.0.to_owned()),
        version: package.map(|of| of.1.to_owned()),
        severity: severity.map(str::to_owned),
        suppressed: false,
    }
}

fn only(report: &Value) -> Target {
    let mut targets = read(report).unwrap().targets;
    assert_eq!(targets.len(), 1);
    targets.remove(0)
}

/// As Trivy 0.76.0 wrote it of an export's layout, shortened; vulnerabilities as in `pkg/types`.
#[test]
fn trivy() {
    let report = json!({
        "SchemaVersion": 2, "Trivy": {"Version": "0.76.0"},
        "CreatedAt": "2026-12-01T11:16:16.252144899Z",
        "ArtifactName": "localhost:5000/gateway:2.16",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "wolfi", "Name": "20230201"}, "ImageID": CONFIG,
            "RepoTags": ["localhost:5000/gateway:2.16"],
            "RepoDigests": [format!("localhost:5000/gateway@{DIGEST}")]},
        "Results": [
            {"Target": "gateway (wolfi)", "Class": "os-pkgs", "Type": "wolfi",
             "Packages": [{"ID": "zlib@1.3.1-r0", "Name": "zlib", "Version": "1.3.1-r0"}],
             "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1000001", "VendorIDs": ["CGA-1"],
                "PkgName": "zlib", "InstalledVersion": "1.3.1-r0", "Severity": "HIGH"}],
             "ExperimentalModifiedFindings": [{"Type": "vulnerability", "Status": "not_affected",
                "Finding": {"VulnerabilityID": "CVE-2026-1000002", "PkgName": "zlib"}}]},
            {"Target": "secrets", "Class": "secret"}],
    });
    let told = read(&report).unwrap();
    assert_eq!((told.format, told.tool.as_deref()), (Format::Trivy, Some("Trivy 0.76.0")));
    assert_eq!(told.created_at.as_deref(), Some("2026-12-01T11:16:16.252144899Z"));
    let target = only(&report);
    assert_eq!(target.digests, [DIGEST, CONFIG]);
    assert_eq!(target.names, ["localhost:5000/gateway:2.16", "localhost:5000/gateway"]);
    assert_eq!(target.distribution.as_deref(), Some("wolfi 20230201"));
    assert_eq!(target.packages, Some(vec![package("zlib", "1.3.1-r0")]));
    let found = finding(&["CVE-2026-1000001", "CGA-1"], Some(("zlib", "1.3.1-r0")), Some("high"));
    let mut dismissed = finding(&["CVE-2026-1000002"], None, None);
    (dismissed.package, dismissed.suppressed) = (Some("zlib".into()), true);
    assert_eq!(target.findings, Some(vec![found, dismissed]));
}

#[test]
fn trivy_without_a_list_of_packages_says_nothing_of_them() {
    let base = json!({"SchemaVersion": 2, "ArtifactName": "x"});
    assert_eq!(only(&base).packages, None);
    assert_eq!(only(&base).findings, Some(vec![]));
    let results = json!([{"Target": "x", "Class": "os-pkgs", "Packages": []}]);
    let listed = json!({"SchemaVersion": 2, "ArtifactName": "x", "Results": results});
    assert_eq!(only(&listed).packages, Some(vec![]));
}

/// As `grype/presenter/models/document.go` of Grype has it.
#[test]
fn grype() {
    let entry = json!({
        "vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "severity": "Critical"},
        "relatedVulnerabilities": [{"id": "CVE-2026-1000001"}],
        "matchDetails": [], "artifact": {"name": "zlib", "version": "1.3.1-r0", "type": "apk"},
    });
    let report = json!({
        "matches": [entry], "ignoredMatches": [entry],
        "source": {"type": "image", "target": {"userInput": "gateway:2.16", "imageID": CONFIG,
            "manifestDigest": DIGEST, "tags": [], "repoDigests": []}},
        "distro": {"name": "wolfi", "version": "20230201"},
        "descriptor": {"name": "grype", "version": "0.87.0", "timestamp": "2026-01-12T00:00:00Z"},
    });
    let told = read(&report).unwrap();
    assert_eq!((told.format, told.tool.as_deref()), (Format::Grype, Some("Grype 0.87.0")));
    assert_eq!(told.created_at.as_deref(), Some("2026-01-12T00:00:00Z"));
    let target = only(&report);
    assert_eq!((target.digests, target.packages), (vec![DIGEST.into(), CONFIG.into()], None));
    let ids = ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1000001"];
    let found = finding(&ids, Some(("zlib", "1.3.1-r0")), Some("critical"));
    let dismissed = Finding { suppressed: true, ..found.clone() };
    assert_eq!(target.findings, Some(vec![found, dismissed]));
    // Of a directory the target is a text.
    let directory = json!({"matches": [], "source": {"type": "directory", "target": "./gateway"}});
    assert_eq!(only(&directory).names, ["./gateway"]);
}

/// As Syft 1.18.1 wrote it of an export's layout, shortened.
#[test]
fn syft() {
    let report = json!({
        "artifacts": [{"name": "zlib", "version": "1.3.1-r0", "type": "apk"}],
        "source": {"id": "d", "name": "images/gateway/7/oci", "version": DIGEST, "type": "image",
            "metadata": {"userInput": "images/gateway/7/oci", "imageID": CONFIG,
                "manifestDigest": DIGEST, "tags": [], "repoDigests": []}},
        "distro": {"id": "wavetank", "versionID": "1"},
        "descriptor": {"name": "syft", "version": "1.18.1"}, "schema": {"version": "16.0.18"},
    });
    let target = only(&report);
    assert_eq!(target.digests, [DIGEST, CONFIG]);
    assert_eq!(target.names, ["images/gateway/7/oci"]);
    assert_eq!(target.distribution.as_deref(), Some("wavetank 1"));
    assert_eq!(target.packages, Some(vec![package("zlib", "1.3.1-r0")]));
    assert_eq!(target.findings, None, "an inventory does not look for any");
}

/// As `pkg/models/results.go` of OSV-Scanner has it.
#[test]
fn osv_scanner() {
    let vulnerable = json!({
        "package": {"name": "zlib", "version": "1.3.1-r0", "ecosystem": "Wolfi"},
        "vulnerabilities": [{"id": "CGA-1", "upstream": ["CVE-2026-1000001"]}, {"id": "OTHER-2"}],
        "groups": [{"ids": ["CGA-1"], "aliases": ["CGA-1", "GHSA-1"], "max_severity": "7.5"}],
    });
    let clean = json!({"package": {"name": "musl", "version": "1.2.5-r0", "ecosystem": "Wolfi"}});
    let source = |path: &str, packages: Value| {
        let source = json!({"path": path, "type": "sbom"});
        json!({"source": source, "packages": packages})
    };
    let report = json!({"results": [
        source("/w/images/gateway/7/sbom.cdx.json", json!([vulnerable])),
        source("/w/images/node/3/sbom.cdx.json", json!([vulnerable, clean])),
    ]});
    let told = read(&report).unwrap();
    let [gateway, node] = told.targets.as_slice() else { panic!("{told:?}") };
    let ids = ["CGA-1", "GHSA-1", "CVE-2026-1000001"];
    let expected = vec![
        finding(&ids, Some(("zlib", "1.3.1-r0")), Some("high")),
        finding(&["OTHER-2"], Some(("zlib", "1.3.1-r0")), None),
    ];
    assert_eq!(gateway.findings, Some(expected));
    assert_eq!(gateway.packages, None, "only what is vulnerable is listed");
    let both = vec![package("zlib", "1.3.1-r0"), package("musl", "1.2.5-r0")];
    assert_eq!(
        (&node.packages, node.names[0].as_str()),
        (&Some(both), "/w/images/node/3/sbom.cdx.json")
    );
    // Of an image: the files within are one target without a name.
    let image = json!({"image_metadata": {"os": "Wolfi"}, "results": [
        source("/lib/apk/db/installed", json!([vulnerable])), source("/app/go.sum", json!([]))]});
    let target = only(&image);
    assert_eq!((target.names.len(), target.findings.unwrap().len()), (0, 2));
    assert_eq!(
        only(&json!({"results": []})).findings,
        Some(vec![]),
        "nothing found is a report too"
    );
}

/// The package stands where each tool writes it: in the message of Trivy (`pkg/report/sarif.go`),
/// of Grype (`presenter/sarif`) and of OSV-Scanner (`internal/output/sarif.go`), or in properties.
#[test]
fn sarif() {
    let of = |rules: Value, result: Value| {
        let report = json!({"version": "2.1.0", "runs": [{
            "tool": {"driver": {"name": "Tool", "version": "1.0", "rules": rules}},
            "invocations": [{"endTimeUtc": "2026-01-12T00:00:00Z"}],
            "results": [result], "properties": {"imageName": "gateway:2.16", "imageID": CONFIG}}]});
        let told = read(&report).unwrap();
        assert_eq!(told.tool.as_deref(), Some("Tool 1.0"));
        assert_eq!(told.created_at.as_deref(), Some("2026-01-12T00:00:00Z"));
        let target = only(&report);
        assert_eq!(
            (target.names.as_slice(), target.digests.as_slice()),
            (&["gateway:2.16".to_owned()][..], &[CONFIG.to_owned()][..])
        );
        target.findings.unwrap()
    };
    let severe = json!([{"id": "CVE-2026-1000001", "properties":
        {"security-severity": "9.8", "tags": ["vulnerability", "security"]}}]);
    let text = "Package: zlib\nInstalled Version: 1.3.1-r0\nVulnerability CVE-2026-1000001\n\
                Severity: HIGH";
    let expected = finding(&["CVE-2026-1000001"], Some(("zlib", "1.3.1-r0")), Some("critical"));
    let trivy = json!({"ruleId": "CVE-2026-1000001", "ruleIndex": 0, "message": {"text": text}});
    assert_eq!(of(severe.clone(), trivy), std::slice::from_ref(&expected));

    let text = "A high vulnerability in apk package: zlib, version 1.3.1-r0 was found in image \
                gateway:2.16 at: /lib/apk/db/installed";
    let rules =
        json!([{"id": "CVE-2026-1000001-zlib", "properties": {"security-severity": "7.5"}}]);
    let grype = json!({"ruleId": "CVE-2026-1000001-zlib", "message": {"text": text}});
    let ids = ["CVE-2026-1000001", "CVE-2026-1000001-zlib"];
    assert_eq!(of(rules, grype), [finding(&ids, Some(("zlib", "1.3.1-r0")), Some("high"))]);

    let text =
        "Package 'zlib@1.3.1-r0' is vulnerable to 'CVE-2026-1000001' (also known as 'CGA-1').";
    let rules = json!([{"id": "CVE-2026-1000001", "deprecatedIds": ["CVE-2026-1000001", "CGA-1"]}]);
    let osv = json!({"ruleId": "CVE-2026-1000001", "message": {"text": text}});
    let ids = ["CVE-2026-1000001", "CGA-1"];
    assert_eq!(of(rules, osv), [finding(&ids, Some(("zlib", "1.3.1-r0")), None)]);

    // By the rule's place alone, and its purl; suppressed.
    let purl = "pkg:apk/wolfi/libz%2B%2B@2-r0?arch=x86_64";
    let purls = json!([{"id": "CVE-2026-1000001", "properties": {"purls": [purl]}}]);
    let result = json!({"rule": {"index": 0}, "message": {"text": "?"},
        "suppressions": [{"kind": "external"}]});
    let mut suppressed = finding(&["CVE-2026-1000001"], Some(("libz++", "2-r0")), None);
    suppressed.suppressed = true;
    assert_eq!(of(purls, result), [suppressed]);
    let rejected = json!([{"kind": "external", "status": "rejected"}]);
    let result = json!({"ruleId": "CVE-2026-1000001", "message": {"text": ""},
        "suppressions": rejected, "properties": {"package": "zlib", "version": "1.3.1-r0"}});
    assert_eq!(of(severe, result), [expected]);
    // Trivy tells of an SBOM only where it found something.
    let location = json!([{"physicalLocation": {"artifactLocation": {"uri": "gateway/7/x.json"}}}]);
    let result =
        json!({"ruleId": "CVE-2026-1000001", "message": {"text": ""}, "locations": location});
    let run = json!({"tool": {"driver": {"name": "Trivy"}}, "results": [result]});
    let target = only(&json!({"version": "2.1.0", "runs": [run]}));
    assert_eq!(target.names, ["gateway/7/x.json"]);
    // What is about something else is passed over.
    let rules = json!([{"id": "DS002", "properties": {"tags": ["misconfiguration", "security"]}}]);
    assert_eq!(of(rules, json!({"ruleId": "DS002", "message": {"text": "root user"}})), []);
}

#[test]
fn cyclonedx() {
    let report = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"timestamp": "2026-01-12T00:00:00Z",
            "tools": {"components": [{"name": "trivy", "version": "0.76.0"}]},
            "component": {"type": "container", "bom-ref": "image",
                "name": "registry.example/gateway", "version": "2.16",
                "purl": format!("pkg:oci/gateway@{DIGEST}?tag=2.16"),
                "properties": [{"name": "aquasecurity:trivy:ImageID", "value": CONFIG}]}},
        "components": [
            {"type": "operating-system", "bom-ref": "os", "name": "wolfi", "version": "20230201"},
            {"type": "library", "bom-ref": "a", "name": "zlib", "version": "1.3.1-r0",
             "components": [
                {"type": "library", "bom-ref": "b", "name": "minizip", "version": "1-r0"}]}],
        "vulnerabilities": [
            {"id": "CGA-1", "references": [{"id": "CVE-2026-1000001"}],
             "ratings": [{"severity": "medium"}, {"score": 9.1}],
             "affects": [{"ref": "a"},
                {"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#b"}]},
            {"id": "CVE-2026-1000002", "affects": [{"ref": "image"}],
             "analysis": {"state": "not_affected"}},
            {"id": "CVE-2026-1000003",
             "affects": [{"ref": "pkg:apk/wolfi/libz%2B%2B@2-r0?arch=x86_64"}]}],
    });
    let told = read(&report).unwrap();
    assert_eq!(told.tool.as_deref(), Some("trivy 0.76.0"));
    let target = only(&report);
    assert_eq!(target.digests, [DIGEST, CONFIG]);
    assert_eq!(target.names, ["registry.example/gateway:2.16", "registry.example/gateway"]);
    let listed = vec![package("zlib", "1.3.1-r0"), package("minizip", "1-r0")];
    assert_eq!(target.packages, Some(listed));
    let ids = ["CGA-1", "CVE-2026-1000001"];
    let mut judged = finding(&["CVE-2026-1000002"], None, None);
    judged.suppressed = true;
    let expected = vec![
        finding(&ids, Some(("zlib", "1.3.1-r0")), Some("critical")),
        finding(&ids, Some(("minizip", "1-r0")), Some("critical")),
        judged,
        finding(&["CVE-2026-1000003"], Some(("libz++", "2-r0")), None),
    ];
    assert_eq!(target.findings, Some(expected));
    // Without vulnerabilities it is an inventory, and without components it says nothing of them.
    let inventory = json!({"bomFormat": "CycloneDX", "components": []});
    assert_eq!((only(&inventory).packages, only(&inventory).findings), (Some(vec![]), None));
    let bare = json!({"bomFormat": "CycloneDX", "vulnerabilities": []});
    assert_eq!((only(&bare).packages, only(&bare).findings), (None, Some(vec![])));
}

#[test]
fn cve_ids_within_others() {
    assert_eq!(cve_within("ALPINE-CVE-2026-1000001"), Some("CVE-2026-1000001"));
    assert_eq!(cve_within("CVE-2026-1000001-zlib"), Some("CVE-2026-1000001"));
    for none in [
        "",
        "CVE-",
        "CVE-2026",
        "CVE-2026-",
        "CVE-2026-1",
        "CVE-26-1000",
        "GHSA-x",
        "CVE-202\u{e9}-1234",
    ] {
        assert_eq!(cve_within(none), None, "{none}");
    }
}
