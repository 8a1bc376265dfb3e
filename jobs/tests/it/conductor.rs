//! A conducted world: played to its end, held by a defect, asked things while it stands and runs.
use crate::support::Bench;
use crate::support::bodies::{Act, Script};
use crate::support::conducting::{CLASSROOM, SEED, end, to_the_end};
use jobs::conductor::{ConductorError, Options, Phase, Stop};
use sim::command::Command;
use sim::ids::{BuildId, ImageId};
use std::time::{Duration, Instant};
use store::error::Error;
use store::world::{Clock, Mode};

#[tokio::test(flavor = "multi_thread")]
async fn the_real_work_is_what_the_kernel_says() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let began = Instant::now();
    let conducting = bench.conduct(to_the_end()).await;
    let progress = conducting.progress.clone();
    let ended = conducting.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
    let progress = progress.borrow().clone();
    println!("classroom: {:?}, {} jobs", began.elapsed(), progress.jobs_done);
    for phase in Phase::ALL {
        println!("  {:8} {:?}", phase.as_str(), progress.walls.of(phase));
    }
    assert_eq!(progress.materialized_through, end());
    assert_eq!(bench.count("SELECT count(*) FROM ledger WHERE state <> 'done'").await, 0);
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 0);
    assert!(bench.count("SELECT count(*) FROM cve_findings").await > 0);
    stop.cancel();
    workers.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_holds_the_clock_until_it_is_owed_again() {
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
async fn failures_on_the_way_change_nothing() {
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
    assert!(rough.count(failed).await > 0, "the test tests nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_world_is_refused_and_left_alone() {
    let bench = Bench::new().await;
    bench.play(&Script::new([])).await;
    let before = bench.dump().await;
    let options = Options::default;
    let error = bench.open_as(CLASSROOM, SEED + 1, options()).await.unwrap_err();
    assert!(matches!(error, ConductorError::OtherWorld { what: "the seed", .. }), "{error}");
    let edited = CLASSROOM.replace("duration: 7d", "duration: 8d");
    let error = bench.open_as(&edited, SEED, options()).await.unwrap_err();
    assert!(error.to_string().contains("hint:"), "{error}");
    bench.execute("UPDATE world SET kernel_version = '0'").await;
    let error = bench.open(options()).await.unwrap_err();
    let other_kernel = matches!(&error, ConductorError::Store(Error::OtherKernel { .. }));
    assert!(other_kernel, "{error}");
    sqlx::query("UPDATE world SET kernel_version = $1")
        .bind(sim::KERNEL_VERSION)
        .execute(&bench.pool)
        .await
        .unwrap();
    bench.execute("UPDATE world SET released_fingerprint = repeat('0', 32)").await;
    let refused = bench.conduct(options()).await.ended.await.unwrap().unwrap_err();
    assert!(matches!(refused, ConductorError::OtherHistory { .. }), "{refused}");
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

/// Waits until a build's status is one of these; the milliseconds since `began`.
async fn status(bench: &Bench, build: i64, wanted: &[&str], began: Instant) -> f64 {
    loop {
        let status: String = sqlx::query_scalar("SELECT status FROM build_events WHERE id = $1")
            .bind(build)
            .fetch_one(&bench.pool)
            .await
            .unwrap();
        if wanted.contains(&status.as_str()) {
            return began.elapsed().as_secs_f64() * 1e3;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "build {build} is {status}");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_world_takes_commands_and_a_running_one_builds() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    let build = ask(&bench, 0).await;
    status(&bench, build, &["running"], Instant::now()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let standing = "SELECT released_through = starts_at FROM world";
    bench.holds(standing).await;
    set_clock(&bench, Mode::Live, 3600.0).await;
    let ended = ["completed", "unchanged", "failed", "superseded"];
    status(&bench, build, &ended, Instant::now()).await;
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
async fn a_live_world_answers_within_milliseconds() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    set_clock(&bench, Mode::Live, 3600.0).await;
    let ended = ["completed", "unchanged", "failed", "superseded", "merged"];
    let (mut running, mut finished) = (Vec::new(), Vec::new());
    tokio::time::sleep(Duration::from_millis(500)).await;
    for round in 0..30 {
        let build = ask(&bench, round % 8).await;
        let began = Instant::now();
        let mut wanted = vec!["running", "finishing"];
        wanted.extend(ended);
        running.push(status(&bench, build, &wanted, began).await);
        status(&bench, build, &ended, began).await;
        let wall_ms: Option<f64> = sqlx::query_scalar(
            "SELECT extract(epoch FROM done_wall - enqueued_wall)::float8 * 1e3 FROM ledger
             WHERE queue = 'build' AND payload->'facts'->'fact'->>'build' = $1::text",
        )
        .bind(build)
        .fetch_optional(&bench.pool)
        .await
        .unwrap();
        finished.extend(wall_ms);
    }
    for (what, waits) in [("commit to running", &mut running), ("delivery to done", &mut finished)]
    {
        waits.sort_by(f64::total_cmp);
        let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
        println!("{what}: median {median:.1} ms, longest {longest:.1} ms");
    }
    conducting.stop.cancel();
    conducting.ended.await.unwrap().unwrap();
    stop.cancel();
    workers.stopped().await;
}
