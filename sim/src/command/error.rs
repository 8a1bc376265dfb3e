//! Why the world refuses a command.
use std::sync::Arc;

/// Why a command was refused; the world is unchanged then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The image does not exist.
    #[error("there is no image {0}")]
    UnknownImage(u32),
    /// The image is no longer built.
    #[error("image {0} has reached the end of its life")]
    EndOfLife(u32),
    /// A new image must take the next ordinal.
    #[error("a new image must be number {expected}, not {found}")]
    WrongOrdinal {
        /// The next free ordinal.
        expected: u32,
        /// The ordinal in the command.
        found: u32,
    },
    /// The name is taken.
    #[error("an image named {0:?} exists already")]
    NameTaken(Arc<str>),
    /// The name of a customer's image does not begin with its namespace.
    #[error(
        "the name of an image of {namespace} begins with {namespace:?} and a dot, not {name:?}"
    )]
    ForeignName {
        /// The owner's namespace.
        namespace: Arc<str>,
        /// The name in the command.
        name: Arc<str>,
    },
    /// The image belongs to another customer.
    #[error("image {0} belongs to another customer")]
    ForeignImage(u32),
    /// A package does not exist.
    #[error("there is no package {0}")]
    UnknownPackage(u32),
    /// A package has no such release, or a range ends before it begins.
    #[error("package {package} has no releases {introduced} to {fixed:?}: the newest is {newest}")]
    UnknownRelease {
        /// The package.
        package: u32,
        /// The first release of the range.
        introduced: u32,
        /// The first one after it.
        fixed: Option<u32>,
        /// The package's newest release.
        newest: u32,
    },
    /// An advisory that hits nothing.
    #[error("the advisory affects no package")]
    NothingAffected,
    /// An advisory has that id, or a coming one of the world's own could have it.
    #[error("{0} is taken")]
    CveTaken(Arc<str>),
    /// There is no such external build.
    #[error("build {0} is not an external build that waits")]
    NotWaiting(u64),
    /// More builders than are in service.
    #[error("there are {in_service} builders in service, not {found}")]
    TooManyBuilders {
        /// How many builders are in service.
        in_service: u32,
        /// The number in the command.
        found: u32,
    },
    /// The builder does not exist.
    #[error("there is no builder {found}: the pool has {count}, numbered from 0")]
    UnknownBuilder {
        /// The number in the command.
        found: u32,
        /// How many builders there are.
        count: u32,
    },
    /// The builder has lost its trust before.
    #[error("builder {0} has lost its trust before")]
    DistrustedBefore(u32),
    /// The image has no version whose provenance could be replaced.
    #[error("image {0} has no published version")]
    NothingPublished(u32),
    /// The provenance of the newest version has been replaced before.
    #[error("the provenance of version {version} of image {image} has been replaced already")]
    TamperedBefore {
        /// The image.
        image: u32,
        /// Its newest version.
        version: u32,
    },
    /// The customer does not exist.
    #[error("there is no customer {0}")]
    UnknownCustomer(u32),
    /// The version cannot be pulled any more.
    #[error("version {version} of image {image} is neither the newest one nor run by anybody")]
    NotServed {
        /// The image.
        image: u32,
        /// The version.
        version: u32,
    },
    /// The customer does not use the image.
    #[error("customer {customer} does not use image {image}")]
    NotUsed {
        /// The customer.
        customer: u32,
        /// The image.
        image: u32,
    },
    /// A change of this use has not happened yet.
    #[error("customer {customer} is about to change how it uses image {image}: let time move")]
    UseChanging {
        /// The customer.
        customer: u32,
        /// The image.
        image: u32,
    },
}
