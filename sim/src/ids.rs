//! Identities of the world's things: ordinals within one world, the same in code and database.
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($raw:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $raw);

        impl $name {
            /// As an index into the kernel's tables.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A package of the distribution, numbered from 0.
    PackageId(u32);
    /// An image (a named stream of versions), numbered from 0.
    ImageId(u32);
    /// A customer, numbered from 0.
    CustomerId(u32);
    /// An SLA policy, numbered from 0 in the order of the scenario.
    PolicyId(u32);
    /// An advisory, numbered from 0 in the order of disclosure.
    AdvisoryId(u32);
    /// A machine of the builder pool, numbered from 0.
    BuilderId(u32);
}

impl BuilderId {
    /// Whoever builds images outside of the pool, and reports.
    pub const EXTERNAL: BuilderId = BuilderId(u32::MAX);

    /// What the builder is called in rows and documents.
    pub fn name(self) -> String {
        if self == Self::EXTERNAL { "external".to_owned() } else { format!("builder-{}", self.0) }
    }
}

/// A build event. Builds the world itself asks for are numbered from 1; a build asked for by a
/// command is [`BuildId::of_command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildId(pub u64);

impl BuildId {
    /// The first id of the builds that commands ask for, far above any world's own.
    pub const COMMANDED: u64 = 1_000_000_000;

    /// The build that the command with this sequence number asks for: known before the kernel
    /// has seen the command, so that the API can show it as pending at once.
    pub const fn of_command(sequence: u64) -> Self {
        BuildId(Self::COMMANDED + sequence)
    }
}

/// One published version of an image; versions of an image are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VersionRef {
    /// The image.
    pub image: ImageId,
    /// The ordinal of the version, from 1.
    pub version: u32,
}

/// One release of a package; a package's releases are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseRef {
    /// The package.
    pub package: PackageId,
    /// The ordinal of the release, from 0.
    pub release: u32,
}
