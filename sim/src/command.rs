//! What can be asked of a running world from outside.
use crate::ids::{BuildId, BuilderId, ImageId, PackageId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A command, as stored in the world's record and played again on restart.
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
}

/// What a new image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDefinition {
    /// Its name, unique in the catalogue.
    pub name: Arc<str>,
    /// The image it is built on.
    pub base: Option<ImageId>,
    /// Its own packages, without those of the base.
    pub packages: Vec<PackageId>,
}

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
    /// A package does not exist.
    #[error("there is no package {0}")]
    UnknownPackage(u32),
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
}
