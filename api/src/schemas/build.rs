//! Builds as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::builds::BuildRow;

macro_rules! named {
    ($name:ident { $($variant:ident => $text:literal,)* }) => {
        impl $name {
            /// The name in the database and the API.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// From the database.
            fn parse(text: &str) -> Result<Self, Problem> {
                match text {
                    $($text => Ok($name::$variant),)*
                    _ => Err(Problem::internal(format!("a {} named {text:?}", stringify!($name)))),
                }
            }
        }
    };
}

/// How far a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum BuildStatus {
    /// It waits for a builder (after a flaked attempt, once more), or for time to move.
    Pending,
    /// A builder works on it.
    Running,
    /// The builder is done; the documents are being stored.
    Finishing,
    /// It published a version.
    Completed,
    /// What it built is what was there already.
    Unchanged,
    /// A build that began later had published already.
    Superseded,
    /// Another build of the image covers it.
    Merged,
    /// It failed.
    Failed,
}

named! { BuildStatus {
    Pending => "pending",
    Running => "running",
    Finishing => "finishing",
    Completed => "completed",
    Unchanged => "unchanged",
    Superseded => "superseded",
    Merged => "merged",
    Failed => "failed",
} }

/// What asks for builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum BuildTrigger {
    /// A fix for a known vulnerability is available.
    CveFix,
    /// Somebody asked.
    Manual,
    /// The upstream project released.
    Upstream,
    /// The base image changed.
    BaseChange,
    /// The periodic rebuild.
    Cron,
    /// A build failed, and what it owed is still owed.
    Retry,
    /// The inventory that the world began with.
    Bootstrap,
}

named! { BuildTrigger {
    CveFix => "cve_fix",
    Manual => "manual",
    Upstream => "upstream",
    BaseChange => "base_change",
    Cron => "cron",
    Retry => "retry",
    Bootstrap => "bootstrap",
} }

/// What asked for a build, as far as it applies to the trigger.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct BuildCause {
    /// The advisory that has a fix.
    cve: Option<String>,
    /// The package that has a new release.
    package: Option<String>,
    /// That release.
    package_version: Option<String>,
    /// The base image that has a new version.
    base: Option<String>,
    /// That version.
    base_version: Option<i64>,
    /// The revision that a webhook named.
    revision: Option<String>,
    /// Who asked.
    requested_by: Option<String>,
    /// The build that failed and is tried again.
    retry_of: Option<i64>,
}

/// A build event.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Build {
    /// Its number.
    id: i64,
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The namespace of the image's owner.
    tenant_namespace: String,
    /// How far it was.
    status: BuildStatus,
    /// What asked for it.
    trigger: BuildTrigger,
    /// The same with its particulars.
    cause: BuildCause,
    /// When it was asked for. Of a command that the world has not taken yet, where the world
    /// stood.
    requested_at: Instant,
    /// When a builder first took it.
    started_at: Option<Instant>,
    /// When it ended.
    finished_at: Option<Instant>,
    /// How many attempts it took, once it has ended.
    attempts: Option<i32>,
    /// Whether somebody outside builds it and posts its completion.
    external: bool,
    /// The machine that built it, once it has ended.
    builder: Option<String>,
    /// The build that covers it.
    merged_into: Option<i64>,
    /// Why it failed.
    failure: Option<String>,
    /// The version that it published, or found to be current.
    version: Option<i32>,
    /// The digest of that version.
    digest: Option<String>,
    /// Its log, once it has ended.
    log_href: Option<String>,
    /// Its documents.
    artifacts_href: String,
    /// This build.
    pub(crate) href: String,
}

impl Build {
    /// As the API shows it.
    pub(crate) fn new(row: BuildRow) -> Result<Self, Problem> {
        let href = format!("/v1/builds/{}", row.id);
        Ok(Build {
            id: row.id,
            image: row.image,
            image_id: row.image_id,
            tenant_namespace: row.tenant_namespace,
            status: BuildStatus::parse(&row.status)?,
            trigger: BuildTrigger::parse(&row.trigger)?,
            cause: BuildCause {
                cve: row.cve,
                package: row.package,
                package_version: row.package_version,
                base: row.base,
                base_version: row.base_version,
                revision: row.revision,
                requested_by: row.requested_by,
                retry_of: row.retry_of,
            },
            requested_at: row.requested_at.into(),
            started_at: row.started_at.map(Into::into),
            finished_at: row.finished_at.map(Into::into),
            attempts: row.attempts,
            external: row.external,
            builder: row.builder,
            merged_into: row.merged_into,
            failure: row.failure,
            version: row.version,
            digest: row.digest,
            log_href: row.log_sha256.map(|sha256| format!("/v1/artifacts/{sha256}")),
            artifacts_href: format!("{href}/artifacts"),
            href,
        })
    }
}

/// A build as of an instant.
#[derive(Object)]
#[oai(example)]
pub(crate) struct BuildDetail {
    #[oai(flatten)]
    pub(crate) build: Build,
    /// The simulated instant this speaks of.
    pub(crate) as_of: Instant,
    /// Whether this answer can never change again.
    pub(crate) settled: bool,
}

page! {
    /// A page of builds.
    BuildPage of Build
}

impl Example for Build {
    fn example() -> Self {
        let href = "/v1/builds/312".to_owned();
        Build {
            id: 312,
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            tenant_namespace: "catalogue".to_owned(),
            status: BuildStatus::Completed,
            trigger: BuildTrigger::CveFix,
            cause: BuildCause {
                cve: Some(examples::CVE.to_owned()),
                package: Some("libexample".to_owned()),
                package_version: Some("1.4.2-r1".to_owned()),
                base: None,
                base_version: None,
                revision: None,
                requested_by: None,
                retry_of: None,
            },
            requested_at: time::example(1),
            started_at: Some(time::example(1)),
            finished_at: Some(time::example(2)),
            attempts: Some(1),
            external: false,
            builder: Some("builder-0".to_owned()),
            merged_into: None,
            failure: None,
            version: Some(5),
            digest: Some(format!("sha256:{}", "a".repeat(64))),
            log_href: Some(format!("/v1/artifacts/{}", "e".repeat(64))),
            artifacts_href: format!("{href}/artifacts"),
            href,
        }
    }
}

impl Example for BuildDetail {
    fn example() -> Self {
        BuildDetail { build: Build::example(), as_of: time::example(6), settled: true }
    }
}
