//! The report of an external orchestrator: a build that it made has ended.
use super::lookup::is_plain;
use super::{Refusal, Requester, position, submit};
use crate::commands;
use crate::error::Error;
use crate::read::Moment;
use crate::read::builds::{BuildRow, build};
use crate::read::commands::{CommandRow, completion};
use sim::command::{Command, Report};
use sim::ids::BuildId;
use sqlx::PgConnection;
use std::sync::Arc;

/// How an external build ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletionRequest<'a> {
    /// The build's number.
    pub build: i64,
    /// Whether it built the image.
    pub succeeded: bool,
    /// Why it failed, one line; only when it did.
    pub failure: Option<&'a str>,
    /// What the builder wrote: lines of text.
    pub log: Option<&'a str>,
}

/// Reports the end of an external build. It counts once.
///
/// # Errors
/// The build is not there, not external, not the requester's, has ended, or was reported before.
pub async fn request(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    wanted: &CompletionRequest<'_>,
) -> Result<CommandRow, Refusal> {
    let report = checked(wanted)?;
    commands::lock(conn).await?;
    let position = position(conn).await?;
    let moment = Moment { as_of: position.released_through, newest: true };
    let unknown = || Refusal::UnknownBuild { build: wanted.build };
    let row = build(conn, moment, wanted.build).await?.ok_or_else(unknown)?;
    check_waits(&row)?;
    if requester.tenant().is_some_and(|tenant| tenant != row.tenant_namespace) {
        return Err(Refusal::SharedBuild);
    }
    if let Some(before) = completion(conn, wanted.build).await? {
        let succeeded = before.command["report"]["succeeded"].as_bool() == Some(true);
        let reported_wall = before.received_wall;
        return Err(Refusal::BuildReported { build: row.id, succeeded, reported_wall });
    }
    let id = u64::try_from(wanted.build)
        .map_err(|_| Error::OutOfRange { what: "build", value: wanted.build })?;
    let command = Command::CompleteBuild { build: BuildId(id), report: Arc::new(report) };
    submit(conn, &row.tenant_namespace, command).await
}

/// Whether a build waits to be completed from outside.
fn check_waits(row: &BuildRow) -> Result<(), Refusal> {
    if !row.external {
        return Err(Refusal::BuildNotExternal { build: row.id });
    }
    let Some(finished_at) = row.finished_at else { return Ok(()) };
    Err(Refusal::BuildEnded { build: row.id, finished_at, status: row.status.clone() })
}

fn checked(wanted: &CompletionRequest<'_>) -> Result<Report, Refusal> {
    if !wanted.failure.is_none_or(is_plain) {
        return Err(Refusal::InvalidText("`failure` is one line without control characters."));
    }
    let allowed = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    if !wanted.log.is_none_or(|log| log.chars().all(allowed)) {
        let detail = "`log` holds control characters other than line ends and tabs.";
        return Err(Refusal::InvalidText(detail));
    }
    if wanted.succeeded && wanted.failure.is_some() {
        let detail = "`failure` says why a build failed, and this one succeeded.";
        return Err(Refusal::Contradiction(detail.to_owned()));
    }
    Ok(Report {
        succeeded: wanted.succeeded,
        failure: wanted.failure.map(Arc::from),
        log: wanted.log.map(Arc::from),
    })
}
