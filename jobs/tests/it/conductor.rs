//! A conducted world: played to its end, held by a defect, given commands while paused and running.
use crate::support::conducting::{CLASSROOM, SEED, end, to_the_end};
use crate::support::handlers::{Act, Script};
use crate::support::{Bench, LIMIT};
use jobs::conductor::{ConductorError, Options, Stop};
use sim::command::Command;
use sim::ids::{BuildId, ImageId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use store::error::Error;
use store::world::{Clock, Mode};

#[tokio::test(flavor = "multi_thread")]
async fn the_job_results_match_the_kernel() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(to_the_end()).await;
    let progress = conducting.progress.clone();
    let ended = conducting.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
    let progress = progress.borrow().clone();
    assert_eq!(progress.materialized_through, end());
    assert_eq!(bench.count("SELECT count(*) FROM ledger WHERE state <> 'done'").await, 0);
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 0);
    assert!(bench.count("SELECT count(*) FROM cve_findings").await > 0);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_holds_the_clock_until_the_job_is_retried() {
    let bench = Bench::new().await;
    let script = Script::new([(1, vec![Act::Mismatch])]);
    let held = bench.play(&script).await;
    let Stop::Held { reason } = held else { panic!("{held:?}") };
    assert!(reason.contains("the kernel says 2, the work says 3"), "{reason}");
    assert_eq!(bench.count("SELECT count(*) FROM world WHERE materialized_seq = 0").await, 1);
    let mut conn = bench.pool.acquire().await.unwrap();
    let dead: i64 = bench.count("SELECT id FROM ledger WHERE state = 'dead'").await;
    assert!(store::ledger::retry(&mut conn, dead).await.unwrap());
    assert_eq!(bench.play(&script).await, Stop::ReachedEnd);
}

#[tokio::test(flavor = "multi_thread")]
async fn job_failures_do_not_change_the_world() {
    let clean = Bench::new().await;
    assert_eq!(clean.play(&Script::new([])).await, Stop::ReachedEnd);
    let rough = Bench::new().await;
    let acts = (1..400).map(|seq| match seq % 40 {
        7 => (seq, vec![Act::Fail]),
        8 => (seq, vec![Act::Panic]),
        _ => (seq, vec![]),
    });
    assert_eq!(rough.play(&Script::new(acts)).await, Stop::ReachedEnd);
    assert_eq!(clean.dump().await, rough.dump().await);
    let failed = "SELECT count(*) FROM ledger WHERE attempts > 0";
    assert!(rough.count(failed).await > 0, "no job failed: the test proves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_different_world_is_refused_and_left_unchanged() {
    let bench = Bench::new().await;
    bench.play(&Script::new([])).await;
    let before = bench.dump().await;
    let options = Options::default;
    let error = bench.open_as(CLASSROOM, SEED + 1, options()).await.unwrap_err();
    assert!(matches!(error, ConductorError::WorldMismatch { what: "the seed", .. }), "{error}");
    let edited = CLASSROOM.replace("duration: 7d", "duration: 8d");
    let error = bench.open_as(&edited, SEED, options()).await.unwrap_err();
    assert!(error.to_string().contains("hint:"), "{error}");
    bench.execute("UPDATE world SET kernel_version = '0'").await;
    let error = bench.open(options()).await.unwrap_err();
    let refused = matches!(&error, ConductorError::Store(Error::KernelMismatch { .. }));
    assert!(refused, "{error}");
    sqlx::query("UPDATE world SET kernel_version = $1")
        .bind(sim::KERNEL_VERSION)
        .execute(&bench.pool)
        .await
        .unwrap();
    bench.execute("UPDATE world SET released_fingerprint = repeat('0', 32)").await;
    let refused = bench.conduct(options()).await.ended.await.unwrap().unwrap_err();
    assert!(matches!(refused, ConductorError::HistoryMismatch { .. }), "{refused}");
    assert_eq!(bench.dump().await, before);
}

async fn set_clock(bench: &Bench, mode: Mode, factor: f64) {
    let mut conn = bench.pool.acquire().await.unwrap();
    let clock = Clock { mode, factor, run_until: None, then_mode: Mode::Paused, held_reason: None };
    store::world::set_clock(&mut conn, &clock).await.unwrap();
}

/// Asks for a build of an image as the API does; returns the build.
async fn ask(bench: &Bench, image: u32) -> i64 {
    let mut tx = bench.pool.begin().await.unwrap();
    let seq = store::commands::submit(&mut tx, |seq| Command::BuildImage {
        build: BuildId::of_command(seq),
        image: ImageId(image),
        create: None,
        requested_by: Some("tester".into()),
        external: false,
    })
    .await
    .unwrap();
    let build = BuildId::of_command(seq).0 as i64;
    sqlx::query(
        "INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
             requested_at)
         SELECT $1, $2, 'catalogue', 'manual', '{}', 'pending', released_through FROM world",
    )
    .bind(build)
    .bind(i64::from(image))
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    build
}

/// Waits until a build's status is one of these, and returns it.
async fn status(bench: &Bench, build: i64, wanted: &[&str]) -> String {
    let began = Instant::now();
    loop {
        let status: String = sqlx::query_scalar("SELECT status FROM build_events WHERE id = $1")
            .bind(build)
            .fetch_one(&bench.pool)
            .await
            .unwrap();
        if wanted.contains(&status.as_str()) {
            return status;
        }
        assert!(began.elapsed() < LIMIT, "build {build} is {status}, not one of {wanted:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_world_accepts_commands_and_a_running_one_carries_them_out() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    let build = ask(&bench, 0).await;
    status(&bench, build, &["running"]).await;
    // Another command is accepted after it, and still no time has passed.
    let mut tx = bench.pool.begin().await.unwrap();
    store::commands::submit(&mut tx, |_| Command::Scan { image: None }).await.unwrap();
    tx.commit().await.unwrap();
    bench.holds("SELECT bool_and(applied_at IS NOT NULL) FROM commands").await;
    let paused = "SELECT count(*) FROM world WHERE released_through = starts_at";
    assert_eq!(bench.count(paused).await, 1, "time passes in a paused world");
    set_clock(&bench, Mode::Live, 3600.0).await;
    status(&bench, build, &["completed", "unchanged", "failed", "superseded"]).await;
    conducting.stop.cancel();
    assert_eq!(conducting.ended.await.unwrap().unwrap(), Stop::Shutdown);
    stop.cancel();
    workers.stopped().await;
    // Replay takes the command at the instant at which it was taken.
    let again = bench.conduct(Options::default()).await;
    let mut again = again;
    again.is(|p| p.state == jobs::conductor::ConductorState::Leading).await;
    again.stop.cancel();
    assert_eq!(again.ended.await.unwrap().unwrap(), Stop::Shutdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_world_carries_out_each_build_it_is_asked_for() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    set_clock(&bench, Mode::Live, 3600.0).await;
    let mut ended = BTreeMap::new();
    for round in 0..30 {
        let build = ask(&bench, round % 8).await;
        let wanted = ["completed", "unchanged", "failed", "superseded", "merged"];
        ended.insert(build, status(&bench, build, &wanted).await);
    }
    // One job for each build, except those that were merged into another.
    let jobs: Vec<i64> = sqlx::query_scalar(
        "SELECT (payload->'facts'->'fact'->>'build')::bigint AS build FROM ledger
         WHERE queue = 'build' AND state = 'done' ORDER BY 1",
    )
    .fetch_all(&bench.pool)
    .await
    .unwrap();
    for (build, status) in &ended {
        let expected = usize::from(status != "merged");
        let found = jobs.iter().filter(|done| *done == build).count();
        assert_eq!(found, expected, "jobs of build {build}, which is {status}");
    }
    assert!(ended.values().any(|status| status != "merged"), "{ended:?}");
    conducting.stop.cancel();
    conducting.ended.await.unwrap().unwrap();
    stop.cancel();
    workers.stopped().await;
}
