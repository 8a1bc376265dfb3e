//! What a worker does with jobs that succeed, fail, hang, panic or cannot be read.
use crate::support::handlers::{Act, Script};
use crate::support::{Bench, LIMIT};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn each_job_runs_once_and_its_task_is_deleted() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    let ids: Vec<i64> = (1..=300).collect();
    bench.deliver(&ids).await;
    for id in &ids {
        bench.becomes(*id, "done").await;
        assert_eq!(script.runs(*id as u64), 1);
    }
    let mut conn = bench.pool.acquire().await.unwrap();
    jobs::queue::forget(&mut conn, &ids).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 0);
    stop.cancel();
    workers.stopped().await;
}

/// Each round notifies the workers only through the database, at another point of their polling
/// interval. A worker that misses a wake-up for good leaves its job owed.
#[tokio::test(flavor = "multi_thread")]
async fn workers_miss_no_wake_up() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    for round in 1..=200 {
        tokio::time::sleep(Duration::from_micros((round as u64 * 7919) % 9000)).await;
        bench.deliver(&[round]).await;
        bench.becomes(round, "done").await;
    }
    stop.cancel();
    workers.stopped().await;
}

/// Without any notification the polling interval alone must find the job.
#[tokio::test(flavor = "multi_thread")]
async fn workers_find_jobs_without_a_notification() {
    let bench = Bench::new().await;
    bench.execute("DROP TRIGGER IF EXISTS notify_workers ON apalis.jobs").await;
    let (workers, stop) = bench.work(&Script::new([]));
    bench.deliver(&[1]).await;
    bench.becomes(1, "done").await;
    bench.owe(&[2]).await;
    bench.execute("UPDATE ledger SET task = '01ARZ3NDEKTSV4RRFFQ69G5FAV' WHERE id = 2").await;
    // A task that comes without the message that `deliver` sends.
    bench
        .execute(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at)
             VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'build', '{\"ledger\": 2}', 'Pending', 0, 25,
                     to_timestamp(1))",
        )
        .await;
    bench.becomes(2, "done").await;
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_counted_and_backed_off() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Fail]), (2, vec![Act::Panic]), (3, vec![Act::Hang])]);
    let (workers, stop) = bench.work_within(Duration::from_secs(2), &script);
    bench.deliver(&[1, 2, 3, 4]).await;
    bench.becomes(4, "done").await;
    for (id, says) in [(1, "it failed"), (2, "it panicked"), (3, "took longer than 2s")] {
        let began = Instant::now();
        loop {
            let (state, attempts, error) = bench.job(id).await;
            assert_eq!(state, "owed");
            if attempts == 1 {
                assert!(error.unwrap().contains(says));
                break;
            }
            assert!(began.elapsed() < LIMIT, "no attempt of job {id} was counted: {error:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    // Only the rescuer delivers again what failed: a later job is done, and these are not repeated.
    bench.deliver(&[5]).await;
    bench.becomes(5, "done").await;
    assert_eq!([1, 2, 3].map(|seq| script.runs(seq)), [1, 1, 1]);
    let due = "SELECT count(*) FROM ledger WHERE retry_wall > enqueued_wall";
    assert_eq!(bench.count(due).await, 3);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_is_dead_lettered_at_once_and_holds_the_clock() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Mismatch])]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    bench.becomes(1, "dead").await;
    let mut conn = bench.pool.acquire().await.unwrap();
    let held = store::world::clock(&mut conn).await.unwrap().held_reason.unwrap();
    assert!(held.contains("the kernel says 2, the work says 3"), "{held}");
    // Owed again by hand, it is done, and the clock is free.
    assert!(store::ledger::retry(&mut conn, 1).await.unwrap());
    assert_eq!(store::world::clock(&mut conn).await.unwrap().held_reason, None);
    bench.deliver_again(&[1]).await;
    bench.becomes(1, "done").await;
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_survive_unreadable_tasks() {
    let bench = Bench::new().await;
    bench.world().await;
    let (workers, stop) = bench.work(&Script::new([]));
    bench
        .execute(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at)
             VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'build', '\\xff00', 'Pending', 0, 25,
                     to_timestamp(1))",
        )
        .await;
    bench.owe(&[1, 2]).await;
    bench.execute("UPDATE ledger SET payload = '{\"job\": \"dance\"}' WHERE id = 1").await;
    bench.deliver_again(&[1, 2]).await;
    bench.becomes(1, "dead").await;
    bench.becomes(2, "done").await;
    assert!(bench.job(1).await.2.unwrap().contains("unreadable"));
    let unread = "SELECT count(*) FROM apalis.jobs WHERE id = '01ARZ3NDEKTSV4RRFFQ69G5FAV'";
    let began = Instant::now();
    while bench.count(unread).await > 0 {
        assert!(began.elapsed() < LIMIT, "the unreadable task is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_delivery_does_nothing() {
    let bench = Bench::new().await;
    let script = Script::new([(1, vec![Act::WaitAtGate])]);
    let (workers, stop) = bench.work(&script);
    let other = bench.beside().await;
    let (other_workers, other_stop) = other.work(&script);
    bench.deliver(&[1]).await;
    script.started(1, 1).await;
    // While it runs, its row is locked: the rescuer would deliver nothing.
    bench.deliver_again(&[1]).await;
    duplicate(&bench).await;
    bench.holds(NO_DUPLICATE).await;
    assert_eq!((bench.job(1).await.0.as_str(), script.runs(1)), ("owed", 1));
    script.open_gate();
    bench.becomes(1, "done").await;
    // Again after its end.
    duplicate(&bench).await;
    bench.holds(NO_DUPLICATE).await;
    assert_eq!(script.runs(1), 1);
    for token in [stop, other_stop] {
        token.cancel();
    }
    workers.stopped().await;
    other_workers.stopped().await;
}

/// A second task for job 1, as a queue leaves that delivers more than once.
async fn duplicate(bench: &Bench) {
    let task = "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at)
                VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'build', '{\"ledger\": 1}', 'Pending', 0, 25,
                        to_timestamp(1))";
    assert_eq!(bench.execute(task).await, 1);
}

/// The duplicate was taken and thrown away.
const NO_DUPLICATE: &str =
    "SELECT NOT EXISTS (SELECT FROM apalis.jobs WHERE id = '01ARZ3NDEKTSV4RRFFQ69G5FAV')";
