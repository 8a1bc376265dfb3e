//! Reading files: what each is, is told by its content. Files come from elsewhere and are not
//! trusted: their size, their depth and the number of their entries have limits, and what is wrong
//! is refused with its place.
mod advisories;
mod detect;
mod findings;
mod sboms;
mod tables;
mod trivy;

use crate::error::Refusal;
use crate::evidence::Evidence;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// The most entries (components, findings, records, rows) of all files together.
pub(crate) const MAX_ENTRIES: u64 = 5_000_000;
/// The longest name of an image or a package, or id of an advisory, in bytes.
const MAX_NAME_BYTES: usize = 1_024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// CycloneDX JSON.
    CycloneDx,
    /// SPDX 2 JSON.
    Spdx2,
    /// SPDX 3 JSON.
    Spdx3,
    /// OSV records: one, a list, or `{"vulns": [...]}`.
    Osv,
    /// Dependency-Track: an export of findings (FPF), or the answer of its findings API.
    DependencyTrack,
    /// DefectDojo: findings of its API, or of its generic format.
    DefectDojo,
    /// Trivy: a report in JSON.
    Trivy,
    /// A table of CVEs.
    CveTable,
    /// A table of findings (DefectDojo's CSV export has this form).
    FindingTable,
    /// A table of builds.
    BuildTable,
    /// A table of adoptions.
    AdoptionTable,
}

impl Format {
    /// The name for people.
    pub fn words(self) -> &'static str {
        match self {
            Format::CycloneDx => "CycloneDX",
            Format::Spdx2 => "SPDX 2",
            Format::Spdx3 => "SPDX 3",
            Format::Osv => "OSV",
            Format::DependencyTrack => "Dependency-Track findings",
            Format::DefectDojo => "DefectDojo findings",
            Format::Trivy => "Trivy report",
            Format::CveTable => "table of CVEs",
            Format::FindingTable => "table of findings",
            Format::BuildTable => "table of builds",
            Format::AdoptionTable => "table of adoptions",
        }
    }
}

/// What a file came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// What it is.
    pub format: Format,
    /// Entries that were used.
    pub used: u64,
    /// Entries that were not, by reason.
    pub left_out: std::collections::BTreeMap<String, u64>,
}

impl FileReport {
    fn new(file: &str, format: Format) -> Self {
        FileReport { file: file.to_owned(), format, used: 0, left_out: Default::default() }
    }

    fn leave_out(&mut self, reason: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
    }
}

/// Reads a file into the evidence.
pub(crate) fn read(
    evidence: &mut Evidence,
    file: &str,
    bytes: &[u8],
) -> Result<FileReport, Refusal> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let mib = MAX_FILE_BYTES >> 20;
        return Err(Refusal::whole(file, format!("larger than {mib} MiB: divide it")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.len() - before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let place = crate::error::Place::At(line, column + 1);
        Refusal { file: file.to_owned(), place, reason: "this is no UTF-8 text".to_owned() }
    })?;
    let format = detect::format(file, text)?;
    let mut report = FileReport::new(file, format);
    let input = Input { file, text };
    match format {
        Format::CycloneDx => sboms::cyclonedx(evidence, &input, &mut report)?,
        Format::Spdx2 => sboms::spdx2(evidence, &input, &mut report)?,
        Format::Spdx3 => sboms::spdx3(evidence, &input, &mut report)?,
        Format::Osv => advisories::osv(evidence, &input, &mut report)?,
        Format::DependencyTrack => findings::dependency_track(evidence, &input, &mut report)?,
        Format::DefectDojo => findings::defect_dojo(evidence, &input, &mut report)?,
        Format::Trivy => trivy::trivy(evidence, &input, &mut report)?,
        Format::CveTable => tables::cves(evidence, &input, &mut report)?,
        Format::FindingTable => tables::findings(evidence, &input, &mut report)?,
        Format::BuildTable => tables::builds(evidence, &input, &mut report)?,
        Format::AdoptionTable => tables::adoptions(evidence, &input, &mut report)?,
    }
    Ok(report)
}

/// A file to be read.
struct Input<'a> {
    file: &'a str,
    text: &'a str,
}

impl Input<'_> {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_str(self.text).map_err(|error| Refusal::json(self.file, &error))
    }

    /// A name that is not empty, not too long and has no control characters.
    fn name<'t>(&self, text: &'t str, list: &str, place: usize) -> Result<&'t str, Refusal> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Refusal::entry(self.file, list, place, "has no name or id"));
        }
        if text.len() > MAX_NAME_BYTES {
            let reason = format!("a name or id of more than {MAX_NAME_BYTES} bytes");
            return Err(Refusal::entry(self.file, list, place, reason));
        }
        if text.chars().any(char::is_control) {
            let reason = "a name or id with a control character";
            return Err(Refusal::entry(self.file, list, place, reason));
        }
        Ok(text)
    }

    /// An instant, if there is one.
    fn moment(
        &self,
        text: Option<&str>,
        list: &str,
        place: usize,
        field: &str,
    ) -> Result<Option<crate::Moment>, Refusal> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        crate::Moment::parse(text).map(Some).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let reason = format!("{field}: expected {}, not {shown:?}", crate::moment::EXPECTED);
            Refusal::entry(self.file, list, place, reason)
        })
    }
}
