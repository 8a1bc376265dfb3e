//! Trivy's reports in JSON. One report is a scan of one artifact; several of the same artifact say
//! between which two scans something was found, and when it was gone.
use super::{FileReport, Input};
use crate::error::Refusal;
use crate::evidence::{ArtifactScan, Cve, Evidence, Fix, canonical, image_name, severity};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    created_at: Option<String>,
    #[serde(default)]
    artifact_name: String,
    #[serde(default)]
    results: Option<Vec<ScanResult>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScanResult {
    #[serde(default)]
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID", default)]
    id: String,
    #[serde(default)]
    pkg_name: String,
    severity: Option<String>,
    published_date: Option<String>,
}

pub(super) fn trivy(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    const LIST: &str = "Vulnerabilities";
    let scan: Report = input.json()?;
    let at = input.moment(scan.created_at.as_deref(), "report", 0, "CreatedAt")?;
    let artifact = image_name(input.name(&scan.artifact_name, "ArtifactName", 0)?);
    let artifact = evidence.intern(&artifact);
    let mut found = BTreeSet::new();
    let results = scan.results.unwrap_or_default();
    let all = results.into_iter().flat_map(|it| it.vulnerabilities.unwrap_or_default());
    for (place, it) in all.enumerate() {
        let id = canonical(input.name(&it.id, LIST, place)?);
        let published = input.moment(it.published_date.as_deref(), LIST, place, "PublishedDate")?;
        let package = evidence.intern(input.name(&it.pkg_name, LIST, place)?);
        if let Some(published) = published {
            evidence.note(published);
        }
        let cve = evidence.cve(&id);
        Cve::earliest(&mut cve.published, published);
        cve.severity = cve.severity.or(it.severity.as_deref().and_then(severity));
        cve.hit(package, Fix::Unknown);
        found.insert(id.into());
        report.used += 1;
    }
    match at {
        Some(at) => {
            evidence.note(at);
            evidence.scans.push(ArtifactScan { artifact, at, found });
        }
        None => report.leave_out("reports without CreatedAt: nothing says when they were made"),
    }
    Ok(())
}
