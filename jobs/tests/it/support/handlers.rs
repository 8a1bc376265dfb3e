//! Job bodies made to measure: what a job does is written in the test.
use futures::future::BoxFuture;
use jobs::error::JobError;
use jobs::job::JobContext;
use jobs::registry::Payload;
use jobs::worker::JobHandler;
use sim::fact::Outcome;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a job does when it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Its work.
    Work,
    /// Its work, slowly.
    Slow(Duration),
    /// Fails.
    Fail,
    /// Panics.
    Panic,
    /// Never ends.
    Hang,
    /// Finds something else than the kernel says.
    Mismatch,
}

/// Acts by the sequence number of the first fact, used up one by one; then [`Act::Work`].
#[derive(Default)]
pub(crate) struct Script {
    acts: Mutex<HashMap<u64, Vec<Act>>>,
    runs: Mutex<HashMap<u64, usize>>,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = (u64, Vec<Act>)>) -> Arc<Script> {
        let acts = acts.into_iter().map(|(seq, acts)| (seq, acts.into_iter().rev().collect()));
        Arc::new(Script { acts: Mutex::new(acts.collect()), runs: Mutex::default() })
    }

    /// How often the job of a fact ran.
    pub(crate) fn runs(&self, seq: u64) -> usize {
        self.runs.lock().unwrap().get(&seq).copied().unwrap_or(0)
    }

    fn next(&self, seq: u64) -> Act {
        *self.runs.lock().unwrap().entry(seq).or_default() += 1;
        self.acts.lock().unwrap().get_mut(&seq).and_then(Vec::pop).unwrap_or(Act::Work)
    }
}

impl JobHandler for Script {
    fn run<'a>(
        &'a self,
        _: &'a JobContext,
        conn: &'a mut PgConnection,
        payload: &'a Payload,
    ) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let seq = first_seq(payload);
            match self.next(seq) {
                Act::Work => {}
                Act::Slow(time) => tokio::time::sleep(time).await,
                Act::Fail => return Err(anyhow::anyhow!("it failed").into()),
                Act::Panic => panic!("it panicked"),
                Act::Hang => std::future::pending::<()>().await,
                Act::Mismatch => {
                    return Err(JobError::Mismatch {
                        what: "the sum".to_owned(),
                        expected: "2".to_owned(),
                        found: "3".to_owned(),
                    });
                }
            }
            if let Payload::Build(build) = payload {
                build_rows(conn, build).await?;
            }
            Ok(())
        })
    }
}

fn first_seq(payload: &Payload) -> u64 {
    match payload {
        Payload::Attest(what) => what.first_seq(),
        Payload::Build(build) => build.seq,
        Payload::Scan(scans) => scans[0].seq,
        Payload::SlaCheck(checks) => checks[0].seq,
        Payload::Notify(notices) => notices[0].seq,
    }
}

/// The least that a build must leave for what refers to it.
async fn build_rows(
    conn: &mut PgConnection,
    build: &jobs::job::SequencedFact<sim::fact::BuildResult>,
) -> Result<(), JobError> {
    let result = &build.fact;
    sqlx::query("UPDATE build_events SET status = $2, finished_at = $3 WHERE id = $1")
        .bind(result.build.0 as i64)
        .bind(result.outcome.as_str())
        .bind(build.at.to_datetime())
        .execute(&mut *conn)
        .await?;
    let Outcome::Published(published) = &result.outcome else { return Ok(()) };
    sqlx::query(
        "INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
             base_image_id, base_version, package_ids, releases, components, published_at)
         VALUES ($1, $2, $3, 'catalogue', 'sha256:' || repeat('0', 64), '{}', $4, $5, '{}', '{}',
                 '{}', $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(i64::from(result.image.0))
    .bind(published.version as i32)
    .bind(result.build.0 as i64)
    .bind(published.base.map(|base| i64::from(base.image.0)))
    .bind(published.base.map(|base| base.version as i32))
    .bind(build.at.to_datetime())
    .execute(conn)
    .await?;
    Ok(())
}
