//! What the rescuer delivers again, and what it leaves alone.
use crate::support::Bench;
use crate::support::handlers::{Act, Script};
use jobs::queue::{RescueTimeouts, clean, redeliver};
use std::time::Duration;

const NOW: RescueTimeouts = RescueTimeouts {
    delivery: Duration::ZERO,
    worker: Duration::ZERO,
    attempt: Duration::from_secs(60),
};
/// The same while workers live: what they have fetched is theirs.
const SOON: RescueTimeouts = RescueTimeouts { worker: Duration::from_secs(10), ..NOW };

#[tokio::test(flavor = "multi_thread")]
async fn lost_tasks_come_back_and_waiting_ones_stay() {
    let bench = Bench::new().await;
    bench.world().await;
    bench.deliver(&[1, 2, 3]).await;
    // The queue lost one; the others wait, for nobody works.
    let lost = "DELETE FROM apalis.jobs USING ledger WHERE ledger.task = jobs.id AND ledger.id = 2";
    assert_eq!(bench.execute(lost).await, 1);
    tokio::time::sleep(Duration::from_millis(5)).await;
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
async fn a_poison_job_is_tried_five_times() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Fail; 50])]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    while bench.job(1).await.0 == "owed" {
        // The back-off is tested elsewhere.
        bench.execute("UPDATE ledger SET retry_wall = now() WHERE retry_wall > now()").await;
        redeliver(&bench.pool, &SOON).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.job(1).await, ("dead".to_owned(), 5, Some("it failed".to_owned())));
    for _ in 0..5 {
        redeliver(&bench.pool, &SOON).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(script.runs(1), 5);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_under_way_is_left_alone() {
    let bench = Bench::new().await;
    bench.world().await;
    let script = Script::new([(1, vec![Act::Slow(Duration::from_millis(400))])]);
    let (workers, stop) = bench.work(&script);
    bench.deliver(&[1]).await;
    while script.runs(1) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(redeliver(&bench.pool, &NOW).await.unwrap(), []);
    bench.becomes(1, "done").await;
    assert_eq!(script.runs(1), 1);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_takes_only_what_is_over() {
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
