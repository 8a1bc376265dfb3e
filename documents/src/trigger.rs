//! Why a build ran: stated alike in provenance and build logs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The cause of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Trigger {
    /// A new upstream release of a package, told by a webhook.
    Upstream {
        /// The package.
        package: String,
        /// Its new version or revision.
        revision: String,
    },
    /// A person or an API client asked for it.
    Manual {
        /// Who asked.
        requested_by: String,
    },
    /// The periodic rebuild.
    Cron {
        /// The cron expression.
        schedule: String,
    },
    /// A fix for a vulnerability became available.
    CveFix {
        /// The advisory's id.
        advisory: String,
    },
    /// The base image changed.
    BaseChange {
        /// The base's new digest.
        digest: Digest,
    },
    /// A build has failed, and what it owed is still owed.
    Retry {
        /// The number of the build that failed.
        build: u64,
        /// How many builds of the image had failed in a row.
        failures: u32,
    },
    /// The first build of an image when the world starts.
    Bootstrap,
}

impl fmt::Display for Trigger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream { package, revision } => {
                write!(formatter, "upstream release of {package} {revision}")
            }
            Self::Manual { requested_by } => write!(formatter, "requested by {requested_by}"),
            Self::Cron { schedule } => write!(formatter, "periodic rebuild ({schedule})"),
            Self::CveFix { advisory } => write!(formatter, "fix available for {advisory}"),
            Self::BaseChange { digest } => write!(formatter, "base image changed to {digest}"),
            Self::Retry { build, failures: 1 } => {
                write!(formatter, "retry of failed build {build}")
            }
            Self::Retry { build, failures } => {
                write!(formatter, "retry of failed build {build}, {failures} in a row")
            }
            Self::Bootstrap => formatter.write_str("first build"),
        }
    }
}
