//! What an operator can do about a dead job: retry or discard it.
use crate::support::Bench;
use crate::support::conducting::{CLASSROOM, SEED, scenario};
use futures::future::BoxFuture;
use jobs::conductor::{Options, Progress, Stop};
use jobs::error::JobError;
use jobs::job::JobContext;
use jobs::registry::Payload;
use jobs::worker::{JobHandler, PlatformJobs, WorkerOptions, Workers};
use sim::World;
use sim::fact::FactKind;
use sim::time::{HOUR_MS, SimDuration, SimTime};
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use store::digest::{WorldDigest, world_digest};
use store::ledger;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The real work, except that the notification of one fact always fails.
struct Flawed(Option<u64>);

impl JobHandler for Flawed {
    fn run<'a>(
        &'a self,
        ctx: &'a JobContext,
        conn: &'a mut PgConnection,
        payload: &'a Payload,
    ) -> BoxFuture<'a, Result<(), JobError>> {
        match payload {
            Payload::Notify(notices) if notices.iter().any(|n| Some(n.seq) == self.0) => {
                Box::pin(async {
                    let (expected, found) = ("2".to_owned(), "3".to_owned());
                    Err(JobError::Mismatch { what: "the sum".to_owned(), expected, found })
                })
            }
            _ => PlatformJobs.run(ctx, conn, payload),
        }
    }
}

async fn play(bench: &Bench, until: SimTime, flaw: Option<u64>) -> Stop {
    let stop = CancellationToken::new();
    let (ctx, signals) = (bench.ctx.clone(), bench.signals.clone());
    let bodies = Arc::new(Flawed(flaw));
    let options = WorkerOptions::default();
    let workers = Workers::start_with(ctx, signals, options, stop.clone(), bodies);
    let options = Options { stop_at: Some(until), stop_when_held: true, ..Options::default() };
    let conductor = bench.open_as(CLASSROOM, SEED, options).await.unwrap();
    let (progress, _watched) = watch::channel(Progress::default());
    let ended = conductor.run(progress, CancellationToken::new()).await.unwrap();
    stop.cancel();
    workers.stopped().await;
    ended
}

async fn digest(bench: &Bench) -> WorldDigest {
    world_digest(&bench.pool, &bench.ctx.objects).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_job_unblocks_the_clock_and_leaves_a_gap() {
    let (seq, at) = first_notification();
    let until = SimTime(at.0 + HOUR_MS);
    let (clean, gap) = (Bench::new().await, Bench::new().await);
    assert_eq!(play(&clean, until, None).await, Stop::ReachedEnd, "seed {SEED}");
    let held = play(&gap, until, Some(seq)).await;
    assert!(matches!(held, Stop::Held { .. }), "{held:?}");

    let mut conn = gap.pool.acquire().await.unwrap();
    let dead = gap.count("SELECT id FROM ledger WHERE state = 'dead'").await;
    assert_eq!(ledger::discarded(&mut conn).await.unwrap(), 0);
    assert!(ledger::discard(&mut conn, dead).await.unwrap());
    assert!(!ledger::discard(&mut conn, dead).await.unwrap(), "discarded a second time");
    assert!(!ledger::retry(&mut conn, dead).await.unwrap(), "a discarded job is retried");
    assert_eq!(gap.count("SELECT count(*) FROM clock WHERE held_reason IS NULL").await, 1);

    // The job would succeed now, but is not run any more.
    assert_eq!(play(&gap, until, None).await, Stop::ReachedEnd, "seed {SEED}");
    let (whole, left) = (digest(&clean).await, digest(&gap).await);
    assert_eq!(whole.differences(&left), ["notifications"], "seed {SEED}");
    assert_ne!(whole.total, left.total);

    let everything = ledger::delete_done(&mut conn, Duration::ZERO, 1_000_000).await.unwrap();
    assert!(everything > 0);
    assert_eq!(ledger::discarded(&mut conn).await.unwrap(), 1);
    let (state, _, error) = gap.job(dead).await;
    assert_eq!(
        (state.as_str(), error.as_deref().unwrap_or("").contains("the sum")),
        ("done", true)
    );
}

/// The first notification of the classroom: its number and its instant.
fn first_notification() -> (u64, SimTime) {
    let plan = scenario(CLASSROOM);
    let end = plan.start.time() + SimDuration::days(7);
    let mut first = None;
    World::new(plan, SEED).advance(end, &mut |fact| {
        if matches!(fact.kind, FactKind::Notified(_)) && first.is_none() {
            first = Some((fact.seq, fact.at));
        }
    });
    first.unwrap()
}
