//! A world that takes the place of another one while the old one's objects are deleted.
use crate::support::conducting::{CLASSROOM, SEED, scenario};
use crate::support::{Bench, LIMIT};
use bytes::Bytes;
use jobs::conductor::{ConductorState, Options, Stop};
use sim::time::{DAY_MS, SimDuration, SimTime};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};
use store::digest::{WorldDigest, world_digest};
use store::objects::{CONTENT_PREFIX, NewObject};
use store::world::{Clock, Mode};
use store::world_loads::{self, NewLoad};

/// Objects of the old world that the new one does not have: more than two requests delete.
const STRAYS: usize = 2_500;
/// The advisory lock that holds the deletion up.
const GATE: i64 = 99;

fn until() -> SimTime {
    scenario(CLASSROOM).start.time() + SimDuration(2 * DAY_MS)
}

async fn digest(bench: &Bench) -> WorldDigest {
    world_digest(&bench.pool, &bench.ctx.objects).await.unwrap()
}

/// Two days of the classroom, and objects as if the world had been long.
async fn old_world(bench: &Bench) {
    let (workers, stop) = bench.really_work();
    let options = Options { stop_at: Some(until()), stop_when_held: true, ..Options::default() };
    assert_eq!(bench.conduct(options).await.ends().await.unwrap(), Stop::ReachedEnd);
    stop.cancel();
    workers.stopped().await;
}

async fn add_strays(bench: &Bench) {
    let stray = |number: usize| NewObject {
        key: store::objects::content_key(&format!(
            "{:064x}",
            number.wrapping_mul(0x0123_4567_89ab_cdef)
        )),
        bytes: Bytes::from_static(b"of a long world"),
        media_type: "text/plain",
        packed: false,
    };
    bench.ctx.objects.put_all((1..=STRAYS).map(stray).collect()).await.unwrap();
}

/// Lets whoever takes deleted objects off the list wait for [`GATE`]: then the objects are gone, and
/// the list does not know it.
async fn hold_deletion(bench: &Bench) {
    sqlx::raw_sql(
        "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_advisory_xact_lock(99); RETURN OLD; END $$;
         CREATE TRIGGER wait_at_gate BEFORE DELETE ON obsolete_objects
         FOR EACH ROW WHEN (OLD.taken_wall IS NOT NULL) EXECUTE FUNCTION wait_at_gate();",
    )
    .execute(&bench.pool)
    .await
    .unwrap();
}

async fn ask_for_the_same_world(bench: &Bench) {
    let mut conn = bench.pool.acquire().await.unwrap();
    let load = NewLoad {
        scenario: CLASSROOM,
        name: "classroom",
        seed: SEED,
        mode: "paused",
        requested_by: "a test",
    };
    world_loads::request(&mut conn, &load).await.unwrap().unwrap();
}

/// Conducts in a runtime of its own until the deletion waits, and ends it then, like a killed
/// process. The new world must be there by then.
async fn killed_while_deleting(bench: &Bench) {
    let (url, objects) = (bench.url.clone(), bench.ctx.objects.clone());
    let killed = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut doomed = Bench::at(&url).await;
            doomed.ctx.objects = objects;
            let mut conducting = doomed.conduct(Options::default()).await;
            conducting
                .is(|now| now.state == ConductorState::Leading && now.obsolete_objects > 0)
                .await;
            doomed
                .holds(
                    "SELECT EXISTS (SELECT FROM pg_locks
                                    WHERE locktype = 'advisory' AND objid = 99 AND NOT granted)",
                )
                .await;
            // The new world runs already, and says so.
            doomed.holds("SELECT bool_and(done_wall IS NOT NULL) FROM world_loads").await;
            std::mem::forget(conducting);
        });
        runtime.shutdown_background();
    });
    killed.await.unwrap();
}

async fn waiting_for_objects(bench: &Bench) -> i64 {
    bench.count("SELECT count(*) FROM obsolete_objects WHERE taken_wall IS NOT NULL").await
}

/// How many objects there are that are named by their content.
async fn documents_stored(bench: &Bench) -> usize {
    bench.ctx.objects.list(CONTENT_PREFIX).await.unwrap().len()
}

/// The same scenario and seed: every object of the old world is also one of the new world.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_deletion_goes_on_and_spares_what_the_new_world_writes() {
    let bench = Bench::new().await;
    old_world(&bench).await;
    let before = digest(&bench).await;
    assert!(before.objects.count > 50, "{before:?}");
    let own = documents_stored(&bench).await;
    add_strays(&bench).await;
    hold_deletion(&bench).await;
    let mut gate = PgConnection::connect(&bench.url).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(GATE).execute(&mut gate).await.unwrap();
    ask_for_the_same_world(&bench).await;
    killed_while_deleting(&bench).await;
    // The server ends what the killed process had begun, which is not done then.
    bench
        .count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
             WHERE locktype = 'advisory' AND objid = 99 AND NOT granted",
        )
        .await;
    assert_eq!(waiting_for_objects(&bench).await, 1_000, "one request was under way");
    assert_eq!(documents_stored(&bench).await, own + STRAYS - 1_000);
    sqlx::raw_sql("DROP TRIGGER wait_at_gate ON obsolete_objects")
        .execute(&bench.pool)
        .await
        .unwrap();

    // Another process goes on: it deletes, while its workers write the same objects again.
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    let clock = Clock {
        mode: Mode::Fast,
        factor: 1.0,
        run_until: Some(until()),
        then_mode: Mode::Paused,
        held_reason: None,
    };
    let mut conn = bench.pool.acquire().await.unwrap();
    store::world::set_clock(&mut conn, &clock).await.unwrap();
    drop(conn);
    let began = Instant::now();
    while store::world::get(&mut bench.pool.acquire().await.unwrap()).await.unwrap().materialized.at
        < until()
    {
        if began.elapsed() > LIMIT {
            let seen: String = sqlx::query_scalar(
                "SELECT concat((SELECT string_agg(concat_ws(' ', id, queue, state, error), '; ')
                                FROM ledger WHERE state <> 'done'),
                               (SELECT row_to_json(clock) FROM clock),
                               (SELECT row_to_json(l) FROM (SELECT id, replaced_wall, done_wall,
                                    deleted_wall, error FROM world_loads) l),
                               (SELECT count(*) FROM obsolete_objects),
                               (SELECT json_agg(a) FROM (SELECT pid, state, wait_event, left(query, 300) AS query
                                    FROM pg_stat_activity WHERE datname = current_database()
                                    AND state <> 'idle') a))",
            )
            .fetch_one(&bench.pool)
            .await
            .unwrap();
            panic!("the new world does not go on: {seen}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.holds("SELECT bool_and(deleted_wall IS NOT NULL) FROM world_loads").await;
    assert_eq!(bench.count("SELECT count(*) FROM obsolete_objects").await, 0);
    conducting.stop.cancel();
    assert_eq!(conducting.ends().await.unwrap(), Stop::Shutdown);
    stop.cancel();
    workers.stopped().await;
    let after = digest(&bench).await;
    let differences = after.differences(&before);
    assert_eq!(after.total, before.total, "{differences:?}");
}
