//! Windows: however large they are, the world is the same; a stop does not wait for one, and what
//! goes on within one is told.
use crate::support::Bench;
use crate::support::conducting::{CLASSROOM, scenario};
use crate::support::handlers::{Act, Script};
use jobs::conductor::{Bounds, Options, Stop};
use sim::World;
use sim::fact::FactKind;
use sim::time::{DAY_MS, SimDuration, SimTime};
use sqlx::{Connection, PgConnection};
use store::digest::{WorldDigest, world_digest};

fn start() -> SimTime {
    scenario(CLASSROOM).start.time()
}

fn days(days: i64, bounds: Bounds) -> Options {
    let stop_at = Some(start() + SimDuration(days * DAY_MS));
    Options { stop_at, stop_when_held: true, bounds, ..Options::default() }
}

async fn played(bench: &Bench, options: Options) -> WorldDigest {
    let (workers, stop) = bench.really_work();
    assert_eq!(bench.conduct(options).await.ends().await.unwrap(), Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
    world_digest(&bench.pool, &bench.ctx.objects).await.unwrap()
}

/// Four days, with the incident of Thursday.
#[tokio::test(flavor = "multi_thread")]
async fn the_digest_is_the_same_however_windows_are_cut() {
    let bounds = Bounds::default();
    let usual = played(&Bench::new().await, days(4, bounds)).await;
    assert!(usual.objects.count > 100, "{usual:?}");
    for window_rows in [1, 100, usize::MAX] {
        let bench = Bench::new().await;
        let cut = played(&bench, days(4, Bounds { window_rows, ..bounds })).await;
        let differences = cut.differences(&usual);
        assert_eq!(cut.total, usual.total, "{window_rows} rows a window: {differences:?}");
    }
}

/// The transaction of a release cannot go on; the conductor ends all the same, and what it had not
/// committed has not happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_the_window_that_is_being_written() {
    let clean = played(&Bench::new().await, days(1, Bounds::default())).await;
    let bench = Bench::new().await;
    let mut other = PgConnection::connect(&bench.url).await.unwrap();
    let mut held = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE audit_logs").execute(&mut *held).await.unwrap();
    let mut conducting = bench.conduct(days(1, Bounds::default())).await;
    bench
        .holds(
            "SELECT EXISTS (SELECT FROM pg_locks
                            WHERE relation = 'audit_logs'::regclass AND NOT granted)",
        )
        .await;
    conducting.is(|progress| progress.window.is_some_and(|window| window.facts > 0)).await;
    conducting.stop.cancel();
    assert_eq!(conducting.ends().await.unwrap(), Stop::Shutdown);
    held.rollback().await.unwrap();
    assert_eq!(bench.count("SELECT released_seq FROM world").await, 0);
    assert_eq!(bench.count("SELECT count(*) FROM timeline").await, 0);
    assert_eq!(played(&bench, days(1, Bounds::default())).await, clean);
}

/// Jobs count as they are done, not with the window.
#[tokio::test(flavor = "multi_thread")]
async fn progress_is_told_within_a_window() {
    let bench = Bench::new().await;
    let mut builds = Vec::new();
    World::new(scenario(CLASSROOM), crate::support::conducting::SEED).advance(
        start(),
        &mut |fact| {
            if matches!(fact.kind, FactKind::BuildFinished(_)) {
                builds.push(fact.seq);
            }
        },
    );
    let last = *builds.last().expect("the world begins with builds");
    let script = Script::new([(last, vec![Act::WaitAtGate])]);
    let (workers, stop) = bench.work(&script);
    let mut conducting = bench.conduct(days(1, Bounds::default())).await;
    let others = builds.len() as u64 - 1;
    conducting.is(|progress| progress.jobs_done >= others).await;
    assert_eq!(conducting.progress.borrow().materialized_through, start());
    script.open_gate();
    assert_eq!(conducting.ends().await.unwrap(), Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
}
