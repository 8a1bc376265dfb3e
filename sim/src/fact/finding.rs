//! Advisories in facts, and what the scanner makes of them.
use crate::ids::*;
use crate::severity::{Severity, Vector};
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An advisory as the feed publishes it. What comes later (a fix, a fixed release) is a fact of
/// its own, so that nobody can read the future in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its ordinal.
    pub id: AdvisoryId,
    /// `CVE-<year>-<seven digits>`.
    pub cve: Arc<str>,
    /// CVSS 3.1 base vector.
    pub vector: Vector,
    /// The severity that the vector's score falls in.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// When it became public.
    pub published: SimTime,
    /// When a scanner can first see it (feeds lag behind publication).
    pub detectable: SimTime,
    /// The affected packages, each from a release on, by package.
    pub affected: Vec<Affected>,
}

/// One affected package of an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The package and the first affected release.
    pub introduced: ReleaseRef,
    /// The first release that is not affected any more, if it was out at disclosure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<u32>,
}

/// One advisory that hits one package of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingRef {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The package.
    pub package: PackageId,
}

/// Why the scanner ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanTrigger {
    /// A version was pushed.
    Push,
    /// The periodic pass over all versions in use.
    Scheduled,
    /// Somebody asked: the versions in use of one image, or of all.
    Requested,
}

/// One pass of the scanner and what must come out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// Why it ran.
    pub trigger: ScanTrigger,
    /// The versions it looked at, in order.
    pub targets: Vec<ScanTarget>,
}

/// One version in a scan. What is new is what became detectable after `previous`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanTarget {
    /// The version.
    pub version: VersionRef,
    /// When this version was scanned before.
    pub previous: Option<SimTime>,
    /// How many findings the version has in all.
    pub findings: u32,
    /// The new ones, in order.
    pub new: Vec<NewFinding>,
}

/// A finding the scanner has not seen on this version before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NewFinding {
    /// What was found.
    pub finding: FindingRef,
    /// The newer version, already published, that does not have it.
    pub fixed_in: Option<u32>,
}

/// Why an image is not affected by an advisory (the OpenVEX terms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// The component is not there.
    ComponentNotPresent,
    /// The vulnerable code is not there.
    VulnerableCodeNotPresent,
    /// The vulnerable code is never executed.
    VulnerableCodeNotInExecutePath,
    /// An adversary cannot control it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// A mitigation exists already.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// The OpenVEX name.
    pub fn as_str(self) -> &'static str {
        match self {
            Justification::ComponentNotPresent => "component_not_present",
            Justification::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Justification::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Justification::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Justification::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}
