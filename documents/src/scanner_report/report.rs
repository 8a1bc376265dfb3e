//! The one form into which reports of all formats are read.

/// The longest text that is kept of a report, in characters: longer ones are cut.
pub const MAX_TEXT_CHARS: usize = 1024;
/// The most findings and packages that are read of a report.
pub const MAX_ENTRIES: usize = 1_000_000;
/// The most names of an image, and ids of a finding, that are kept.
const MAX_NAMES: usize = 256;

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Trivy, `--format json` (schema version 2).
    Trivy,
    /// Grype, `-o json`.
    Grype,
    /// OSV-Scanner, `--format json`.
    OsvScanner,
    /// SARIF 2.1.0, from any tool.
    Sarif,
    /// CycloneDX JSON: with `vulnerabilities` a report (VDR), without them an inventory.
    CycloneDx,
    /// Syft, `-o json`: an inventory.
    Syft,
}

impl Format {
    /// The name, as outputs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Trivy => "trivy",
            Format::Grype => "grype",
            Format::OsvScanner => "osv-scanner",
            Format::Sarif => "sarif",
            Format::CycloneDx => "cyclonedx",
            Format::Syft => "syft",
        }
    }
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannerReport {
    /// Its format.
    pub format: Format,
    /// The tool that wrote it, with its version where it says so.
    pub tool: Option<String>,
    /// When it says that it was written, as it writes that.
    pub created_at: Option<String>,
    /// What it is about; most reports are about one image.
    pub targets: Vec<Target>,
}

/// What a report says of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Digests (`sha256:...`) of the image: its manifest's, its configuration's.
    pub digests: Vec<String>,
    /// Its names: references with tags, and paths of files that were scanned.
    pub names: Vec<String>,
    /// The distribution that the scanner took it for.
    pub distribution: Option<String>,
    /// The packages that the scanner recognised; none: the report does not list them.
    pub packages: Option<Vec<Package>>,
    /// The vulnerabilities that it found; none: it was not asked for any.
    pub findings: Option<Vec<Finding>>,
}

/// A package that a scanner recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version; empty where the report has none.
    pub version: String,
}

/// A vulnerability that a scanner reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Its ids: the one it is reported under comes first, then others for the same.
    pub ids: Vec<String>,
    /// The package that has it; none: the report does not say.
    pub package: Option<String>,
    /// The version of the package that is installed.
    pub version: Option<String>,
    /// How severe the scanner says it is, in lower case.
    pub severity: Option<String>,
    /// Whether the scanner found it and then left it out (by VEX, or a rule).
    pub suppressed: bool,
}

impl Target {
    /// Takes a name or a digest of the image, whichever the text is.
    pub(super) fn add_name(&mut self, text: &str) {
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, Some(digest)),
            _ if is_digest(text) => ("", Some(text)),
            _ => (text, None),
        };
        if let Some(digest) = digest.map(str::to_ascii_lowercase)
            && self.digests.len() < MAX_NAMES
            && !self.digests.contains(&digest)
        {
            self.digests.push(digest);
        }
        let room = self.names.len() < MAX_NAMES;
        if room && !name.is_empty() && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }
}

impl Finding {
    /// Takes another id.
    pub(super) fn add_id(&mut self, id: &str) {
        let room = self.ids.len() < MAX_NAMES;
        if room && !id.is_empty() && !self.ids.iter().any(|known| known == id) {
            self.ids.push(id.to_owned());
        }
    }
}

/// Whether a text is a SHA-256 digest with its algorithm.
fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The package that a purl names; none: the text is no purl.
pub(super) fn purl(text: &str) -> Option<Package> {
    let parsed: packageurl::PackageUrl<'_> = text.parse().ok()?;
    let version = parsed.version().unwrap_or_default().to_owned();
    Some(Package { name: parsed.name().to_owned(), version })
}

/// A CVE id within a text, such as that in `ALPINE-CVE-2026-1000001` or `CVE-2026-1000001-zlib`.
pub fn cve_within(text: &str) -> Option<&str> {
    let start = text.find("CVE-")?;
    let rest = text.get(start..)?;
    let (year, number) = rest.get(4..)?.split_once('-')?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    (is_year && digits >= 4).then(|| rest.get(..4 + 5 + digits)).flatten()
}

/// The rating of a CVSS score.
pub(super) fn rating(score: f64) -> &'static str {
    match score {
        score if score >= 9.0 => "critical",
        score if score >= 7.0 => "high",
        score if score >= 4.0 => "medium",
        score if score > 0.0 => "low",
        _ => "none",
    }
}
