//! CycloneDX JSON with vulnerabilities (a VDR, specification 1.4 and newer), as Trivy, Grype and
//! others write it; without `vulnerabilities` it is an inventory.
use super::error::ReportError;
use super::place::Place;
use super::report::{Finding, Format, Package, ScannerReport, Target, purl, rating};
use std::collections::BTreeMap;

/// Components that are no packages.
const NOT_PACKAGES: [&str; 5] = ["operating-system", "container", "file", "platform", "device"];
/// What an analysis says of a vulnerability that does not matter any more.
const DISMISSED: [&str; 4] =
    ["not_affected", "false_positive", "resolved", "resolved_with_pedigree"];
/// How deeply components are nested, at the most.
const MAX_NESTING: usize = 32;

pub(super) fn read(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    let mut target = Target::default();
    let (mut tool, mut created_at) = (None, None);
    let mut known = BTreeMap::new();
    if let Some(metadata) = root.field("metadata") {
        created_at = metadata.text_of("timestamp")?;
        tool = tool_of(&metadata)?;
        if let Some(subject) = metadata.field("component") {
            subject_of(&subject, &mut target)?;
            if let Some(reference) = subject.text_of("bom-ref")? {
                known.insert(reference, None);
            }
        }
    }
    let mut packages = Vec::new();
    components(root, 0, &mut |component| {
        let package = component_of(component, &mut target)?;
        if let Some(reference) = component.text_of("bom-ref")? {
            known.insert(reference, package.clone());
        }
        packages.extend(package);
        Ok(())
    })?;
    target.packages = root.has("components").then_some(packages);
    if root.has("vulnerabilities") {
        let mut findings = Vec::new();
        root.each("vulnerabilities", |entry| vulnerability(entry, &known, &mut findings))?;
        target.findings = Some(findings);
    } else if target.packages.is_none() {
        let found = "the report is CycloneDX with neither `vulnerabilities` nor `components`";
        let hint = "let the scanner write its findings into it (Trivy: `--format cyclonedx \
                    --scanners vuln`)";
        return Err(ReportError::OtherFormat { found: found.to_owned(), hint });
    }
    Ok(ScannerReport { format: Format::CycloneDx, tool, created_at, targets: vec![target] })
}

/// Visits all components, those within others too.
fn components(
    within: &Place<'_, '_>,
    depth: usize,
    visit: &mut dyn FnMut(&Place<'_, '_>) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    within.each("components", |component| {
        component.object()?;
        if depth >= MAX_NESTING {
            return Err(component.misformed("components nested 32 deep at the most"));
        }
        visit(component)?;
        components(component, depth + 1, visit)
    })
}

/// The first tool that is named, in either form (1.4: a list; 1.5: components).
fn tool_of(metadata: &Place<'_, '_>) -> Result<Option<String>, ReportError> {
    let mut first = None;
    let mut name = |tool: &Place<'_, '_>| {
        if first.is_none()
            && let Some(name) = tool.text_of("name")?
        {
            let version = tool.text_of("version")?.unwrap_or_default();
            first = Some(format!("{name} {version}").trim().to_owned());
        }
        Ok::<(), ReportError>(())
    };
    match metadata.field("tools") {
        Some(tools) if tools.object().is_ok() => tools.each("components", name)?,
        Some(_) => metadata.each("tools", &mut name)?,
        None => {}
    }
    Ok(first)
}

/// What the document is about: names, digests, what Trivy adds as properties.
fn subject_of(subject: &Place<'_, '_>, target: &mut Target) -> Result<(), ReportError> {
    if let Some(text) = subject.text_of("purl")?
        && let Some(image) = purl(&text)
    {
        target.add_name(&image.version);
    }
    subject.each("hashes", |hash| {
        if hash.text_of("alg")?.as_deref() == Some("SHA-256")
            && let Some(content) = hash.text_of("content")?
        {
            target.add_name(&format!("sha256:{content}"));
        }
        Ok(())
    })?;
    let name = subject.text_of("name")?;
    let version = subject.text_of("version")?.unwrap_or_default();
    if let Some(name) = name {
        // A version beside a name is a tag, or a digest.
        let tagged = name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
        if version.starts_with("sha256:") {
            target.add_name(&version);
        } else if !tagged && !version.is_empty() {
            target.add_name(&format!("{name}:{version}"));
        }
        target.add_name(&name);
    }
    subject.each("properties", |property| {
        let name = property.text_of("name")?.unwrap_or_default();
        let wanted = ["ImageID", "RepoDigest", "RepoTag", "Reference"];
        let is_ours = name.strip_prefix("aquasecurity:trivy:");
        match property.text_of("value")? {
            Some(value) if is_ours.is_some_and(|n| wanted.contains(&n)) => target.add_name(&value),
            _ => {}
        }
        Ok(())
    })
}

/// The package that a component is; none: it is something else.
fn component_of(
    component: &Place<'_, '_>,
    target: &mut Target,
) -> Result<Option<Package>, ReportError> {
    let kind = component.text_of("type")?.unwrap_or_default();
    let name = component.need_text("name")?;
    let version = component.text_of("version")?.unwrap_or_default();
    if kind == "operating-system" && target.distribution.is_none() {
        target.distribution = Some(format!("{name} {version}").trim().to_owned());
    }
    Ok((!NOT_PACKAGES.contains(&kind.as_str())).then_some(Package { name, version }))
}

fn vulnerability(
    entry: &Place<'_, '_>,
    known: &BTreeMap<String, Option<Package>>,
    findings: &mut Vec<Finding>,
) -> Result<(), ReportError> {
    let mut finding = Finding::default();
    finding.add_id(&entry.need_text("id")?);
    entry.each("references", |reference| {
        if let Some(id) = reference.text_of("id")? {
            finding.add_id(&id);
        }
        Ok(())
    })?;
    finding.severity = severity(entry)?;
    let analysis = entry.field("analysis");
    let state = analysis.map(|analysis| analysis.text_of("state")).transpose()?.flatten();
    finding.suppressed = state.is_some_and(|state| DISMISSED.contains(&state.as_str()));
    let before = findings.len();
    entry.each("affects", |affected| {
        let reference = affected.need_text("ref")?;
        let package = package_of(&reference, known);
        findings.push(Finding {
            version: package.as_ref().map(|of| of.version.clone()).filter(|v| !v.is_empty()),
            package: package.map(|of| of.name),
            ..finding.clone()
        });
        Ok(())
    })?;
    if findings.len() == before {
        findings.push(finding);
    }
    Ok(())
}

/// What a reference names: a component of the document, one of another (a BOM-Link), or a purl.
fn package_of(reference: &str, known: &BTreeMap<String, Option<Package>>) -> Option<Package> {
    if let Some(package) = known.get(reference) {
        return package.clone();
    }
    let within = reference.strip_prefix("urn:cdx:").and_then(|link| link.split_once('#'));
    let local = within.map_or(reference, |(_, local)| local);
    match known.get(local) {
        Some(package) => package.clone(),
        None => purl(local),
    }
}

/// The worst severity that is said, or that follows from a score.
fn severity(entry: &Place<'_, '_>) -> Result<Option<String>, ReportError> {
    const ORDER: [&str; 6] = ["critical", "high", "medium", "low", "info", "none"];
    let mut worst: Option<usize> = None;
    entry.each("ratings", |given| {
        let said = given.text_of("severity")?.map(|text| text.to_lowercase());
        let score = given.field("score").and_then(|score| score.number());
        let said = said.or(score.map(|score| rating(score).to_owned()));
        let place = said.and_then(|said| ORDER.iter().position(|known| *known == said));
        worst = match (worst, place) {
            (Some(worst), Some(place)) => Some(worst.min(place)),
            (worst, place) => worst.or(place),
        };
        Ok(())
    })?;
    Ok(worst.and_then(|place| ORDER.get(place)).map(|text| (*text).to_owned()))
}
