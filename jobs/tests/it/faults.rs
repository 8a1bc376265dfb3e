//! Dying workers and broken connections.
use crate::support::handlers::{Act, Script};
use crate::support::{Bench, LIMIT};
use jobs::queue::{RescueTimeouts, redeliver};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a dead worker had is redelivered at once.
const AT_ONCE: RescueTimeouts = RescueTimeouts {
    delivery: Duration::ZERO,
    worker: Duration::ZERO,
    attempt: Duration::from_secs(60),
};

/// The same while workers live: what they have fetched is theirs for a moment.
const AFTER_A_WHILE: RescueTimeouts = RescueTimeouts {
    delivery: Duration::from_millis(100),
    worker: Duration::from_millis(200),
    attempt: Duration::from_secs(60),
};

/// Runs workers in a runtime of their own until the job runs (or is dead), and ends it at once,
/// like a process that is killed.
async fn killed_while_working(url: String, script: Arc<Script>, seq: u64) {
    let killed = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let runs = script.runs(seq);
        runtime.block_on(async {
            let doomed = Bench::at(&url).await;
            let (workers, _stop) = doomed.work(&script);
            let began = Instant::now();
            while script.runs(seq) == runs && doomed.job(seq as i64).await.0 == "owed" {
                assert!(began.elapsed() < LIMIT, "job {seq} was not started: nothing was killed");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            std::mem::forget(workers);
        });
        runtime.shutdown_background();
    });
    killed.await.unwrap();
}

/// Delivers again what a dead worker had: as soon as the server has noticed that its connections are
/// gone, for until then its job is locked.
async fn redelivered(bench: &Bench, id: i64) {
    let began = Instant::now();
    while redeliver(&bench.pool, &AT_ONCE).await.unwrap().is_empty() {
        let job = bench.job(id).await;
        if job.0 != "owed" {
            return;
        }
        assert!(began.elapsed() < LIMIT, "job {id} is not delivered again: {job:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_finishes_the_job_of_a_dead_one() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Hang])]);
    bench.deliver(&[1]).await;
    killed_while_working(bench.url.clone(), script.clone(), 1).await;
    let (workers, stop) = bench.work(&script);
    // The other worker has done what was delivered later, and leaves what the dead one had.
    bench.deliver(&[2]).await;
    bench.becomes(2, "done").await;
    assert_eq!((bench.job(1).await.0.as_str(), script.runs(1)), ("owed", 1));
    redelivered(&bench, 1).await;
    bench.becomes(1, "done").await;
    assert_eq!(script.runs(1), 2);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_workers_is_dead_lettered() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Hang; 20])]);
    bench.deliver(&[1]).await;
    let mut lives = 0;
    while bench.job(1).await.0 == "owed" {
        assert!(lives < 12, "a job has killed {lives} workers and is not dead");
        killed_while_working(bench.url.clone(), script.clone(), 1).await;
        lives += 1;
        redelivered(&bench, 1).await;
    }
    let (_, attempts, error) = bench.job(1).await;
    assert!(attempts >= store::ledger::MAX_ATTEMPTS);
    assert!(error.unwrap().contains("did not come back"));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_survive_lost_connections() {
    let bench = Bench::new().await;
    bench.world().await;
    // In each round the connections are cut while a job is in the middle of its work.
    let gates = [30, 90, 150];
    let script = Script::new(gates.map(|seq| (seq, vec![Act::WaitAtGate])));
    let (workers, stop) = bench.work(&script);
    for gate in gates {
        let ids: Vec<i64> = (gate as i64 - 29..=gate as i64 + 30).collect();
        bench.deliver(&ids).await;
        script.started(gate, 1).await;
        let cut = bench
            .count(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        assert!(cut > 0, "no connection was cut");
        script.open_gate();
    }
    let began = Instant::now();
    let left = "SELECT count(*) FROM ledger WHERE state <> 'done'";
    while bench.count(left).await > 0 {
        let jobs: Vec<(i64, String, Option<String>)> =
            sqlx::query_as("SELECT id, state, error FROM ledger WHERE state <> 'done' LIMIT 5")
                .fetch_all(&bench.pool)
                .await
                .unwrap();
        assert!(began.elapsed() < LIMIT, "these jobs are never done: {jobs:?}");
        redeliver(&bench.pool, &AFTER_A_WHILE).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(bench.count("SELECT count(*) FROM ledger").await, 180);
    stop.cancel();
    workers.stopped().await;
}
