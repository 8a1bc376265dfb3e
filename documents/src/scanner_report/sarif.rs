//! SARIF 2.1.0 (OASIS standard, 2020). It has no field for a package, so what is known of it is
//! looked for in this order: properties of the result (`purl`; or `package` and `version`),
//! properties of its rule (`purls`, as Grype and Docker Scout write them), and the message as
//! Trivy, Grype and OSV-Scanner write it.
use super::error::ReportError;
use super::place::Place;
use super::report::{Finding, Format, Package, ScannerReport, Target, cve_within, purl, rating};
use std::collections::BTreeMap;

pub(super) fn read(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    let (mut tool, mut created_at) = (None, None);
    let mut targets = Vec::new();
    root.each("runs", |run| {
        run.object()?;
        let mut rules = Rules::default();
        if let Some(driver) = run.field("tool").as_ref().and_then(|tool| tool.field("driver")) {
            let version = driver.text_of("semanticVersion")?.or(driver.text_of("version")?);
            let name = driver.need_text("name")?;
            let named = format!("{name} {}", version.unwrap_or_default());
            tool.get_or_insert(named.trim().to_owned());
            driver.each("rules", |rule| rules.add(rule))?;
        }
        run.each("invocations", |invocation| {
            let end = invocation.text_of("endTimeUtc")?.or(invocation.text_of("startTimeUtc")?);
            created_at = created_at.take().or(end);
            Ok(())
        })?;
        let mut target = Target::default();
        if let Some(properties) = run.field("properties") {
            named_by(&properties, &mut target)?;
        }
        let mut findings = Vec::new();
        run.each("results", |result| {
            logical_locations(result, &mut target)?;
            findings.extend(finding(result, &rules)?);
            Ok(())
        })?;
        if target.digests.is_empty() && target.names.is_empty() {
            physical_location(run, &mut target)?;
        }
        target.findings = Some(findings);
        targets.push(target);
        Ok(())
    })?;
    Ok(ScannerReport { format: Format::Sarif, tool, created_at, targets })
}

/// The image, as Trivy writes it.
fn named_by(properties: &Place<'_, '_>, target: &mut Target) -> Result<(), ReportError> {
    for field in ["imageName", "imageID", "imageDigest"] {
        if let Some(name) = properties.text_of(field)? {
            target.add_name(&name);
        }
    }
    for list in ["repoDigests", "repoTags"] {
        for name in properties.texts(list)? {
            target.add_name(&name);
        }
    }
    Ok(())
}

/// The image, as Grype writes it: `name:tag@sha256:...:/path/within`.
fn logical_locations(result: &Place<'_, '_>, target: &mut Target) -> Result<(), ReportError> {
    result.each("locations", |location| {
        location.each("logicalLocations", |logical| {
            let Some(name) = logical.text_of("fullyQualifiedName")? else { return Ok(()) };
            if let Some((image, _)) = name.split_once(":/") {
                target.add_name(image);
            }
            Ok(())
        })
    })
}

/// What the first result was found in, where nothing else is said: the path of an SBOM, or an image.
fn physical_location(run: &Place<'_, '_>, target: &mut Target) -> Result<(), ReportError> {
    run.each("results", |result| {
        result.each("locations", |location| {
            let physical = location.field("physicalLocation");
            let artifact = physical.as_ref().and_then(|of| of.field("artifactLocation"));
            let uri = artifact.map(|artifact| artifact.text_of("uri")).transpose()?.flatten();
            if let Some(uri) = uri.filter(|_| target.names.is_empty()) {
                target.add_name(uri.strip_prefix("file://").unwrap_or(&uri));
            }
            Ok(())
        })
    })
}

#[derive(Default)]
struct Rules {
    by_id: BTreeMap<String, usize>,
    all: Vec<Rule>,
}

#[derive(Default)]
struct Rule {
    id: String,
    aliases: Vec<String>,
    packages: Vec<Package>,
    severity: Option<String>,
    /// Whether its tags say that it is about something else than vulnerabilities.
    is_other: bool,
}

impl Rules {
    fn add(&mut self, rule: &Place<'_, '_>) -> Result<(), ReportError> {
        let id = rule.need_text("id")?;
        let mut read = Rule { aliases: rule.texts("deprecatedIds")?, ..Rule::default() };
        if let Some(properties) = rule.field("properties") {
            let score = properties.field("security-severity").and_then(|score| score.number());
            read.severity = score.map(|score| rating(score).to_owned());
            read.packages = properties.texts("purls")?.iter().filter_map(|of| purl(of)).collect();
            read.aliases.extend(properties.texts("aliases")?);
            let tags = properties.texts("tags")?;
            let is_of = |tag: &String| tag.to_lowercase().contains("vulnerab");
            read.is_other = !tags.is_empty() && !tags.iter().any(is_of) && score.is_none();
        }
        self.by_id.insert(id.clone(), self.all.len());
        self.all.push(Rule { id, ..read });
        Ok(())
    }

    /// The rule of a result, by its id or its place in the list.
    fn of(&self, result: &Place<'_, '_>) -> Result<Option<&Rule>, ReportError> {
        let rule = result.field("rule");
        let mut id = result.text_of("ruleId")?;
        let mut index = result.field("ruleIndex").and_then(|index| index.number());
        if let Some(rule) = &rule {
            id = id.or(rule.text_of("id")?);
            index = index.or(rule.field("index").and_then(|index| index.number()));
        }
        let by_id = id.and_then(|id| self.by_id.get(&id).copied());
        let by_index = || {
            let index = index.filter(|index| (0.0..1e9).contains(index))?;
            index.to_string().parse::<usize>().ok()
        };
        Ok(by_id.or_else(by_index).and_then(|place| self.all.get(place)))
    }
}

/// What a result reports; none: it is no vulnerability.
fn finding(result: &Place<'_, '_>, rules: &Rules) -> Result<Option<Finding>, ReportError> {
    result.object()?;
    let rule = rules.of(result)?;
    let id = match result.text_of("ruleId")? {
        Some(id) => id,
        None => rule.map(|rule| rule.id.clone()).ok_or_else(|| {
            result.misformed("a result with `ruleId`, or with the place of a rule that has an id")
        })?,
    };
    let message = result.field("message").map(|message| message.text_of("text")).transpose()?;
    let message = message.flatten().unwrap_or_default();
    let cve = cve_within(&id);
    if rule.is_some_and(|rule| rule.is_other) && cve.is_none() {
        return Ok(None);
    }
    let mut finding = Finding::default();
    finding.add_id(cve.unwrap_or(&id));
    finding.add_id(&id);
    for alias in rule.map_or(&[][..], |rule| &rule.aliases) {
        finding.add_id(alias);
    }
    finding.severity = rule.and_then(|rule| rule.severity.clone());
    finding.suppressed = is_suppressed(result)?;
    let package = match in_properties(result)? {
        Some(package) => Some(package),
        None => in_message(&message).or_else(|| only(rule.map_or(&[][..], |rule| &rule.packages))),
    };
    finding.version =
        package.as_ref().map(|package| package.version.clone()).filter(|text| !text.is_empty());
    finding.package = package.map(|package| package.name);
    Ok(Some(finding))
}

/// Suppressions hold unless they were rejected or wait for a review (3.35.3).
fn is_suppressed(result: &Place<'_, '_>) -> Result<bool, ReportError> {
    let mut holds = false;
    result.each("suppressions", |suppression| {
        holds |= suppression.text_of("status")?.is_none_or(|status| status == "accepted");
        Ok(())
    })?;
    Ok(holds)
}

fn only(packages: &[Package]) -> Option<Package> {
    packages.first().filter(|_| packages.len() == 1).cloned()
}

fn in_properties(result: &Place<'_, '_>) -> Result<Option<Package>, ReportError> {
    let Some(properties) = result.field("properties") else { return Ok(None) };
    if let Some(package) = properties.text_of("purl")?.as_deref().and_then(purl) {
        return Ok(Some(package));
    }
    let first = |names: [&str; 3]| {
        let mut found = None;
        for name in names {
            found = found.or(properties.text_of(name)?);
        }
        Ok::<_, ReportError>(found)
    };
    let Some(name) = first(["package", "packageName", "pkgName"])? else { return Ok(None) };
    let version = first(["version", "packageVersion", "installedVersion"])?.unwrap_or_default();
    Ok(Some(Package { name, version }))
}

/// The package in a message of Trivy (lines `Package:` and `Installed Version:`), of Grype
/// (`... package: NAME, version VERSION was found in ...`) or of OSV-Scanner
/// (`Package 'NAME@VERSION' is vulnerable ...`).
fn in_message(message: &str) -> Option<Package> {
    let package = |name: &str, version: &str| {
        let (name, version) = (name.trim().to_owned(), version.trim().to_owned());
        (!name.is_empty()).then_some(Package { name, version })
    };
    if let Some(rest) = message.strip_prefix("Package: ") {
        let (name, rest) = rest.split_once('\n').unwrap_or((rest, ""));
        let version = rest.strip_prefix("Installed Version: ").unwrap_or_default();
        return package(name, version.lines().next().unwrap_or_default());
    }
    if let Some(rest) = message.strip_prefix("Package '") {
        let (purl, _) = rest.split_once('\'')?;
        let (name, version) = purl.rsplit_once('@').unwrap_or((purl, ""));
        return package(name, version);
    }
    let (_, rest) = message.split_once(" package: ")?;
    let (name, rest) = rest.split_once(", version ")?;
    let (version, _) = rest.split_once(" was found")?;
    package(name, version)
}
