//! Trivy's JSON, schema version 2 (`pkg/types/report.go` of aquasecurity/trivy).
use super::error::ReportError;
use super::place::Place;
use super::report::{Finding, Format, Package, ScannerReport, Target, purl};

/// The class of results that tells of packages of the operating system, and those of languages.
const PACKAGE_CLASSES: [&str; 2] = ["os-pkgs", "lang-pkgs"];

pub(super) fn read(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    let mut target = Target { findings: Some(Vec::new()), ..Target::default() };
    if let Some(name) = root.text_of("ArtifactName")? {
        target.add_name(&name);
    }
    if let Some(metadata) = root.field("Metadata") {
        for list in ["RepoDigests", "RepoTags"] {
            for name in metadata.texts(list)? {
                target.add_name(&name);
            }
        }
        for id in ["ImageID", "Reference"] {
            if let Some(id) = metadata.text_of(id)? {
                target.add_name(&id);
            }
        }
        if let Some(os) = metadata.field("OS") {
            let family = os.text_of("Family")?.unwrap_or_default();
            let name = os.text_of("Name")?.unwrap_or_default();
            target.distribution = Some(format!("{family} {name}").trim().to_owned());
        }
    }
    root.each("Results", |result| {
        result.object()?;
        let class = result.text_of("Class")?.unwrap_or_default();
        if PACKAGE_CLASSES.contains(&class.as_str()) && result.has("Packages") {
            let packages = target.packages.get_or_insert_default();
            result.each("Packages", |package| {
                packages.push(recognised(package)?);
                Ok(())
            })?;
        }
        let findings = target.findings.get_or_insert_default();
        result.each("Vulnerabilities", |entry| {
            findings.push(finding(entry, false)?);
            Ok(())
        })?;
        result.each("ExperimentalModifiedFindings", |entry| {
            let is_vulnerability =
                entry.text_of("Type")?.is_none_or(|kind| kind == "vulnerability");
            match entry.field("Finding") {
                Some(found) if is_vulnerability => findings.push(finding(&found, true)?),
                _ => {}
            }
            Ok(())
        })
    })?;
    let version = root.field("Trivy").map(|trivy| trivy.text_of("Version")).transpose()?.flatten();
    Ok(ScannerReport {
        format: Format::Trivy,
        tool: Some(format!("Trivy {}", version.unwrap_or_default()).trim().to_owned()),
        created_at: root.text_of("CreatedAt")?,
        targets: vec![target],
    })
}

/// A package: what stands apart in RPM and Debian (version, release, epoch) belongs together.
fn recognised(package: &Place<'_, '_>) -> Result<Package, ReportError> {
    let name = package.need_text("Name")?;
    let mut version = package.text_of("Version")?.unwrap_or_default();
    if let Some(release) = package.text_of("Release")? {
        version = format!("{version}-{release}");
    }
    Ok(Package { name, version })
}

fn finding(entry: &Place<'_, '_>, suppressed: bool) -> Result<Finding, ReportError> {
    let mut finding = Finding { suppressed, ..Finding::default() };
    finding.add_id(&entry.need_text("VulnerabilityID")?);
    for list in ["VendorIDs", "Aliases"] {
        for id in entry.texts(list)? {
            finding.add_id(&id);
        }
    }
    finding.package = entry.text_of("PkgName")?;
    finding.version = entry.text_of("InstalledVersion")?;
    if finding.package.is_none() {
        let identifier = entry.field("PkgIdentifier");
        let named = identifier.map(|identifier| identifier.text_of("PURL")).transpose()?.flatten();
        if let Some(package) = named.as_deref().and_then(purl) {
            finding.version = finding.version.or(Some(package.version));
            finding.package = Some(package.name);
        }
    }
    finding.severity = entry.text_of("Severity")?.map(|text| text.to_lowercase());
    Ok(finding)
}
