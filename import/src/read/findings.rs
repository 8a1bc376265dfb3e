//! Findings of Dependency-Track and DefectDojo: what was found where, when, and when it was gone.
use super::{FileReport, Input};
use crate::error::Refusal;
use crate::evidence::{Cve, Evidence, Finding, Fix, canonical, severity};
use crate::moment::Moment;
use serde::Deserialize;
use serde_json::Value;
use sim::severity::Severity;

/// A finding, whoever wrote it.
pub(super) struct Found<'a> {
    pub(super) id: &'a str,
    pub(super) on: &'a str,
    pub(super) package: Option<&'a str>,
    pub(super) severity: Option<Severity>,
    pub(super) published: Option<Moment>,
    pub(super) found: Option<Moment>,
    pub(super) closed: Option<Moment>,
}

/// Takes a finding; what has no date of its own still says that the advisory hits the platform.
pub(super) fn add(evidence: &mut Evidence, report: &mut FileReport, found: Found<'_>) {
    for moment in [found.published, found.found, found.closed].into_iter().flatten() {
        evidence.note(moment);
    }
    let package = found.package.filter(|name| !name.is_empty()).map(|name| evidence.intern(name));
    let on = evidence.intern(found.on);
    let cve = evidence.cve(found.id);
    Cve::earliest(&mut cve.published, found.published);
    cve.severity = cve.severity.or(found.severity);
    if let Some(package) = package {
        cve.hit(package, Fix::Unknown);
    }
    let Some(at) = found.found else {
        report.leave_out("without a date of detection");
        return;
    };
    let cve = canonical(found.id).into();
    evidence.findings.push(Finding { cve, on, found: at, not_yet: None, closed: found.closed });
    report.used += 1;
}

#[derive(Deserialize)]
struct Packaged {
    project: Option<Project>,
    findings: Vec<TrackFinding>,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct TrackFinding {
    component: TrackComponent,
    vulnerability: TrackVulnerability,
    analysis: Option<Analysis>,
    attribution: Option<Attribution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrackComponent {
    #[serde(default)]
    name: String,
    group: Option<String>,
    project: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrackVulnerability {
    #[serde(default)]
    vuln_id: String,
    severity: Option<String>,
    published: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribution {
    attributed_on: Option<Value>,
}

pub(super) fn dependency_track(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    const LIST: &str = "findings";
    let packaged = if input.text.trim_start().starts_with('[') {
        Packaged { project: None, findings: input.json()? }
    } else {
        input.json::<Packaged>()?
    };
    let project = packaged.project.map_or(String::new(), |project| project.name);
    for (place, finding) in packaged.findings.iter().enumerate() {
        let id = input.name(&finding.vulnerability.vuln_id, LIST, place)?;
        let state = finding.analysis.as_ref().and_then(|it| it.state.as_deref());
        if matches!(state, Some("FALSE_POSITIVE" | "NOT_AFFECTED")) {
            report.leave_out("judged as not affected");
            continue;
        }
        let component = &finding.component;
        let name = match component.group.as_deref().filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}/{}", component.name),
            None => component.name.clone(),
        };
        let on = component.project.as_deref().unwrap_or(&project);
        let found = finding.attribution.as_ref().and_then(|it| it.attributed_on.as_ref());
        let found = Found {
            id,
            on,
            package: Some(&name),
            severity: finding.vulnerability.severity.as_deref().and_then(severity),
            published: date(input, finding.vulnerability.published.as_ref(), place, "published")?,
            found: date(input, found, place, "attributedOn")?,
            // Dependency-Track drops what is gone.
            closed: None,
        };
        add(evidence, report, found);
    }
    Ok(())
}

/// Dependency-Track writes milliseconds since 1970, or a text.
fn date(
    input: &Input<'_>,
    value: Option<&Value>,
    place: usize,
    field: &str,
) -> Result<Option<Moment>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => input.moment(Some(text), "findings", place, field),
        Some(value) => {
            let moment = value.as_i64().and_then(Moment::of_epoch_ms);
            let wrong = || {
                let reason = format!("{field}: expected milliseconds since 1970, not {value}");
                Refusal::entry(
                    input.file,
                    "findings",
                    place,
                    reason.chars().take(200).collect::<String>(),
                )
            };
            moment.map(Some).ok_or_else(wrong)
        }
    }
}

#[derive(Deserialize)]
struct DojoList {
    #[serde(alias = "results")]
    findings: Vec<DojoFinding>,
}

#[derive(Deserialize)]
struct DojoFinding {
    #[serde(default)]
    title: String,
    severity: Option<String>,
    date: Option<String>,
    mitigated: Option<String>,
    mitigated_date: Option<String>,
    is_mitigated: Option<bool>,
    false_p: Option<bool>,
    duplicate: Option<bool>,
    cve: Option<String>,
    #[serde(default)]
    vulnerability_ids: Vec<DojoId>,
    component_name: Option<String>,
    service: Option<String>,
    test: Option<Value>,
    publish_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DojoId {
    Object { vulnerability_id: String },
    Text(String),
}

impl DojoFinding {
    /// The id: the first one of a CVE, or the first, or one in the title.
    fn id(&self) -> Option<&str> {
        let ids = self.vulnerability_ids.iter().map(|id| match id {
            DojoId::Object { vulnerability_id } => vulnerability_id.as_str(),
            DojoId::Text(text) => text.as_str(),
        });
        let own = self.cve.as_deref().filter(|id| !id.trim().is_empty());
        let all: Vec<&str> = own.into_iter().chain(ids).collect();
        let first = all.iter().find(|id| id.starts_with("CVE-")).or(all.first()).copied();
        first.or_else(|| {
            let words = self.title.split([' ', ':', ',', '(', ')']);
            words.into_iter().find(|word| word.starts_with("CVE-") && word.len() > 8)
        })
    }
}

pub(super) fn defect_dojo(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    const LIST: &str = "findings";
    let findings = if input.text.trim_start().starts_with('[') {
        input.json()?
    } else {
        input.json::<DojoList>()?.findings
    };
    for (place, finding) in findings.iter().enumerate() {
        if finding.false_p == Some(true) || finding.duplicate == Some(true) {
            report.leave_out("false positives and duplicates");
            continue;
        }
        let Some(id) = finding.id() else {
            report.leave_out("without the id of a vulnerability");
            continue;
        };
        let closed = finding.mitigated.as_deref().or(finding.mitigated_date.as_deref());
        let closed = closed.filter(|_| finding.is_mitigated != Some(false));
        let test = finding.test.as_ref().map(Value::to_string).unwrap_or_default();
        let moment = |text, field| input.moment(text, LIST, place, field);
        let found = Found {
            id: input.name(id, LIST, place)?,
            on: finding.service.as_deref().unwrap_or(&test),
            package: finding.component_name.as_deref(),
            severity: finding.severity.as_deref().and_then(severity),
            published: moment(finding.publish_date.as_deref(), "publish_date")?,
            found: moment(finding.date.as_deref(), "date")?,
            closed: moment(closed, "mitigated")?,
        };
        add(evidence, report, found);
    }
    Ok(())
}
