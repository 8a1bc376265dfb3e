//! The log of a build, and why it ran, in the words of the documents.
use super::contents::stream;
use crate::error::JobError;
use crate::job::SequencedFact;
use crate::naming::repository;
use anyhow::Context;
use documents::build_log::{self, Attempt, AttemptOutcome, BuildLog, Step};
use documents::{Digest, ImageContents, Timestamp, Trigger};
use sim::fact::{BuildResult, Cause, FailureReason, Outcome};
use sim::scenario::units::CronSchedule;
use sim::time::SimTime;
use store::artifacts::{Document, kind};
use store::builds::{BuildSubject, builder_name};

/// What a caller is called who did not say who it is.
const SOMEBODY: &str = "somebody";
/// What stands for the schedule of a periodic rebuild that an incident or an arrival asked for.
const UNSCHEDULED: &str = "outside the rebuild schedule";

/// What stands before the words of an external builder; they are indented, so that none of them
/// can be taken for a line of ours.
const REPORTED: &str = "the external builder wrote:\n";

/// A simulated instant as documents take it.
pub(super) fn timestamp(at: SimTime) -> Result<Timestamp, JobError> {
    Ok(Timestamp::from_ms(at.0).context("an instant of a build")?)
}

/// Why the build ran.
pub(super) fn trigger(cause: &Cause, subject: &BuildSubject) -> Result<Trigger, JobError> {
    Ok(match cause {
        Cause::Bootstrap => Trigger::Bootstrap,
        Cause::Retry { of, failures } => Trigger::Retry { build: of.0, failures: *failures },
        Cause::Cron => {
            let schedule = subject.cause_schedule.as_deref().unwrap_or(UNSCHEDULED).to_owned();
            Trigger::Cron { schedule }
        }
        Cause::Manual { requested_by, .. } => {
            Trigger::Manual { requested_by: requested_by.as_deref().unwrap_or(SOMEBODY).to_owned() }
        }
        Cause::Upstream { release: None, revision } => Trigger::Upstream {
            package: subject.name.clone(),
            revision: revision.as_deref().unwrap_or_default().to_owned(),
        },
        Cause::Upstream { release: Some(_), revision } => Trigger::Upstream {
            package: stored("packages.name", &subject.cause_package)?,
            revision: match revision {
                Some(revision) => revision.to_string(),
                None => stored("package_releases.version", &subject.cause_version)?,
            },
        },
        Cause::CveFix { .. } => {
            Trigger::CveFix { advisory: stored("advisories.cve", &subject.cause_cve)? }
        }
        Cause::BaseChange { .. } => Trigger::BaseChange {
            digest: stored("image_versions.digest", &subject.cause_digest)?
                .parse()
                .context("digest of the changed base")?,
        },
    })
}

/// A name that the cause of a build refers to.
fn stored(column: &'static str, name: &Option<String>) -> Result<String, JobError> {
    let name = name.clone().with_context(|| format!("the cause of a build: no row in {column}"));
    Ok(name?)
}

/// The expression of the schedule, if it fires at that instant: incidents and arrivals of the
/// scenario may ask for periodic rebuilds too.
pub(super) fn schedule(schedule: Option<&CronSchedule>, requested: SimTime) -> Option<String> {
    let before = SimTime(requested.0 - 1);
    let fires = schedule.filter(|cron| cron.next_after(before) == Some(requested));
    fires.map(|cron| cron.as_str().to_owned())
}

/// The log of a build that ended without a new version.
pub(super) fn of_nothing_published(
    job: &SequencedFact<BuildResult>,
    subject: &BuildSubject,
) -> Result<Document, JobError> {
    let end = match &job.fact.outcome {
        Outcome::Unchanged { version } => build_log::BuildResult::Unchanged { version: *version },
        Outcome::Superseded { version } => build_log::BuildResult::Superseded { version: *version },
        Outcome::Failed { .. } => {
            let reason = job.fact.failure().unwrap_or_default().to_owned();
            build_log::BuildResult::Failed { reason }
        }
        Outcome::Published(_) => return Err(anyhow::anyhow!("a version was published").into()),
    };
    render(job, subject, stream(subject.main_version.as_deref()), None, &end)
}

/// The log of a build that published.
pub(super) fn of_published(
    job: &SequencedFact<BuildResult>,
    subject: &BuildSubject,
    contents: &ImageContents,
    digest: Digest,
) -> Result<Document, JobError> {
    let end = build_log::BuildResult::Published { digest };
    render(job, subject, &contents.version, Some(contents), &end)
}

fn render(
    job: &SequencedFact<BuildResult>,
    subject: &BuildSubject,
    version: &str,
    contents: Option<&ImageContents>,
    end: &build_log::BuildResult,
) -> Result<Document, JobError> {
    let result = &job.fact;
    let attempt = builder_name(result).map(|builder| last_attempt(job, builder)).transpose()?;
    let mut text = build_log::render(&BuildLog {
        build_id: &result.build.0.to_string(),
        repository: &repository(&subject.name),
        version,
        trigger: &trigger(&result.cause, subject)?,
        requested: timestamp(result.requested)?,
        earlier_attempts: result.attempts.saturating_sub(1) as usize,
        attempts: attempt.as_slice(),
        contents,
        result: end,
        finished: timestamp(job.at)?,
    });
    if let Some(log) = result.report.as_ref().and_then(|report| report.log.as_deref()) {
        text.push_str(REPORTED);
        text.extend(log.lines().flat_map(|line| ["  ", line, "\n"]));
    }
    let media_type = "text/plain; charset=utf-8";
    Ok(Document { kind: kind::LOG, media_type, bytes: text.into() })
}

fn last_attempt(job: &SequencedFact<BuildResult>, builder: String) -> Result<Attempt, JobError> {
    let outcome = match &job.fact.outcome {
        Outcome::Failed { reason: FailureReason::Broken } => AttemptOutcome::Broken {
            step: Step::Assemble,
            reason: "the new upstream release does not build".to_owned(),
        },
        Outcome::Failed { reason: FailureReason::Flaked } => {
            AttemptOutcome::Flaked { step: Step::Test, reason: "a test timed out".to_owned() }
        }
        Outcome::Failed { reason: FailureReason::Reported } => {
            let reason = job.fact.failure().unwrap_or_default().to_owned();
            AttemptOutcome::Broken { step: Step::Assemble, reason }
        }
        _ => AttemptOutcome::Succeeded,
    };
    let (started, finished) = (timestamp(job.fact.started)?, timestamp(job.at)?);
    Ok(Attempt { builder, started, finished, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_firing_names_the_schedule() {
        let nightly = CronSchedule::parse("0 2 * * *").expect("valid");
        let two: sim::scenario::units::Instant = "2026-01-05T02:00:00Z".parse().expect("valid");
        let two = two.time();
        assert_eq!(schedule(Some(&nightly), two).as_deref(), Some("0 2 * * *"));
        for off_ms in [-1, 1, 999, 3_600_000] {
            assert_eq!(schedule(Some(&nightly), SimTime(two.0 + off_ms)), None, "{off_ms}");
        }
        assert_eq!(schedule(None, two), None);
    }
}
