//! Scripted job bodies: each test says what its jobs do.
use futures::future::BoxFuture;
use jobs::error::JobError;
use jobs::job::JobContext;
use jobs::registry::Payload;
use jobs::worker::JobHandler;
use sim::fact::Outcome;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long [`Script::started`] waits.
const LIMIT: Duration = Duration::from_secs(60);

/// What a job does when it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Does its work.
    Work,
    /// Waits for [`Script::open_gate`], then does its work.
    WaitAtGate,
    /// Fails.
    Fail,
    /// Panics.
    Panic,
    /// Never ends.
    Hang,
    /// Finds something other than what the kernel says.
    Mismatch,
}

/// Acts by the sequence number of the first fact, used up one by one; then [`Act::Work`].
pub(crate) struct Script {
    acts: Mutex<HashMap<u64, Vec<Act>>>,
    runs: Mutex<HashMap<u64, usize>>,
    gate: Semaphore,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = (u64, Vec<Act>)>) -> Arc<Script> {
        let acts = acts.into_iter().map(|(seq, acts)| (seq, acts.into_iter().rev().collect()));
        let (acts, runs) = (Mutex::new(acts.collect()), Mutex::default());
        Arc::new(Script { acts, runs, gate: Semaphore::new(0) })
    }

    /// How many times the job of a fact was started.
    pub(crate) fn runs(&self, seq: u64) -> usize {
        self.runs.lock().unwrap().get(&seq).copied().unwrap_or(0)
    }

    /// Waits until the job of a fact has been started that many times.
    pub(crate) async fn started(&self, seq: u64, times: usize) {
        let began = Instant::now();
        while self.runs(seq) < times {
            let seen = self.runs(seq);
            assert!(began.elapsed() < LIMIT, "job {seq} was started {seen} times, not {times}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets one job pass that waits, or will wait, at the gate.
    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(1);
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
                Act::WaitAtGate => self.gate.acquire().await.unwrap().forget(),
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
