//! A request to disclose an advisory.
use super::lookup::{is_plain, ordinal};
use super::{Refusal, Requester, position, submit};
use crate::read::commands::{CommandRow, Release, release};
use documents::cvss::BaseScore;
use sim::command::{Command, NewAdvisory, NewRange};
use sim::ids::PackageId;
use sim::severity::{Severity, Vector};
use sim::time::SimDuration;
use sqlx::PgConnection;
use std::sync::Arc;

/// How bad an advisory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rating<'a> {
    /// A CVSS 3.1 base vector, from which the score is computed.
    Vector(&'a str),
    /// A severity; the vector is one of that severity, of a shape that is common in public feeds.
    Severity(Severity),
}

/// A package with the range of its affected versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffectedPackage<'a> {
    /// The package's name.
    pub package: &'a str,
    /// The first affected version; none: the package's first one.
    pub introduced: Option<&'a str>,
    /// The first version that is not affected any more, if one is out already.
    pub fixed: Option<&'a str>,
}

/// What an advisory hits.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach<'a> {
    /// These packages.
    Packages(Vec<AffectedPackage<'a>>),
    /// So large a share of all images, from 0 to 1, through as few packages as can be.
    ImageShare(f64),
}

/// An advisory to be disclosed.
#[derive(Clone, Debug, PartialEq)]
pub struct AdvisoryRequest<'a> {
    /// Its id; none: the next one of the world's own.
    pub cve: Option<&'a str>,
    /// How bad it is.
    pub rating: Rating<'a>,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// What it hits.
    pub reach: Reach<'a>,
    /// From disclosure until scanners see it.
    pub detectable_after: SimDuration,
    /// From disclosure to the upstream fix; none: there is none, unless a package has a fixed version
    /// already.
    pub fix_after: Option<SimDuration>,
    /// From the upstream fix to the fixed packages of the distribution.
    pub package_fix_after: SimDuration,
}

/// Asks for an advisory to be disclosed.
///
/// # Errors
/// The vector, a package or a range is wrong.
pub async fn request(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    wanted: &AdvisoryRequest<'_>,
) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    let command = command(conn, wanted).await?;
    submit(conn, requester.namespace(), command).await
}

/// The command that a request becomes.
pub(super) async fn command(
    conn: &mut PgConnection,
    wanted: &AdvisoryRequest<'_>,
) -> Result<Command, Refusal> {
    let vector = match wanted.rating {
        Rating::Vector(vector) => vector,
        Rating::Severity(severity) => vector_of(severity),
    };
    let severity = severity(vector)?;
    let (mut packages, mut image_share_permille) = (Vec::new(), None);
    match &wanted.reach {
        Reach::Packages(affected) => {
            for affected in affected {
                packages.push(range(conn, affected).await?);
            }
        }
        Reach::ImageShare(share) => image_share_permille = Some(permille(*share)),
    }
    Ok(Command::DiscloseAdvisory(Arc::new(NewAdvisory {
        cve: wanted.cve.map(Arc::from),
        vector: Vector(vector.into()),
        severity,
        known_exploited: wanted.known_exploited,
        packages,
        image_share_permille,
        detectable_after: wanted.detectable_after,
        fix_after: wanted.fix_after,
        package_fix_after: wanted.package_fix_after,
    })))
}

/// A share as thousandths, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a whole number from 1 to 1000"
)]
fn permille(share: f64) -> u32 {
    (share * 1000.0).round().clamp(1.0, 1000.0) as u32
}

/// A vector of that severity, of a shape that is common in public feeds.
pub const fn vector_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N",
        Severity::Medium => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
        Severity::High => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        Severity::Critical => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    }
}

fn severity(vector: &str) -> Result<Severity, Refusal> {
    let wrong = |reason: String| Refusal::InvalidVector { reason };
    let score = BaseScore::of(vector).map_err(|error| wrong(error.to_string()))?;
    match score.severity() {
        documents::cvss::Severity::None => Err(wrong("The vector scores 0".to_owned())),
        documents::cvss::Severity::Low => Ok(Severity::Low),
        documents::cvss::Severity::Medium => Ok(Severity::Medium),
        documents::cvss::Severity::High => Ok(Severity::High),
        documents::cvss::Severity::Critical => Ok(Severity::Critical),
    }
}

async fn range(
    conn: &mut PgConnection,
    affected: &AffectedPackage<'_>,
) -> Result<NewRange, Refusal> {
    let first = one_release(conn, affected.package, affected.introduced).await?;
    let package = PackageId(ordinal(first.package_id)?);
    let introduced = ordinal(first.release.into())?;
    let fixed = match affected.fixed {
        Some(version) => {
            let fixed = one_release(conn, affected.package, Some(version)).await?;
            Some(ordinal(fixed.release.into())?)
        }
        None => None,
    };
    if fixed.is_some_and(|fixed| fixed <= introduced) {
        let detail = "`fixed` must be a later version than `introduced`.";
        return Err(Refusal::Contradiction(detail.to_owned()));
    }
    Ok(NewRange { package, introduced, fixed })
}

async fn one_release(
    conn: &mut PgConnection,
    package: &str,
    version: Option<&str>,
) -> Result<Release, Refusal> {
    let readable = is_plain(package) && version.is_none_or(is_plain);
    let found = if readable { release(conn, package, version).await? } else { None };
    found.ok_or_else(|| match version {
        Some(version) => {
            Refusal::UnknownRelease { package: package.to_owned(), version: version.to_owned() }
        }
        None => Refusal::UnknownPackage { package: package.to_owned() },
    })
}
