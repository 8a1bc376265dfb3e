//! Why a request is refused.
use crate::error::Error;
use crate::instants::text;
use chrono::{DateTime, Utc};

/// Why a request is refused. Each message is a sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no world to ask anything of.
    #[error("The database holds no world yet.")]
    NoWorld,
    /// The requester's namespace belongs to no customer of this world.
    #[error("This world has no customer of the key's namespace.")]
    UnknownTenant,
    /// There is no such customer, or it is another tenant.
    #[error("There is no customer {tenant:?}.")]
    UnknownCustomer {
        /// The namespace that was given.
        tenant: String,
    },
    /// There is no image of this name, or it is not for the requester to see.
    #[error("There is no image {name:?}.")]
    UnknownImage {
        /// The name that was given.
        name: String,
    },
    /// There is no image of this name, and the request does not say what it would be made of.
    #[error("There is no image {name:?}, and no `packages` to create it.")]
    UndefinedImage {
        /// The name that was given.
        name: String,
    },
    /// There is no such image to build on.
    #[error("There is no image {name:?} to build on.")]
    UnknownBase {
        /// The name that was given.
        name: String,
    },
    /// The image has no version with this digest.
    #[error("The image has no version with the digest {digest}.")]
    UnknownDigest {
        /// The digest that was given.
        digest: String,
    },
    /// The image exists and is not what the request says that it is.
    #[error("The image exists with {differs}.")]
    ImageDiffers {
        /// What differs: `another base` or `other packages`.
        differs: &'static str,
    },
    /// The image is no longer built.
    #[error("The image has reached the end of its life and is no longer built.")]
    ImageEndOfLife,
    /// No image that a push concerns is built any more.
    #[error("No image made from it is built any more.")]
    SourceEndOfLife,
    /// The image is one of the shared catalogue's, which the platform builds.
    #[error("The image belongs to the shared catalogue, which the platform builds.")]
    SharedImage,
    /// The build is one of the shared catalogue's.
    #[error("The build is of an image of the shared catalogue.")]
    SharedBuild,
    /// A shared image cannot stand on a tenant's: its contents are for everybody to see.
    #[error("The base belongs to a tenant, and the new image would not.")]
    TenantBase,
    /// Digits alone cannot name a new image.
    #[error("The name of a new image must not be a number: paths take both.")]
    NumericName,
    /// A tenant's images are named after it.
    #[error("The name of a new image must begin with \"{namespace}.\".")]
    NameOutsideNamespace {
        /// The tenant's namespace.
        namespace: String,
    },
    /// Some packages do not exist or are named twice.
    #[error("{} of the packages are wrong.", .0.len())]
    WrongPackages(Vec<UnknownPackageName>),
    /// There is no such package.
    #[error("There is no package {package:?}.")]
    UnknownPackage {
        /// The name that was given.
        package: String,
    },
    /// The package has no release of this version.
    #[error("There is no version {version:?} of a package {package:?}.")]
    UnknownRelease {
        /// The name that was given.
        package: String,
        /// The version that was given.
        version: String,
    },
    /// The delivery of a push, or its body, was taken before.
    #[error("This delivery, or its body, was taken before.")]
    DeliveryReplayed,
    /// No image is built from this repository.
    #[error("No image is built from {address:?}.")]
    UnknownRepository {
        /// The address that was given.
        address: String,
    },
    /// The CVSS vector cannot be read, or scores 0.
    #[error("{reason}.")]
    InvalidVector {
        /// What is wrong with it.
        reason: String,
    },
    /// Two parts of the request contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// A text of the request cannot be stored as it is.
    #[error("{0}")]
    InvalidText(&'static str),
    /// There is no such build.
    #[error("There is no build {build}.")]
    UnknownBuild {
        /// The number that was given.
        build: i64,
    },
    /// The platform makes this build itself.
    #[error("Build {build} is made by the platform.")]
    BuildNotExternal {
        /// The build.
        build: i64,
    },
    /// The build has ended.
    #[error("Build {build} ended at {}; it is {status}.", text(*.finished_at))]
    BuildEnded {
        /// The build.
        build: i64,
        /// When it ended, simulated.
        finished_at: DateTime<Utc>,
        /// How it ended.
        status: String,
    },
    /// The end of the build was reported before.
    #[error(
        "Build {build} was reported as {} at {} (real time); the world takes it in turn.",
        if *.succeeded { "succeeded" } else { "failed" },
        text(*.reported_wall)
    )]
    BuildReported {
        /// The build.
        build: i64,
        /// What was reported.
        succeeded: bool,
        /// When, in real time.
        reported_wall: DateTime<Utc>,
    },
    /// The customer does not use the image.
    #[error("The customer does not use an image {image:?}.")]
    UsageNotFound {
        /// The name that was given.
        image: String,
    },
    /// The world there is now is not the one that was to be replaced.
    #[error("The world there is now is {current:?}, not {expected:?}: nothing was changed.")]
    OtherWorld {
        /// The world there is.
        current: String,
        /// The world that the request names.
        expected: String,
    },
    /// Another scenario is being loaded.
    #[error("Another scenario is being loaded at this moment.")]
    LoadUnderWay,
    /// What was written a moment ago cannot be read back: a defect of ours.
    #[error("the {what} that was just stored cannot be read back")]
    Vanished {
        /// What was written.
        what: &'static str,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A package that a request names and that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPackageName {
    /// The name that was given, cut to 100 characters.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Refusal::Store(error.into())
    }
}
