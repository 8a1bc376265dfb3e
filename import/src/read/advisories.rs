//! OSV records: when each was published, how severe it is, which packages it hits. OSV has no date
//! of a fix: one that exists was there before the record was changed last.
use super::{FileReport, Input, sboms::purl_name};
use crate::error::Refusal;
use crate::evidence::{Cve, Evidence, Fix, severity, severity_of_vector};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    id: String,
    published: Option<String>,
    modified: Option<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    affected: Vec<Affected>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Score {
    #[serde(default)]
    score: String,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
    database_specific: Option<Value>,
    ecosystem_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    name: String,
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    fixed: Option<String>,
}

#[derive(Deserialize)]
struct List {
    vulns: Vec<Record>,
}

pub(super) fn osv(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    let text = input.text.trim_start();
    let records: Vec<Record> = if text.starts_with('[') {
        input.json()?
    } else if input.json::<Keys>()?.vulns.is_some() {
        input.json::<List>()?.vulns
    } else {
        vec![input.json()?]
    };
    for (place, record) in records.iter().enumerate() {
        one(evidence, input, report, place, record)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Keys {
    vulns: Option<serde::de::IgnoredAny>,
}

fn one(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
    place: usize,
    record: &Record,
) -> Result<(), Refusal> {
    const LIST: &str = "records";
    let is_cve = |id: &&String| id.starts_with("CVE-");
    let id = record.aliases.iter().find(is_cve).unwrap_or(&record.id);
    let id = if record.id.starts_with("CVE-") { &record.id } else { id };
    let id = input.name(id, LIST, place)?;
    let moment = |text: &Option<String>, field| input.moment(text.as_deref(), LIST, place, field);
    let (published, modified) =
        (moment(&record.published, "published")?, moment(&record.modified, "modified")?);
    if record.withdrawn.is_some() {
        evidence.cve(id).withdrawn = true;
        report.leave_out("withdrawn");
        return Ok(());
    }
    let Some(published) = published else {
        report.leave_out("without a date of publication");
        return Ok(());
    };
    evidence.note(published);
    let mut hits = Vec::with_capacity(record.affected.len());
    for affected in &record.affected {
        let Some(package) = &affected.package else { continue };
        let name = package.purl.as_deref().and_then(purl_name);
        let name = name.unwrap_or_else(|| package.name.clone());
        let name = input.name(&name, "affected", place)?;
        let said = [&affected.database_specific, &affected.ecosystem_specific];
        let said =
            said.into_iter().flatten().find_map(|it| text_at(it, &["fixed_at", "fixed_date"]));
        let fixed = input.moment(said, LIST, place, "fixed_at")?;
        let has_fix = affected.ranges.iter().flat_map(|it| &it.events).any(|it| it.fixed.is_some());
        let fix = match (fixed, modified) {
            (Some(fixed), _) => {
                evidence.note(fixed);
                Fix::At(fixed)
            }
            (None, Some(modified)) if has_fix => Fix::Before(modified),
            _ if affected.ranges.is_empty() => Fix::Unknown,
            _ => Fix::NotYet,
        };
        hits.push((evidence.intern(name), fix));
    }
    let said = record.database_specific.as_ref();
    let told = said.and_then(|it| text_at(it, &["severity"])).and_then(severity);
    let score = record.severity.iter().find_map(|it| severity_of_vector(&it.score));
    let cve = evidence.cve(id);
    Cve::earliest(&mut cve.published, Some(published));
    cve.severity = cve.severity.or(score).or(told);
    for (package, fix) in hits {
        cve.hit(package, fix);
    }
    report.used += 1;
    Ok(())
}

fn text_at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| value.get(key)?.as_str())
}
