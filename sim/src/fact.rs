//! What comes out of the kernel: facts, in order, each with all that a worker needs.
mod build;
mod finding;
mod sla;

pub use build::*;
pub use finding::*;
pub use sla::*;

use crate::catalogue::Runtime;
use crate::ids::*;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that happened in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its place in the order of all facts of the world, from 1, without gaps.
    pub seq: u64,
    /// The simulated instant.
    pub at: SimTime,
    /// What happened.
    pub kind: FactKind,
}

/// The kinds of facts. Small kinds are inline; large ones are shared, so that a fact is cheap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// A package has a new release.
    PackageReleased {
        /// The new release.
        release: ReleaseRef,
        /// The advisories whose affected range this release ends.
        fixes: Arc<[AdvisoryId]>,
    },
    /// An advisory became public.
    AdvisoryPublished(Arc<Advisory>),
    /// The upstream project published a fix; SLA clocks may start.
    FixAvailable {
        /// The advisory that has a fix now.
        advisory: AdvisoryId,
    },
    /// An image was added to the catalogue by a command.
    ImageCreated(Arc<NewImage>),
    /// A build is wanted and waits for a builder.
    BuildRequested {
        /// The build.
        build: BuildId,
        /// What is built.
        image: ImageId,
        /// Why.
        cause: Cause,
    },
    /// A wanted build was merged into one that already waits for the same image.
    BuildMerged {
        /// The build that will not run by itself.
        build: BuildId,
        /// The build that covers it.
        into: BuildId,
    },
    /// A builder took the build.
    BuildStarted {
        /// The build.
        build: BuildId,
        /// The builder.
        builder: BuilderId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An attempt failed for no fault of the image (a flake); the build waits again.
    BuildFlaked {
        /// The build.
        build: BuildId,
        /// The attempt that failed, from 1.
        attempt: u32,
    },
    /// A build ended.
    BuildFinished(Arc<BuildResult>),
    /// The scanner looked at image versions.
    Scanned(Arc<Scan>),
    /// A finding was judged: the image is not affected (a false positive of the scanner).
    FindingTriaged {
        /// The image.
        image: ImageId,
        /// The advisory.
        advisory: AdvisoryId,
        /// Why the image is not affected.
        justification: Justification,
    },
    /// A customer began to run a version (its first of that image, or another one than before).
    UsageChanged {
        /// The customer.
        customer: CustomerId,
        /// What runs now.
        version: VersionRef,
        /// What ran before.
        previous: Option<u32>,
        /// Whether the customer follows the tag or pins the digest.
        mode: UsageMode,
        /// Where and how it runs, when a command said so; else it follows from the catalogue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        runtime: Option<Arc<Runtime>>,
    },
    /// A customer runs an image no longer.
    UsageEnded {
        /// The customer.
        customer: CustomerId,
        /// What ran to the end.
        version: VersionRef,
    },
    /// The SLA timers were evaluated.
    SlaChecked(Arc<SlaCheck>),
    /// A customer (or the platform's own team) is to be told something.
    Notified(Arc<Notification>),
    /// A builder went out of service or came back.
    BuilderOutage {
        /// How many builders are in service now.
        in_service: u32,
    },
    /// A builder is not trusted any more: what it builds from here on proves less, and what it
    /// has built is assessed again. It goes on building.
    BuilderDistrusted {
        /// The builder.
        builder: BuilderId,
    },
    /// An attacker has put another bundle in the place of a version's signed provenance.
    AttestationTampered {
        /// The version: the newest one of its image.
        version: VersionRef,
    },
}
