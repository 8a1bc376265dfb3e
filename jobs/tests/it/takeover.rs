//! Conductors that die, and conductors on standby.
use crate::support::conducting::{CLASSROOM, SEED, end, scenario, to_the_end};
use crate::support::handlers::{Act, Script};
use crate::support::{Bench, LIMIT};
use futures::future::BoxFuture;
use jobs::conductor::{ConductorState, Options, Stop};
use jobs::error::JobError;
use jobs::job::JobContext;
use jobs::registry::Payload;
use jobs::worker::{JobHandler, PlatformJobs, WorkerOptions, Workers};
use sim::World;
use sim::fact::{FactKind, UsageMode};
use sim::ids::{CustomerId, ImageId};
use sim::time::{HOUR_MS, SimDuration};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::finalize::{self, Usage};
use store::objects::ObjectStore;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Waits until a conductor that stands by has asked for the lock of the leader so many times.
async fn tries_to_lead(bench: &Bench, times: usize) {
    let mut seen = BTreeSet::new();
    let began = Instant::now();
    while seen.len() < times {
        assert!(began.elapsed() < LIMIT, "tries to lead: {seen:?}, {times} are awaited");
        let tried: Vec<String> = sqlx::query_scalar(
            "SELECT query_start::text FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND query LIKE 'SELECT pg_try_advisory_lock%'",
        )
        .fetch_all(&bench.pool)
        .await
        .unwrap();
        seen.extend(tried);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_conductor_stands_by_and_takes_over() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    let mut first = bench.conduct(Options::default()).await;
    first.is(|p| p.state == ConductorState::Leading).await;
    let second_bench = bench.beside().await;
    let mut second = second_bench.conduct(to_the_end()).await;
    tries_to_lead(&bench, 3).await;
    assert_eq!(second.progress.borrow().state, ConductorState::Standby);
    first.stop.cancel();
    assert_eq!(first.ended.await.unwrap().unwrap(), Stop::Shutdown);
    second.is(|p| p.state == ConductorState::Leading).await;
    assert_eq!(second.ended.await.unwrap().unwrap(), Stop::ReachedEnd);
    assert_eq!(bench.count("SELECT term FROM world").await, 2);
    stop.cancel();
    workers.stopped().await;
}

/// The old conductor lost its connection without noticing, and writes again when another leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_conductor_that_lost_leadership_writes_nothing() {
    let bench = Bench::new().await;
    let mut conn = bench.pool.acquire().await.unwrap();
    bench.open(Options::default()).await.unwrap();
    let old = store::world::begin_term(&mut conn).await.unwrap();
    let new = store::world::begin_term(&mut conn).await.unwrap();
    let record = store::world::get(&mut conn).await.unwrap();
    let superseded = |result: Result<(), store::error::Error>| {
        assert!(matches!(result, Err(store::error::Error::Superseded)), "{result:?}");
    };
    superseded(store::world::release(&mut conn, old, record.released, "x").await);
    superseded(store::world::seal(&mut conn, old, record.released).await);
    superseded(store::world::assert_term(&mut conn, old).await);
    store::world::assert_term(&mut conn, new).await.unwrap();
}

/// The real work up to the job with this number among those that are started; that one reports
/// itself and never ends, so that nothing goes past it.
struct DiesAt {
    job: usize,
    started: AtomicUsize,
    reached: Notify,
}

impl JobHandler for DiesAt {
    fn run<'a>(
        &'a self,
        ctx: &'a JobContext,
        conn: &'a mut PgConnection,
        payload: &'a Payload,
    ) -> BoxFuture<'a, Result<(), JobError>> {
        if self.started.fetch_add(1, Ordering::SeqCst) + 1 == self.job {
            self.reached.notify_one();
            return Box::pin(std::future::pending());
        }
        PlatformJobs.run(ctx, conn, payload)
    }
}

/// Conducts and works in a runtime of its own until that many jobs have been started, and ends all
/// of it in the middle of the last one, like a process that is killed.
async fn killed_at_job(job: usize, url: String, objects: ObjectStore) {
    let killed = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut doomed = Bench::at(&url).await;
            doomed.ctx.objects = objects;
            let bodies =
                Arc::new(DiesAt { job, started: AtomicUsize::new(0), reached: Notify::new() });
            let workers = Workers::start_with(
                doomed.ctx.clone(),
                doomed.signals.clone(),
                WorkerOptions::default(),
                CancellationToken::new(),
                bodies.clone(),
            );
            let conducting = doomed.conduct(to_the_end()).await;
            if tokio::time::timeout(LIMIT, bodies.reached.notified()).await.is_err() {
                let (started, progress) = (&bodies.started, conducting.progress.borrow());
                panic!("nothing was killed: {started:?} of {job} jobs were started, {progress:?}");
            }
            std::mem::forget((workers, conducting));
        });
        runtime.shutdown_background();
    });
    killed.await.unwrap();
}

/// Conductor and workers are killed in the middle of a job, five times; the same command continues
/// each time, and the world equals that of an undisturbed run.
#[tokio::test(flavor = "multi_thread")]
async fn a_world_killed_five_times_equals_an_undisturbed_one() {
    let clean = Bench::new().await;
    let clean_end = {
        let (workers, stop) = clean.really_work();
        let ended = clean.conduct(to_the_end()).await.ended.await.unwrap().unwrap();
        stop.cancel();
        workers.stopped().await;
        ended
    };
    assert_eq!(clean_end, Stop::ReachedEnd);
    let bench = Bench::new().await;
    // Of 121 jobs in all.
    for job in [1, 4, 12, 20, 25] {
        killed_at_job(job, bench.url.clone(), bench.ctx.objects.clone()).await;
        let unfinished = "SELECT count(*) FROM ledger WHERE state = 'owed'";
        assert!(bench.count(unfinished).await > 0, "no job was left unfinished by the kill");
    }
    let (workers, stop) = bench.really_work();
    let ended = bench.conduct(to_the_end()).await.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
    assert_eq!(bench.dump().await, clean.dump().await);
    assert_eq!(bench.count("SELECT term FROM world").await, 6, "five killed conductors and one");
}

/// The facts of the classroom's builds.
fn builds() -> Vec<u64> {
    let mut seqs = Vec::new();
    World::new(scenario(CLASSROOM), SEED).advance(end(), &mut |fact| {
        if matches!(fact.kind, FactKind::BuildFinished(_)) {
            seqs.push(fact.seq);
        }
    });
    seqs
}

/// All connections are cut in the middle of an early job, and again in the middle of a late one.
#[tokio::test(flavor = "multi_thread")]
async fn the_conductor_waits_for_a_lost_database() {
    let bench = Bench::new().await;
    let builds = builds();
    let gates = [builds[10], builds[60]];
    let script = Script::new(gates.map(|seq| (seq, vec![Act::WaitAtGate])));
    let (workers, stop) = bench.work(&script);
    // Not of the pool, whose connections are cut.
    let mut admin = PgConnection::connect(&bench.url).await.unwrap();
    let conducting = bench.conduct(to_the_end()).await;
    for gate in gates {
        script.started(gate, 1).await;
        let cut = sqlx::query_scalar::<_, i64>(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(cut.fetch_one(&mut admin).await.unwrap() > 0, "no connection was cut");
        script.open_gate();
    }
    assert_eq!(conducting.ends().await.unwrap(), Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
}

/// A window was finalized and not sealed; the next conductor finalizes it again, joined with the
/// next window.
#[tokio::test(flavor = "multi_thread")]
async fn finalizing_a_window_again_ends_what_the_next_window_ends() {
    let bench = Bench::new().await;
    bench.play(&Script::new([])).await;
    let first = Usage {
        customer: CustomerId(0),
        namespace: "tenant".to_owned(),
        image: ImageId(0),
        version: 1,
        from: end() + SimDuration(HOUR_MS),
        used_since: Some(end() + SimDuration(HOUR_MS)),
        until: None,
        mode: UsageMode::Follow,
        environment: "production".to_owned(),
        cluster: "eu-north-1".to_owned(),
        replicas: 1,
        internet_exposed: false,
    };
    let second = Usage { version: 2, from: end() + SimDuration(2 * HOUR_MS), ..first.clone() };
    let ended = Usage { until: Some(second.from), ..first.clone() };
    let mut conn = bench.pool.acquire().await.unwrap();
    let changed = [(first.customer, first.image, first.from)];
    finalize::update_usage(&mut conn, &changed, &[first]).await.unwrap();
    for _ in 0..2 {
        let moves = [ended.clone(), second.clone()];
        finalize::update_usage(&mut conn, &changed, &moves).await.unwrap();
        let open = "SELECT count(*) FROM customer_image_usage
                    WHERE customer_id = 0 AND image_id = 0 AND valid_to IS NULL";
        assert_eq!(bench.count(open).await, 1);
    }
}
