//! What can be asked of a running world from outside.
mod error;

pub use error::CommandError;

use crate::catalogue::Runtime;
use crate::ids::{BuildId, BuilderId, CustomerId, ImageId, PackageId};
use crate::severity::{Severity, Vector};
use crate::time::SimDuration;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A command, as stored in the world's record and played again on restart.
///
/// What it changes about builds happens at once. What an SLA evaluation could see (scans,
/// publications, use) happens a millisecond later, when time moves: so an instant that was
/// evaluated stays as it was evaluated, even when a standing world takes commands at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Build an image now; add it to the catalogue first when `create` says what it is.
    BuildImage {
        /// The build, as the caller was told.
        build: BuildId,
        /// The image.
        image: ImageId,
        /// The image's definition when it is new.
        create: Option<ImageDefinition>,
        /// Who asked.
        requested_by: Option<Arc<str>>,
        /// Whether somebody else builds it: it takes no builder of the pool, and waits for
        /// [`Command::CompleteBuild`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        external: bool,
    },
    /// An external build has ended.
    CompleteBuild {
        /// The build.
        build: BuildId,
        /// How it ended.
        report: Arc<Report>,
    },
    /// A forge's webhook: the source of an image changed.
    UpstreamChanged {
        /// The build, as the caller was told.
        build: BuildId,
        /// The image.
        image: ImageId,
        /// The revision the webhook names.
        revision: Option<Arc<str>>,
    },
    /// Scan the versions in use now, of one image or of all.
    Scan {
        /// The image; none: all.
        image: Option<ImageId>,
    },
    /// Evaluate the SLA timers now.
    CheckSla,
    /// Disclose an advisory.
    DiscloseAdvisory(Arc<NewAdvisory>),
    /// Take builders out of service for a while, as the incident of that name.
    BuilderOutage {
        /// How many.
        builders: u32,
        /// For how long.
        duration: SimDuration,
    },
    /// Trust a builder no longer, as the incident of that name.
    DistrustBuilder {
        /// The builder.
        builder: BuilderId,
    },
    /// Let an attacker replace the provenance of an image's newest version, as the incident of
    /// that name.
    TamperAttestation {
        /// The image.
        image: ImageId,
    },
    /// A customer begins to use an image, or changes how.
    UseImage {
        /// The customer.
        customer: CustomerId,
        /// The image.
        image: ImageId,
        /// The version whose digest is pinned; none: the tag is followed.
        pin: Option<u32>,
        /// Where and how it runs; none: as drawn, or as before.
        runtime: Option<Arc<Runtime>>,
    },
    /// A customer no longer uses an image.
    EndUse {
        /// The customer.
        customer: CustomerId,
        /// The image.
        image: ImageId,
    },
}

/// What a new image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDefinition {
    /// Its name, unique in the world. One with an owner begins with the owner's namespace and a
    /// dot.
    pub name: Arc<str>,
    /// The image it is built on.
    pub base: Option<ImageId>,
    /// Its own packages, without those of the base.
    pub packages: Vec<PackageId>,
    /// The customer whose it is; none: the shared catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<CustomerId>,
}

/// What an external builder reports of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// Why it failed, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Arc<str>>,
    /// What it wrote while it built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Arc<str>>,
}

/// An advisory that is disclosed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAdvisory {
    /// `CVE-<year>-<seven digits>`; none: the next number of the world's own.
    pub cve: Option<Arc<str>>,
    /// CVSS 3.1 base vector.
    pub vector: Vector,
    /// The severity that the vector's score falls in.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// The affected packages, each with its range.
    pub packages: Vec<NewRange>,
    /// Instead of packages: the share of all images to be hit through the fewest packages, in
    /// thousandths.
    pub image_share_permille: Option<u32>,
    /// From disclosure until scanners see it; at least a millisecond.
    pub detectable_after: SimDuration,
    /// From disclosure to the upstream fix; none: there is none. At once when a range has an end.
    pub fix_after: Option<SimDuration>,
    /// From the upstream fix to the fixed package in the distribution.
    pub package_fix_after: SimDuration,
}

/// An affected range of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRange {
    /// The package.
    pub package: PackageId,
    /// The first affected release.
    pub introduced: u32,
    /// The first release that is not affected any more, if one is out.
    pub fixed: Option<u32>,
}
