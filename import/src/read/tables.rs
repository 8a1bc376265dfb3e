//! Tables (CSV): of CVEs, of findings, of builds, of adoptions. Which one it is and what its
//! columns mean is told by their names, whatever their order; case, spaces and underscores do not
//! matter.
use super::findings::{Found, add};
use super::{FileReport, Format, Input};
use crate::error::{Place, Refusal};
use crate::evidence::{
    Adoption, Build, BuildEnd, Cve, Evidence, Fix, severity, severity_of_vector,
};
use crate::moment::{EXPECTED, Moment};
use csv::{ReaderBuilder, StringRecord};

/// Names that a column can have.
type Names = &'static [&'static str];

const ID: Names = &["id", "cve", "cveid", "vulnerability", "vulnerabilityid", "vulnerabilityids"];
const PUBLISHED: Names =
    &["published", "publisheddate", "publishdate", "publicationdate", "disclosed"];
const FIX_AVAILABLE: Names = &["fixavailable", "upstreamfix", "upstreamfixed", "patchavailable"];
const FIXED: Names = &["fixed", "fixedat", "fixeddate", "packagefixed", "resolved"];
const DETECTABLE: Names = &["detectable", "detected", "firstdetected"];
const SEVERITY: Names = &["severity"];
const VECTOR: Names = &["cvss", "cvssvector", "cvssv3", "vector"];
const PACKAGE: Names = &["package", "component", "componentname", "pkgname"];
const EXPLOITED: Names = &["knownexploited", "exploited", "kev"];
const FOUND: Names = &["found", "date", "firstseen", "foundat"];
const CLOSED: Names = &["mitigated", "closed", "mitigateddate", "closedat"];
const FALSE: Names = &["falsep", "falsepositive"];
const DUPLICATE: Names = &["duplicate"];
const ON: Names = &["image", "service", "artifact", "product", "repository", "project", "job"];
const START: Names = &["start", "started", "startedat", "starttime"];
const END: Names = &["end", "ended", "finished", "finishedat", "endtime", "completedat"];
const RESULT: Names = &["result", "outcome", "status", "conclusion"];
const BUILDER: Names = &["builder", "runner", "node", "agent"];
const CUSTOMER: Names = &["customer", "tenant", "team", "cluster", "environment"];
const AVAILABLE: Names = &["available", "released", "availableat"];
const ADOPTED: Names = &["adopted", "deployed", "adoptedat", "deployedat"];

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |c| head.matches(c).count();
    if count(';') > count(',') {
        b';'
    } else if count('\t') > count(',') {
        b'\t'
    } else {
        b','
    }
}

/// Which table it is; none: no known one.
pub(super) fn format(text: &str) -> Option<Format> {
    let mut reader = reader(text);
    let head: Vec<String> = reader.headers().ok()?.iter().map(plain).collect();
    let has = |names: Names| head.iter().any(|name| names.contains(&name.as_str()));
    match () {
        () if has(AVAILABLE) && has(ADOPTED) => Some(Format::AdoptionTable),
        () if has(START) && has(END) => Some(Format::BuildTable),
        () if has(ID) && has(FOUND) => Some(Format::FindingTable),
        () if has(ID) && has(PUBLISHED) => Some(Format::CveTable),
        () => None,
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// A table with its columns.
struct Table<'a> {
    file: &'a str,
    head: Vec<String>,
    shown: Vec<String>,
    reader: csv::Reader<&'a [u8]>,
}

/// A row of a table.
struct Row<'t> {
    file: &'t str,
    head: &'t [String],
    shown: &'t [String],
    record: StringRecord,
    line: u64,
}

impl<'a> Table<'a> {
    fn of(input: &Input<'a>) -> Result<Self, Refusal> {
        let mut reader = reader(input.text);
        let head = reader.headers().map_err(|error| refused(input.file, &error))?;
        let shown: Vec<String> = head.iter().map(str::to_owned).collect();
        let head = shown.iter().map(|name| plain(name)).collect();
        Ok(Table { file: input.file, head, shown, reader })
    }

    fn each(
        &mut self,
        mut use_row: impl FnMut(&Row<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut record = StringRecord::new();
        loop {
            match self.reader.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) => return Err(refused(self.file, &error)),
            }
            let line = record.position().map_or(0, csv::Position::line);
            let row = Row {
                file: self.file,
                head: &self.head,
                shown: &self.shown,
                record: std::mem::take(&mut record),
                line,
            };
            use_row(&row)?;
            record = row.record;
        }
    }
}

fn refused(file: &str, error: &csv::Error) -> Refusal {
    let place = error
        .position()
        .map_or(Place::Whole, |at| Place::At(usize::try_from(at.line()).unwrap_or(usize::MAX), 1));
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, where the head has {expected_len}")
        }
        _ => error.to_string(),
    };
    Refusal { file: file.to_owned(), place, reason }
}

impl Row<'_> {
    /// The text of a column; none: there is no such column, or it is empty here.
    fn text(&self, names: Names) -> Option<&str> {
        let at = self.place(names)?;
        self.record.get(at).filter(|text| !text.is_empty())
    }

    fn place(&self, names: Names) -> Option<usize> {
        names.iter().find_map(|name| self.head.iter().position(|head| head == name))
    }

    fn refuse(&self, names: Names, reason: String) -> Refusal {
        let column = self.place(names).and_then(|at| self.shown.get(at)).map_or(names[0], |s| s);
        let place = Place::Cell(self.line, column.chars().take(60).collect());
        Refusal { file: self.file.to_owned(), place, reason }
    }

    fn name(&self, names: Names) -> Result<&str, Refusal> {
        match self.text(names) {
            None => Err(self.refuse(names, "is empty".to_owned())),
            Some(text) if text.len() > super::MAX_NAME_BYTES => {
                let reason = format!("more than {} bytes", super::MAX_NAME_BYTES);
                Err(self.refuse(names, reason))
            }
            Some(text) if text.chars().any(char::is_control) => {
                Err(self.refuse(names, "has a control character".to_owned()))
            }
            Some(text) => Ok(text),
        }
    }

    fn moment(&self, names: Names) -> Result<Option<Moment>, Refusal> {
        let Some(text) = self.text(names) else { return Ok(None) };
        Moment::parse(text).map(Some).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            self.refuse(names, format!("expected {EXPECTED}, not {shown:?}"))
        })
    }

    fn needed(&self, names: Names) -> Result<Moment, Refusal> {
        self.moment(names)?.ok_or_else(|| self.refuse(names, "is empty".to_owned()))
    }

    fn flag(&self, names: Names) -> Result<Option<bool>, Refusal> {
        match self.text(names).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "1" | "y") => Ok(Some(true)),
            Some("false" | "no" | "0" | "n") => Ok(Some(false)),
            Some(_) => Err(self.refuse(names, "expected true or false".to_owned())),
        }
    }
}

pub(super) fn cves(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    Table::of(input)?.each(|row| {
        let id = row.name(ID)?;
        let published = row.needed(PUBLISHED)?;
        let (available, fixed) = (row.moment(FIX_AVAILABLE)?, row.moment(FIXED)?);
        let detectable = row.moment(DETECTABLE)?;
        let exploited = row.flag(EXPLOITED)?;
        for moment in [Some(published), available, fixed, detectable].into_iter().flatten() {
            evidence.note(moment);
        }
        let package = row.text(PACKAGE).unwrap_or(id);
        let package = evidence.intern(package);
        let cve = evidence.cve(id);
        Cve::earliest(&mut cve.published, Some(published));
        Cve::earliest(&mut cve.fix_available, available);
        Cve::earliest(&mut cve.detectable, detectable);
        let told = row.text(SEVERITY).and_then(severity);
        cve.severity = cve.severity.or(told).or(row.text(VECTOR).and_then(severity_of_vector));
        cve.tells_upstream |= row.place(FIX_AVAILABLE).is_some();
        cve.tells_detection |= row.place(DETECTABLE).is_some();
        cve.known_exploited = cve.known_exploited.or(exploited);
        let open = if row.place(FIXED).is_some() { Fix::NotYet } else { Fix::Unknown };
        cve.hit(package, fixed.map_or(open, Fix::At));
        report.used += 1;
        Ok(())
    })
}

pub(super) fn findings(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    Table::of(input)?.each(|row| {
        if row.flag(FALSE)? == Some(true) || row.flag(DUPLICATE)? == Some(true) {
            report.leave_out("false positives and duplicates");
            return Ok(());
        }
        if row.text(ID).is_none() {
            report.leave_out("without the id of a vulnerability");
            return Ok(());
        }
        // DefectDojo writes several ids into one field.
        let id = row.name(ID)?.split([';', ',', ' ']).next().unwrap_or_default();
        let found = Found {
            id,
            on: row.text(ON).unwrap_or_default(),
            package: row.text(PACKAGE),
            severity: row.text(SEVERITY).and_then(severity),
            published: row.moment(PUBLISHED)?,
            found: Some(row.needed(FOUND)?),
            closed: row.moment(CLOSED)?,
        };
        add(evidence, report, found);
        Ok(())
    })
}

pub(super) fn builds(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    Table::of(input)?.each(|row| {
        let (start, end) = (row.needed(START)?, row.moment(END)?);
        if end.is_some_and(|end| end.end_ms() <= start.from_ms) {
            return Err(row.refuse(END, "lies before the start".to_owned()));
        }
        let result = row.text(RESULT).map(str::to_ascii_lowercase).unwrap_or_default();
        let end_kind = match (result.as_str(), end) {
            (_, None) => BuildEnd::Running,
            ("" | "success" | "succeeded" | "successful" | "completed" | "ok" | "passed", _)
            | ("published" | "unchanged" | "superseded", _) => BuildEnd::Success,
            ("failure" | "failed" | "error" | "broken", _) => BuildEnd::Failure,
            ("flaked" | "flaky" | "retried" | "infrastructure_failure", _) => BuildEnd::Flaked,
            ("cancelled" | "canceled" | "aborted" | "timed_out" | "timeout" | "skipped", _) => {
                BuildEnd::Cancelled
            }
            _ => {
                let shown: String = result.chars().take(40).collect();
                let reason = format!(
                    "expected success, failure, flaked or cancelled (or what CI systems write for \
                     them), not {shown:?}"
                );
                return Err(row.refuse(RESULT, reason));
            }
        };
        for moment in [Some(start), end].into_iter().flatten() {
            evidence.note(moment);
        }
        let image = evidence.intern(row.text(ON).unwrap_or_default());
        let builder = row.text(BUILDER).map(str::to_owned);
        let builder = builder.map(|builder| evidence.intern(&builder));
        evidence.builds.push(Build { image, builder, start, end, end_kind });
        report.used += 1;
        Ok(())
    })
}

pub(super) fn adoptions(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    Table::of(input)?.each(|row| {
        let (available, adopted) = (row.needed(AVAILABLE)?, row.moment(ADOPTED)?);
        for moment in [Some(available), adopted].into_iter().flatten() {
            evidence.note(moment);
        }
        let customer = evidence.intern(row.text(CUSTOMER).unwrap_or_default());
        let image = evidence.intern(row.text(ON).unwrap_or_default());
        evidence.adoptions.push(Adoption { customer, image, available, adopted });
        report.used += 1;
        Ok(())
    })
}
