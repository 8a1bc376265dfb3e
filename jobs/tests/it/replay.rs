//! The real jobs of a whole world: run again they change nothing, and a fact that contradicts the
//! stored rows is detected.
use crate::support::Bench;
use crate::support::conducting::{SEED, to_the_end};
use jobs::error::JobError;
use jobs::registry::Payload;
use sim::fact::{Cause, Outcome, SlaCheck, TimerRef};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::digest::world_digest;
use store::objects::ObjectStore;

/// The classroom, played to its end with real work, and all its jobs.
async fn played() -> (Bench, Vec<Payload>) {
    let bench = Bench::new().await;
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
async fn running_every_job_again_changes_nothing() {
    let (bench, payloads) = played().await;
    let objects = bench.ctx.objects.clone();
    nightly_rebuilds_name_their_schedule(&bench, &objects).await;
    let before = world_digest(&bench.pool, &objects).await.unwrap();
    assert!(before.objects.count > 100, "{:?}", before.objects);
    for payload in &payloads {
        let mut tx = bench.ctx.pool.begin().await.unwrap();
        let done = payload.run(&bench.ctx, &mut tx).await;
        done.unwrap_or_else(|error| panic!("seed {SEED}: {error}"));
        tx.commit().await.unwrap();
    }
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

/// Runs a job that must fail, and returns its error.
async fn refused(bench: &Bench, name: &str, payload: &Payload) -> String {
    let mut tx = bench.ctx.pool.begin().await.unwrap();
    match payload.run(&bench.ctx, &mut tx).await {
        Err(error @ JobError::Mismatch { .. }) => error.to_string(),
        other => panic!("{name} was not detected: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_contradicts_the_rows_is_detected() {
    let (bench, payloads) = played().await;
    let mut seen = BTreeMap::new();
    for payload in &payloads {
        for (name, wrong) in corrupted(payload) {
            if !seen.contains_key(name) {
                seen.insert(name, refused(&bench, name, &wrong).await);
            }
        }
    }
    for (name, said) in [
        ("one finding too many", "findings of image"),
        ("one new finding too few", "new findings of image"),
        ("an older release", "of build"),
        ("one package too few", "of build"),
        ("one opened timer too few", "SLA timers opened at"),
        ("one stopped timer too few", "SLA timers stopped at"),
        ("one item too many", "items of notification"),
    ] {
        let message = seen.get(name).unwrap_or_else(|| panic!("no job for {name}"));
        assert!(message.contains(said), "{name}: {message}");
    }
}

/// Payloads that are wrong in one way each.
fn corrupted(payload: &Payload) -> Vec<(&'static str, Payload)> {
    let mut variants = Vec::new();
    match payload {
        Payload::Build(job) => {
            let Outcome::Published(published) = &job.fact.outcome else { return variants };
            let mut add = |name, change: &dyn Fn(&mut Vec<sim::ids::ReleaseRef>)| {
                let (mut job, mut published) = (job.clone(), published.clone());
                let mut contents = published.contents.to_vec();
                change(&mut contents);
                published.contents = contents.into();
                let fact = Arc::make_mut(&mut job.fact);
                fact.outcome = Outcome::Published(published);
                variants.push((name, Payload::Build(job)));
            };
            // (A release at the very instant at which a build began may be in it or not.)
            let cron = job.fact.cause == Cause::Cron;
            let place = published.contents.iter().position(|c| c.release > 0);
            if let Some(place) = place.filter(|_| cron) {
                add("an older release", &|contents| contents[place].release -= 1);
            }
            if published.base.is_some() {
                add("one package too few", &|contents| {
                    let own = &published.own_packages;
                    let place = contents.iter().position(|c| !own.contains(&c.package)).unwrap();
                    contents.remove(place);
                });
            }
        }
        Payload::Scan(jobs) => {
            let mut more = jobs.clone();
            Arc::make_mut(&mut more[0].fact).targets[0].findings += 1;
            variants.push(("one finding too many", Payload::Scan(more)));
            let mut less = jobs.clone();
            let targets = less.iter_mut().flat_map(|job| &mut Arc::make_mut(&mut job.fact).targets);
            if let Some(target) = targets.into_iter().find(|target| !target.new.is_empty()) {
                target.new.pop();
                variants.push(("one new finding too few", Payload::Scan(less)));
            }
        }
        Payload::Attest(_) => {}
        Payload::SlaCheck(jobs) => {
            let lists: [(&str, List); 2] = [
                ("one opened timer too few", |check| &mut check.opened),
                ("one stopped timer too few", |check| &mut check.stopped),
            ];
            for (name, list) in lists {
                let mut jobs = jobs.clone();
                let mut checks = jobs.iter_mut().map(|job| list(Arc::make_mut(&mut job.fact)));
                if checks.any(|list| list.pop().is_some()) {
                    variants.push((name, Payload::SlaCheck(jobs)));
                }
            }
        }
        Payload::Notify(jobs) => {
            let mut more = jobs.clone();
            Arc::make_mut(&mut more[0].fact).items += 1;
            variants.push(("one item too many", Payload::Notify(more)));
        }
    }
    variants
}
