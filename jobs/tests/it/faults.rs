//! Workers that die, and connections that break.
use crate::support::Bench;
use crate::support::handlers::{Act, Script};
use jobs::queue::{RescueTimeouts, redeliver};
use std::sync::Arc;
use std::time::Duration;

const IMPATIENT: RescueTimeouts = RescueTimeouts {
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
            while script.runs(seq) == runs && doomed.job(seq as i64).await.0 == "owed" {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            std::mem::forget(workers);
        });
        runtime.shutdown_background();
    });
    killed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_worker_had_is_done_by_another() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Hang])]);
    bench.deliver(&[1]).await;
    killed_while_working(bench.url.clone(), script.clone(), 1).await;
    let (workers, stop) = bench.work(&script);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.job(1).await.0, "owed");
    redeliver(&bench.pool, &IMPATIENT).await.unwrap();
    bench.becomes(1, "done").await;
    assert_eq!(script.runs(1), 2);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_workers_ends_in_the_dead_letter() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Hang; 20])]);
    bench.deliver(&[1]).await;
    let mut lives = 0;
    while bench.job(1).await.0 == "owed" {
        assert!(lives < 12, "it kills workers for ever");
        killed_while_working(bench.url.clone(), script.clone(), 1).await;
        lives += 1;
        tokio::time::sleep(Duration::from_millis(250)).await;
        redeliver(&bench.pool, &IMPATIENT).await.unwrap();
    }
    let (_, attempts, error) = bench.job(1).await;
    assert!(attempts >= store::ledger::MAX_ATTEMPTS);
    assert!(error.unwrap().contains("did not come back"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_end_no_worker() {
    let bench = Bench::new().await;
    bench.world().await;
    let slow = Duration::from_millis(5);
    let script = Script::new((1..=200).map(|seq| (seq, vec![Act::Slow(slow)])));
    let (workers, stop) = bench.work(&script);
    let ids: Vec<i64> = (1..=200).collect();
    bench.deliver(&ids).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        bench
            .count(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
    }
    for id in &ids {
        let began = std::time::Instant::now();
        while bench.job(*id).await.0 != "done" {
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", bench.job(*id).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
            redeliver(&bench.pool, &IMPATIENT).await.unwrap();
        }
    }
    stop.cancel();
    workers.stopped().await;
}
