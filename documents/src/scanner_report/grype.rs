//! Grype's JSON, and Syft's, which has the same source (`grype/presenter/models` and
//! `syft/format/syftjson/model` of anchore).
use super::error::ReportError;
use super::place::Place;
use super::report::{Finding, Format, Package, ScannerReport, Target};

/// Grype's: what matched. It lists no other packages.
pub(super) fn read(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    let mut target = Target::default();
    if let Some(source) = root.field("source") {
        let within = source.field("target");
        match &within {
            Some(text) if text.object().is_err() => target.add_name(&text.text()?),
            Some(image) => source_of(image, &mut target)?,
            None => {}
        }
    }
    let mut findings = Vec::new();
    for (list, suppressed) in [("matches", false), ("ignoredMatches", true)] {
        root.each(list, |entry| {
            findings.push(matched(entry, suppressed)?);
            Ok(())
        })?;
    }
    target.findings = Some(findings);
    report(root, Format::Grype, "Grype", target)
}

/// Syft's: the packages, and nothing of vulnerabilities.
pub(super) fn read_inventory(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    let mut target = Target::default();
    if let Some(source) = root.field("source") {
        for field in ["name", "version"] {
            if let Some(name) = source.text_of(field)? {
                target.add_name(&name);
            }
        }
        if let Some(metadata) = source.field("metadata") {
            source_of(&metadata, &mut target)?;
        }
    }
    let mut packages = Vec::new();
    root.each("artifacts", |artifact| {
        packages.push(package(artifact)?);
        Ok(())
    })?;
    target.packages = Some(packages);
    report(root, Format::Syft, "Syft", target)
}

fn report(
    root: &Place<'_, '_>,
    format: Format,
    name: &str,
    mut target: Target,
) -> Result<ScannerReport, ReportError> {
    if let Some(distro) = root.field("distro") {
        let name = distro.text_of("name")?.or(distro.text_of("id")?).unwrap_or_default();
        let version = distro.text_of("version")?.or(distro.text_of("versionID")?);
        let told = format!("{name} {}", version.unwrap_or_default());
        target.distribution = Some(told.trim().to_owned());
    }
    let (mut tool, mut created_at) = (name.to_owned(), None);
    if let Some(descriptor) = root.field("descriptor") {
        tool = format!("{name} {}", descriptor.text_of("version")?.unwrap_or_default());
        created_at = descriptor.text_of("timestamp")?;
    }
    let tool = Some(tool.trim().to_owned());
    Ok(ScannerReport { format, tool, created_at, targets: vec![target] })
}

/// The image that was scanned.
fn source_of(image: &Place<'_, '_>, target: &mut Target) -> Result<(), ReportError> {
    for field in ["manifestDigest", "imageID", "userInput", "path"] {
        if let Some(name) = image.text_of(field)? {
            target.add_name(&name);
        }
    }
    for list in ["repoDigests", "tags"] {
        for name in image.texts(list)? {
            target.add_name(&name);
        }
    }
    Ok(())
}

fn package(artifact: &Place<'_, '_>) -> Result<Package, ReportError> {
    let version = artifact.text_of("version")?.unwrap_or_default();
    Ok(Package { name: artifact.need_text("name")?, version })
}

fn matched(entry: &Place<'_, '_>, suppressed: bool) -> Result<Finding, ReportError> {
    entry.object()?;
    let missing = || entry.misformed("a match with `vulnerability` and `artifact`");
    let vulnerability = entry.field("vulnerability").ok_or_else(missing)?;
    let artifact = entry.field("artifact").ok_or_else(missing)?;
    let package = package(&artifact)?;
    let mut finding = Finding {
        package: Some(package.name),
        version: Some(package.version).filter(|version| !version.is_empty()),
        severity: vulnerability.text_of("severity")?.map(|text| text.to_lowercase()),
        suppressed,
        ids: Vec::new(),
    };
    finding.add_id(&vulnerability.need_text("id")?);
    entry.each("relatedVulnerabilities", |related| {
        finding.add_id(&related.need_text("id")?);
        Ok(())
    })?;
    Ok(finding)
}
