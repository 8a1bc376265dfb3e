//! What all files together say: images, advisories, findings, builds and adoptions, whatever format
//! they came in.
use crate::moment::Moment;
use sim::severity::Severity;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Images, by name: the newest inventory of each.
    pub images: BTreeMap<String, Image>,
    /// Advisories, by id (that of the CVE where there is one).
    pub cves: BTreeMap<Arc<str>, Cve>,
    /// Findings.
    pub findings: Vec<Finding>,
    /// Scans of one artifact each, with all that they found: findings follow from what is new in
    /// one.
    pub scans: Vec<ArtifactScan>,
    /// Attempts to build.
    pub builds: Vec<Build>,
    /// Moves to newer versions.
    pub adoptions: Vec<Adoption>,
    /// The latest instant in any file, in milliseconds since 1970.
    pub latest_ms: Option<i64>,
    names: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

/// An image and what is in it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// When its inventory was made, if it says so.
    pub made: Option<Moment>,
    /// Its packages, in ascending order.
    pub packages: Vec<u32>,
    /// Of them, those that are said to come from the base.
    pub from_base: u32,
    /// Its layers from the ground up, where the order is known.
    pub layers: Vec<u32>,
    /// Layers of which the order is not known.
    pub layer_set: BTreeSet<u32>,
    /// The name of its base, where an annotation says it.
    pub base: Option<String>,
}

/// An advisory.
#[derive(Clone, Debug, Default)]
pub struct Cve {
    /// When it was published.
    pub published: Option<Moment>,
    /// When an upstream fix was available.
    pub fix_available: Option<Moment>,
    /// When scanners knew it.
    pub detectable: Option<Moment>,
    /// How severe it is.
    pub severity: Option<Severity>,
    /// Whether it is known to be exploited.
    pub known_exploited: Option<bool>,
    /// The packages it hits, and when each was fixed.
    pub packages: BTreeMap<u32, Fix>,
    /// Whether a file has dates of upstream fixes: without one there is none yet.
    pub tells_upstream: bool,
    /// Whether a file has dates from which on scanners know it.
    pub tells_detection: bool,
    /// It was withdrawn or rejected: it counts for nothing.
    pub withdrawn: bool,
}

/// The fixed package of an advisory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fix {
    /// The file does not say.
    #[default]
    Unknown,
    /// There is none yet.
    NotYet,
    /// It came then.
    At(Moment),
    /// There is one, which came at some time before this.
    Before(Moment),
}

/// A vulnerability found on something.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The advisory.
    pub cve: Arc<str>,
    /// On what.
    pub on: u32,
    /// When it was found.
    pub found: Moment,
    /// The last scan of the same thing that had not found it.
    pub not_yet: Option<i64>,
    /// When it was gone.
    pub closed: Option<Moment>,
}

/// A scan of an artifact.
#[derive(Clone, Debug)]
pub struct ArtifactScan {
    /// The artifact, without its tag.
    pub artifact: u32,
    /// When.
    pub at: Moment,
    /// What it found.
    pub found: BTreeSet<Arc<str>>,
}

/// An attempt to build.
#[derive(Clone, Debug)]
pub struct Build {
    /// What was built.
    pub image: u32,
    /// Who built it.
    pub builder: Option<u32>,
    /// When it began.
    pub start: Moment,
    /// When it ended; none: it runs.
    pub end: Option<Moment>,
    /// How it ended.
    pub end_kind: BuildEnd,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildEnd {
    /// Well.
    Success,
    /// It failed, and nothing says why.
    Failure,
    /// It failed, and was tried again.
    Flaked,
    /// Somebody ended it, or a limit did.
    Cancelled,
    /// It has not ended.
    Running,
}

/// That a newer version was there, and when somebody moved to it.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Who.
    pub customer: u32,
    /// Of what.
    pub image: u32,
    /// Since when there was something newer.
    pub available: Moment,
    /// When they moved; none: not yet.
    pub adopted: Option<Moment>,
}

impl Evidence {
    /// The number that stands for a text.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(number) = self.names.get(text) {
            return *number;
        }
        let number = crate::cast::count_u32(self.texts.len());
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.names.insert(text, number);
        number
    }

    /// The text that a number stands for.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// The advisory of that id, a new one if there is none yet.
    pub fn cve(&mut self, id: &str) -> &mut Cve {
        let id = canonical(id);
        if !self.cves.contains_key(id.as_str()) {
            self.cves.insert(id.as_str().into(), Cve::default());
        }
        self.cves.entry(id.into()).or_default()
    }

    /// Takes note of an instant: the observation ends at the latest one, unless told otherwise.
    pub fn note(&mut self, moment: Moment) {
        self.latest_ms = self.latest_ms.max(Some(moment.from_ms + moment.width_ms));
    }

    /// Adds an image, unless a newer inventory of it is there already.
    pub fn add_image(&mut self, name: &str, image: Image) {
        let known = self.images.get(name);
        if known.is_none_or(|known| known.made <= image.made) {
            self.images.insert(name.to_owned(), image);
        }
    }

    /// Turns scans into findings: what a scan has that the one before of the same artifact had not
    /// was found between them, and what it has no more was closed between them.
    pub fn resolve_scans(&mut self) {
        let mut by_artifact: BTreeMap<u32, Vec<ArtifactScan>> = BTreeMap::new();
        for scan in std::mem::take(&mut self.scans) {
            by_artifact.entry(scan.artifact).or_default().push(scan);
        }
        for (artifact, mut scans) in by_artifact {
            scans.sort_by_key(|scan| scan.at);
            let mut open: BTreeMap<Arc<str>, Finding> = BTreeMap::new();
            let mut before: Option<Moment> = None;
            for scan in scans {
                let gone: Vec<Arc<str>> =
                    open.keys().filter(|cve| !scan.found.contains(*cve)).cloned().collect();
                for cve in gone {
                    if let (Some(mut finding), Some(before)) = (open.remove(&cve), before) {
                        let width_ms = (scan.at.end_ms() - before.from_ms).max(1);
                        finding.closed = Some(Moment { from_ms: before.from_ms, width_ms });
                        self.findings.push(finding);
                    }
                }
                for cve in &scan.found {
                    open.entry(Arc::clone(cve)).or_insert_with(|| Finding {
                        cve: Arc::clone(cve),
                        on: artifact,
                        found: scan.at,
                        not_yet: Some(before.map_or(i64::MIN, |before| before.from_ms)),
                        closed: None,
                    });
                }
                before = Some(scan.at);
            }
            self.findings.extend(open.into_values());
        }
    }
}

impl Cve {
    /// The earlier of what is known and this.
    pub(crate) fn earliest(known: &mut Option<Moment>, moment: Option<Moment>) {
        if let Some(moment) = moment {
            *known = Some(known.map_or(moment, |known| known.min(moment)));
        }
    }

    /// Adds a package; what says more of its fix stays.
    pub(crate) fn hit(&mut self, package: u32, fix: Fix) {
        let known = self.packages.entry(package).or_default();
        *known = match (*known, fix) {
            (Fix::At(a), Fix::At(b)) => Fix::At(a.min(b)),
            (Fix::At(at), _) | (_, Fix::At(at)) => Fix::At(at),
            (Fix::Before(a), Fix::Before(b)) => Fix::Before(a.min(b)),
            (Fix::Before(at), _) | (_, Fix::Before(at)) => Fix::Before(at),
            (Fix::NotYet, _) | (_, Fix::NotYet) => Fix::NotYet,
            (Fix::Unknown, Fix::Unknown) => Fix::Unknown,
        };
    }
}

/// Ids are compared in upper case where they are those of CVEs.
pub(crate) fn canonical(id: &str) -> String {
    let id = id.trim();
    let is_cve = id.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("cve-"));
    if is_cve { id.to_ascii_uppercase() } else { id.to_owned() }
}

/// A severity as tools write it; none: unknown, or none at all.
pub(crate) fn severity(text: &str) -> Option<Severity> {
    match text.trim().to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "high" | "important" => Some(Severity::High),
        "medium" | "moderate" => Some(Severity::Medium),
        "low" | "negligible" | "info" | "informational" => Some(Severity::Low),
        _ => None,
    }
}

/// The severity of a CVSS 3 vector.
pub(crate) fn severity_of_vector(vector: &str) -> Option<Severity> {
    severity(documents::cvss::BaseScore::of(vector).ok()?.severity().as_str())
}

/// An image's name without registry, tag and digest.
pub(crate) fn image_name(reference: &str) -> String {
    let name = reference.split('@').next().unwrap_or_default();
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let name = match name[slash..].find(':') {
        Some(colon) => &name[..slash + colon],
        None => name,
    };
    let mut parts = name.split('/').filter(|part| !part.is_empty()).peekable();
    let first = parts.peek().copied().unwrap_or_default();
    let is_host = first.contains('.') || first.contains(':') || first == "localhost";
    if is_host && name.contains('/') {
        parts.next();
    }
    let rest: Vec<&str> = parts.filter(|part| *part != "library").collect();
    if rest.is_empty() { name.to_owned() } else { rest.join("/") }
}
