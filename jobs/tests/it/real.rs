//! The real job bodies on a whole world: done again they change nothing, and a fact that says
//! something else than the stored rows is found out.
use crate::support::Bench;
use crate::support::conducting::{SEED, to_the_end};
use jobs::error::JobError;
use jobs::registry::Payload;
use sim::fact::{Cause, Outcome, SlaCheck, TimerRef};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::digest::world_digest;
use store::objects::ObjectStore;

#[path = "../../../store/tests/it/support/s3.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of `store`")]
pub(crate) mod s3;

/// The classroom, played to its end with real work, and all its jobs.
async fn played(objects: ObjectStore) -> (Bench, Vec<Payload>) {
    let mut bench = Bench::new().await;
    bench.ctx.objects = objects;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(to_the_end()).await;
    conducting.ended.await.unwrap().unwrap();
    stop.cancel();
    workers.stopped().await;
    let payloads: Vec<String> =
        sqlx::query_scalar("SELECT payload::text FROM ledger ORDER BY phase, id")
            .fetch_all(&bench.pool)
            .await
            .unwrap();
    let payloads = payloads.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    (bench, payloads)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_can_be_done_again() {
    let (_endpoint, objects) = s3::store().await;
    let (bench, payloads) = played(objects.clone()).await;
    nightly_rebuilds_name_their_schedule(&bench, &objects).await;
    let before = world_digest(&bench.pool, &objects).await.unwrap();
    assert!(before.objects.count > 100, "{:?}", before.objects);
    let mut walls: BTreeMap<_, (u32, Duration)> = BTreeMap::new();
    for payload in &payloads {
        let mut tx = bench.ctx.pool.begin().await.unwrap();
        let began = Instant::now();
        let done = payload.run(&bench.ctx, &mut tx).await;
        let wall = walls.entry(payload.queue()).or_default();
        *wall = (wall.0 + 1, wall.1 + began.elapsed());
        done.unwrap_or_else(|error| panic!("seed {SEED}: {error}"));
        tx.commit().await.unwrap();
    }
    println!("jobs done again one by one: {walls:?}");
    let after = world_digest(&bench.pool, &objects).await.unwrap();
    assert_eq!(after.differences(&before), [""; 0], "seed {SEED}");
    assert_eq!(after, before);
}

/// The documents of the classroom's rebuilds at two in the night.
async fn nightly_rebuilds_name_their_schedule(bench: &Bench, objects: &ObjectStore) {
    let keys: Vec<(String, String)> = sqlx::query_as(
        "SELECT a.kind, a.object_key FROM artifacts a JOIN build_events b ON b.id = a.build_id
         WHERE b.trigger = 'cron' AND a.kind IN ('log', 'provenance')",
    )
    .fetch_all(&bench.pool)
    .await
    .unwrap();
    assert!(keys.iter().any(|(kind, _)| kind == "provenance"), "{keys:?}");
    for (kind, key) in keys {
        let text = objects.get(&key, u64::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("0 2 * * *"), "{kind}: {text}");
    }
}

/// One list of an evaluation.
type List = fn(&mut SlaCheck) -> &mut Vec<TimerRef>;

/// Does a job that must not come out, and gives what was said.
async fn refused(bench: &Bench, name: &str, payload: &Payload) -> String {
    let mut tx = bench.ctx.pool.begin().await.unwrap();
    match payload.run(&bench.ctx, &mut tx).await {
        Err(error @ JobError::Mismatch { .. }) => error.to_string(),
        other => panic!("{name}: not found out: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_says_something_else_is_found_out() {
    let (_endpoint, objects) = s3::store().await;
    let (bench, payloads) = played(objects).await;
    let mut seen = BTreeMap::new();
    for payload in &payloads {
        for (name, wrong) in twisted(payload) {
            if !seen.contains_key(name) {
                seen.insert(name, refused(&bench, name, &wrong).await);
            }
        }
    }
    for (name, said) in [
        ("a finding more", "findings of image"),
        ("a new finding less", "new findings of image"),
        ("an older release", "of build"),
        ("a package less", "of build"),
        ("an opened timer less", "SLA timers opened at"),
        ("a stopped timer less", "SLA timers stopped at"),
        ("an item more", "items of notification"),
    ] {
        let message = seen.get(name).unwrap_or_else(|| panic!("no job for {name}"));
        assert!(message.contains(said), "{name}: {message}");
    }
}

/// Ways in which a payload can be wrong.
fn twisted(payload: &Payload) -> Vec<(&'static str, Payload)> {
    let mut twists = Vec::new();
    match payload {
        Payload::Build(job) => {
            let Outcome::Published(published) = &job.fact.outcome else { return twists };
            let mut add = |name, change: &dyn Fn(&mut Vec<sim::ids::ReleaseRef>)| {
                let (mut job, mut published) = (job.clone(), published.clone());
                let mut contents = published.contents.to_vec();
                change(&mut contents);
                published.contents = contents.into();
                let fact = Arc::make_mut(&mut job.fact);
                fact.outcome = Outcome::Published(published);
                twists.push((name, Payload::Build(job)));
            };
            // (A release at the very instant at which a build began may be in it or not.)
            let cron = job.fact.cause == Cause::Cron;
            let place = published.contents.iter().position(|c| c.release > 0);
            if let Some(place) = place.filter(|_| cron) {
                add("an older release", &|contents| contents[place].release -= 1);
            }
            if published.base.is_some() {
                add("a package less", &|contents| {
                    let own = &published.own_packages;
                    let place = contents.iter().position(|c| !own.contains(&c.package)).unwrap();
                    contents.remove(place);
                });
            }
        }
        Payload::Scan(jobs) => {
            let mut more = jobs.clone();
            Arc::make_mut(&mut more[0].fact).targets[0].findings += 1;
            twists.push(("a finding more", Payload::Scan(more)));
            let mut less = jobs.clone();
            let targets = less.iter_mut().flat_map(|job| &mut Arc::make_mut(&mut job.fact).targets);
            if let Some(target) = targets.into_iter().find(|target| !target.new.is_empty()) {
                target.new.pop();
                twists.push(("a new finding less", Payload::Scan(less)));
            }
        }
        Payload::Attest(_) => {}
        Payload::SlaCheck(jobs) => {
            let lists: [(&str, List); 2] = [
                ("an opened timer less", |check| &mut check.opened),
                ("a stopped timer less", |check| &mut check.stopped),
            ];
            for (name, list) in lists {
                let mut jobs = jobs.clone();
                let mut checks = jobs.iter_mut().map(|job| list(Arc::make_mut(&mut job.fact)));
                if checks.any(|list| list.pop().is_some()) {
                    twists.push((name, Payload::SlaCheck(jobs)));
                }
            }
        }
        Payload::Notify(jobs) => {
            let mut more = jobs.clone();
            Arc::make_mut(&mut more[0].fact).items += 1;
            twists.push(("an item more", Payload::Notify(more)));
        }
    }
    twists
}
