//! What a worker does with a job, whatever the job does.
use crate::support::Bench;
use crate::support::handlers::{Act, Script};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_done_once_and_their_tasks_forgotten() {
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

/// Each round tells the workers only through the database, at a random point of their sleep.
#[tokio::test(flavor = "multi_thread")]
async fn no_wake_up_is_slept_through() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    bench.becomes(1, "done").await;
    let mut waits_ms = Vec::new();
    for round in 2..=201 {
        tokio::time::sleep(Duration::from_micros((round as u64 * 7919) % 9000)).await;
        bench.deliver(&[round]).await;
        let began = Instant::now();
        bench.becomes(round, "done").await;
        waits_ms.push(began.elapsed().as_secs_f64() * 1e3);
    }
    waits_ms.sort_by(f64::total_cmp);
    let (median, longest) = (waits_ms[100], waits_ms[199]);
    println!("from commit to done: median {median:.1} ms, longest {longest:.1} ms");
    assert!(longest < 1_000.0, "a wake-up was slept through: {longest} ms");
    stop.cancel();
    workers.stopped().await;
}

/// Nobody tells anybody: the interval alone must find the work.
#[tokio::test(flavor = "multi_thread")]
async fn work_is_found_without_any_message() {
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
async fn a_failure_is_counted_and_backed_off() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Fail]), (2, vec![Act::Panic]), (3, vec![Act::Hang])]);
    let (workers, stop) = bench.work(&script);
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
            assert!(began.elapsed() < Duration::from_secs(10), "job {id} was not counted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    // Not again at once: nothing but the rescuer delivers what failed.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!([1, 2, 3].map(|seq| script.runs(seq)), [1, 1, 1]);
    let due = "SELECT count(*) FROM ledger WHERE retry_wall > enqueued_wall";
    assert_eq!(bench.count(due).await, 3);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_is_dead_at_once_and_holds_the_clock() {
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
async fn what_cannot_be_read_ends_no_worker() {
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
        assert!(began.elapsed() < Duration::from_secs(5), "the unreadable task is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_delivery_does_nothing() {
    let bench = Bench::new().await;
    let slow = Duration::from_millis(300);
    let script = Script::new([(1, vec![Act::Slow(slow)])]);
    let (workers, stop) = bench.work(&script);
    let other = bench.beside().await;
    let (other_workers, other_stop) = other.work(&script);
    bench.deliver(&[1]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    // While it runs, and the rescuer would not do this: its row is locked.
    bench.deliver_again(&[1]).await;
    bench
        .execute(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at)
             VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'build', '{\"ledger\": 1}', 'Pending', 0, 25,
                     to_timestamp(1))",
        )
        .await;
    bench.becomes(1, "done").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(script.runs(1), 1);
    for token in [stop, other_stop] {
        token.cancel();
    }
    workers.stopped().await;
    other_workers.stopped().await;
}
