//! Conductors that die and conductors that stand by.
use crate::support::Bench;
use crate::support::conducting::{end, to_the_end};
use crate::support::handlers::Script;
use jobs::conductor::{ConductorState, Options, Stop};
use sim::fact::UsageMode;
use sim::ids::{CustomerId, ImageId};
use sim::time::{HOUR_MS, SimDuration};
use std::time::Duration;
use store::finalize::{self, Usage};

#[tokio::test(flavor = "multi_thread")]
async fn the_second_stands_by_and_takes_over() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    let mut first = bench.conduct(Options::default()).await;
    first.is(|p| p.state == ConductorState::Leading).await;
    let second_bench = bench.beside().await;
    let mut second = second_bench.conduct(to_the_end()).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(second.progress.borrow().state, ConductorState::Standby);
    first.stop.cancel();
    assert_eq!(first.ended.await.unwrap().unwrap(), Stop::Shutdown);
    second.is(|p| p.state == ConductorState::Leading).await;
    assert_eq!(second.ended.await.unwrap().unwrap(), Stop::ReachedEnd);
    assert_eq!(bench.count("SELECT term FROM world").await, 2);
    stop.cancel();
    workers.stopped().await;
}

/// The old one is cut off by the server, does not know, and wakes up when another leads.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_lost_the_lead_writes_nothing() {
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

/// Conductor and workers end at once at several moments, like a process that is killed; the same
/// command goes on each time, and the world is the one of an undisturbed run.
#[tokio::test(flavor = "multi_thread")]
async fn kills_change_nothing() {
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
    let objects = bench.ctx.objects.clone();
    for after_ms in [30, 90, 150, 260, 400] {
        let (url, objects) = (bench.url.clone(), objects.clone());
        let killed = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let mut doomed = Bench::at(&url).await;
                doomed.ctx.objects = objects;
                let (workers, _stop) = doomed.really_work();
                let conducting = doomed.conduct(to_the_end()).await;
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                std::mem::forget((workers, conducting));
            });
            runtime.shutdown_background();
        });
        killed.await.unwrap();
    }
    let (workers, stop) = bench.really_work();
    let ended = bench.conduct(to_the_end()).await.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
    assert_eq!(bench.dump().await, clean.dump().await);
    println!("terms: {}", bench.count("SELECT term FROM world").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_database_is_waited_for() {
    let bench = Bench::new().await;
    let script = Script::new([]);
    let (workers, stop) = bench.work(&script);
    let conducting = bench.conduct(to_the_end()).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let cut = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let _ = cut.execute(&bench.pool).await;
    }
    let ended = tokio::time::timeout(Duration::from_secs(90), conducting.ended).await;
    assert_eq!(ended.unwrap().unwrap().unwrap(), Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
}

/// A window was finalized and not sealed; the next leader finalizes it again, joined with the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_closed_again_with_the_next_ends_what_the_next_ends() {
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
