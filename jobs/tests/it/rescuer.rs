//! What the rescuer redelivers, and what it leaves alone.
use crate::support::handlers::{Act, Script};
use crate::support::{Bench, LIMIT};
use jobs::queue::{RescueTimeouts, clean, redeliver};
use std::time::{Duration, Instant};

const NOW: RescueTimeouts = RescueTimeouts {
    delivery: Duration::ZERO,
    worker: Duration::ZERO,
    attempt: Duration::from_secs(60),
};
/// The same while workers live: what they have fetched is theirs.
const SOON: RescueTimeouts = RescueTimeouts { worker: Duration::from_secs(10), ..NOW };

#[tokio::test(flavor = "multi_thread")]
async fn lost_tasks_are_redelivered_and_waiting_ones_are_not() {
    let bench = Bench::new().await;
    bench.world().await;
    bench.deliver(&[1, 2, 3]).await;
    // The queue lost one; the others wait, for nobody works.
    let lost = "DELETE FROM apalis.jobs USING ledger WHERE ledger.task = jobs.id AND ledger.id = 2";
    assert_eq!(bench.execute(lost).await, 1);
    let delivered = redeliver(&bench.pool, &NOW).await.unwrap();
    assert_eq!(delivered.iter().map(|(_, jobs)| jobs).sum::<usize>(), 1);
    assert_eq!(bench.count("SELECT sum(lost)::bigint FROM ledger").await, 1);
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 3);
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    for id in 1..=3 {
        bench.becomes(id, "done").await;
        assert_eq!(script.runs(id as u64), 1);
    }
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_job_is_attempted_five_times() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Fail; 50])]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    let began = Instant::now();
    while bench.job(1).await.0 == "owed" {
        let job = bench.job(1).await;
        assert!(began.elapsed() < LIMIT, "the job should be dead by now, but is {job:?}");
        // The back-off is tested elsewhere.
        bench.execute("UPDATE ledger SET retry_wall = now() WHERE retry_wall > now()").await;
        redeliver(&bench.pool, &SOON).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.job(1).await, ("dead".to_owned(), 5, Some("it failed".to_owned())));
    assert_eq!(redeliver(&bench.pool, &SOON).await.unwrap(), []);
    bench.deliver(&[2]).await;
    bench.becomes(2, "done").await;
    assert_eq!(script.runs(1), 5);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_not_redelivered() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::WaitAtGate])]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    script.started(1, 1).await;
    assert_eq!(redeliver(&bench.pool, &NOW).await.unwrap(), []);
    script.open_gate();
    bench.becomes(1, "done").await;
    assert_eq!(script.runs(1), 1);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_removes_only_finished_jobs() {
    let bench = Bench::new().await;
    bench.world().await;
    bench.deliver(&[1, 2, 3, 4]).await;
    bench.execute("UPDATE ledger SET state = 'done', done_wall = now() WHERE id = 1").await;
    bench
        .execute(
            "UPDATE ledger SET state = 'done', done_wall = now() - interval '1 hour',
                    at = at - interval '1 day' WHERE id = 2",
        )
        .await;
    bench.execute("UPDATE ledger SET state = 'dead' WHERE id = 3").await;
    clean(&bench.pool, 1).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM ledger").await, 3);
    let left = "SELECT count(*) FROM apalis.jobs JOIN ledger ON ledger.task = jobs.id
                WHERE ledger.id = 4";
    assert_eq!(bench.count(left).await, 1);
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 1);
}

/// Two delete the tasks of one window: the conductor when all are done, and the cleaner. Neither waits
/// for a row that the other has, so they cannot wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_somebody_else_deletes_are_not_waited_for() {
    let bench = Bench::new().await;
    bench.world().await;
    bench.deliver(&[1, 2, 3]).await;
    bench.execute("UPDATE ledger SET state = 'done', done_wall = now()").await;
    let mut cleaner = bench.pool.begin().await.unwrap();
    let deleted =
        "DELETE FROM apalis.jobs USING ledger WHERE ledger.task = jobs.id AND ledger.id = 2";
    sqlx::query(deleted).execute(&mut *cleaner).await.unwrap();
    let mut conductor = bench.pool.begin().await.unwrap();
    // It would fail if it waited.
    sqlx::query("SET LOCAL lock_timeout = '1ms'").execute(&mut *conductor).await.unwrap();
    store::delivery::delete_settled_tasks(&mut conductor, &[1, 2, 3]).await.unwrap();
    conductor.commit().await.unwrap();
    cleaner.rollback().await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 1);
    // What was left is the cleaner's.
    clean(&bench.pool, 10).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 0);
}
