//! OSV-Scanner's JSON (`pkg/models/results.go` of google/osv-scanner).
use super::error::ReportError;
use super::place::Place;
use super::report::{Finding, Format, Package, ScannerReport, Target, rating};
use std::collections::BTreeMap;

pub(super) fn read(root: &Place<'_, '_>) -> Result<ScannerReport, ReportError> {
    // Of an image it tells the files within as sources: one target, which it does not name.
    let of_image = root.has("image_metadata");
    let mut targets: BTreeMap<String, Reading> = BTreeMap::new();
    root.each("results", |result| {
        result.object()?;
        let source = result.field("source");
        let path = source.map(|source| source.text_of("path")).transpose()?.flatten();
        let key = if of_image { String::new() } else { path.unwrap_or_default() };
        let reading = targets.entry(key).or_default();
        result.each("packages", |entry| reading.package(entry))
    })?;
    if targets.is_empty() {
        targets.insert(String::new(), Reading::default());
    }
    let distribution = root.field("image_metadata").map(|image| image.text_of("os")).transpose()?;
    let target = |(name, reading): (String, Reading)| {
        let mut target =
            Target { distribution: distribution.clone().flatten(), ..Target::default() };
        target.add_name(&name);
        // It lists packages without vulnerabilities only when it is asked for all (--all-packages).
        target.packages = reading.listed_all.then_some(reading.packages);
        target.findings = Some(reading.findings);
        target
    };
    Ok(ScannerReport {
        format: Format::OsvScanner,
        tool: Some("OSV-Scanner".to_owned()),
        created_at: None,
        targets: targets.into_iter().map(target).collect(),
    })
}

#[derive(Default)]
struct Reading {
    packages: Vec<Package>,
    findings: Vec<Finding>,
    listed_all: bool,
}

impl Reading {
    fn package(&mut self, entry: &Place<'_, '_>) -> Result<(), ReportError> {
        entry.object()?;
        let missing = || entry.misformed("an entry with `package`");
        let package = entry.field("package").ok_or_else(missing)?;
        let name = package.need_text("name")?;
        let version = package.text_of("version")?.unwrap_or_default();
        let mut found: Vec<Finding> = Vec::new();
        let mut grouped: BTreeMap<String, usize> = BTreeMap::new();
        // A group is one vulnerability under several ids.
        entry.each("groups", |group| {
            let mut finding = Finding::default();
            for list in ["ids", "aliases"] {
                for id in group.texts(list)? {
                    finding.add_id(&id);
                    grouped.entry(id).or_insert(found.len());
                }
            }
            let score = group.field("max_severity").and_then(|score| score.number());
            finding.severity = score.map(|score| rating(score).to_owned());
            found.push(finding);
            Ok(())
        })?;
        entry.each("vulnerabilities", |vulnerability| {
            let id = vulnerability.need_text("id")?;
            let place = grouped.get(&id).copied().unwrap_or_else(|| {
                found.push(Finding::default());
                found.len() - 1
            });
            let Some(finding) = found.get_mut(place) else { return Ok(()) };
            finding.add_id(&id);
            for list in ["aliases", "upstream"] {
                for id in vulnerability.texts(list)? {
                    finding.add_id(&id);
                }
            }
            Ok(())
        })?;
        self.listed_all |= found.is_empty();
        for mut finding in found.into_iter().filter(|finding| !finding.ids.is_empty()) {
            finding.package = Some(name.clone());
            finding.version = Some(version.clone()).filter(|version| !version.is_empty());
            self.findings.push(finding);
        }
        self.packages.push(Package { name, version });
        Ok(())
    }
}
