//! Documents that the object store has lost or damaged: found out, named, and made again.
use crate::support::Bench;
use crate::support::conducting::{SEED, end, to_the_end};
use bytes::Bytes;
use jobs::caches::Caches;
use jobs::conductor::{Options, Stop};
use jobs::repair::{Repair, repair};
use sim::time::{DAY_MS, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::digest::{Depth, DigestError, WorldDigest, world_digest, world_digest_of};
use store::ledger;
use store::locks;
use store::objects::named::{NamedObject, examine, named};
use store::objects::{CONTENT_PREFIX, NewObject};

/// The largest object of a test.
const LIMIT_BYTES: u64 = 64 << 20;

async fn play(bench: &Bench, until: SimTime) -> Stop {
    let (workers, stop) = bench.really_work();
    let options = Options { stop_at: Some(until), ..to_the_end() };
    let ended = bench.conduct(options).await.ended.await.unwrap().unwrap();
    stop.cancel();
    workers.stopped().await;
    ended
}

/// The classroom, played to its end.
async fn played() -> Bench {
    let bench = Bench::new().await;
    assert_eq!(play(&bench, end()).await, Stop::ReachedEnd, "seed {SEED}");
    bench
}

async fn deep(bench: &Bench) -> Result<WorldDigest, DigestError> {
    world_digest_of(&bench.pool, &bench.ctx.objects, Depth::Contents).await
}

async fn rows(bench: &Bench) -> Vec<NamedObject> {
    let mut conn = bench.pool.acquire().await.unwrap();
    named(&mut conn).await.unwrap()
}

async fn mended(bench: &Bench) -> Repair {
    repair(&bench.ctx).await.unwrap_or_else(|error| panic!("seed {SEED}: {error:#}"))
}

/// One object of every kind: of each kind of row that names one, and of each kind of file of a log.
async fn one_of_each(bench: &Bench) -> BTreeMap<String, String> {
    let mut conn = bench.pool.acquire().await.unwrap();
    let mut kinds = BTreeMap::new();
    for row in rows(bench).await {
        kinds.insert(format!("{} {}", row.table_name, row.kind), row.object_key);
    }
    let predicates: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT DISTINCT ON (predicate_type) predicate_type, sha256, document_sha256
         FROM attestations WHERE sha256 IS NOT NULL ORDER BY predicate_type, seq",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    assert_eq!(predicates.len(), 6, "{predicates:?}");
    for (predicate, bundle, document) in predicates {
        kinds.insert(format!("bundle of {predicate}"), format!("{CONTENT_PREFIX}{bundle}"));
        if let Some(document) = document {
            kinds.insert(format!("document of {predicate}"), format!("{CONTENT_PREFIX}{document}"));
        }
    }
    for prefix in ["log/", "audit/"] {
        for object in bench.ctx.objects.list(prefix).await.unwrap() {
            let kind = object.key.split("/000").next().unwrap().to_owned();
            kinds.insert(kind, object.key);
        }
    }
    for kind in [
        "artifacts layer",
        "artifacts log",
        "attestation_replacements bundle",
        "attestation_replacements document",
        "log/tile/1",
        "log/tile/entries",
        "log/checkpoint",
        "audit/tile/0",
    ] {
        assert!(kinds.contains_key(kind), "{kind}: {kinds:#?}");
    }
    kinds
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip,
    Truncate,
    Delete,
}

/// Does to the stored bytes what a bad disk may do.
async fn damage(bench: &Bench, key: &str, how: Damage) {
    let objects = &bench.ctx.objects;
    let read = objects.read(key, LIMIT_BYTES).await.unwrap();
    objects.delete(key).await.unwrap();
    let mut bytes = read.stored.to_vec();
    let middle = bytes.len() / 2;
    match how {
        Damage::Flip => bytes[middle] ^= 0x10,
        Damage::Truncate => bytes.truncate(middle),
        Damage::Delete => return,
    }
    let media_type = "application/octet-stream";
    let new = NewObject {
        key: key.to_owned(),
        bytes: Bytes::from(bytes),
        media_type,
        packed: read.packed,
    };
    objects.put_all(vec![new]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_document_is_made_again_after_every_kind_of_damage() {
    let bench = played().await;
    let (quick, before) =
        (world_digest(&bench.pool, &bench.ctx.objects).await.unwrap(), deep(&bench).await.unwrap());
    assert_ne!(quick.total, before.total);
    let nothing = mended(&bench).await;
    assert_eq!((nothing.made.len(), nothing.left.len(), nothing.notes.len()), (0, 0, 0));
    let kinds = one_of_each(&bench).await;
    let keys: BTreeSet<String> = kinds.values().cloned().collect();
    for how in [Damage::Flip, Damage::Truncate, Damage::Delete] {
        for key in &keys {
            damage(&bench, key, how).await;
        }
        match (how, deep(&bench).await) {
            // What is gone is not listed any more.
            (Damage::Delete, Ok(found)) => assert_eq!(found.differences(&before), ["objects"]),
            (Damage::Flip | Damage::Truncate, Err(DigestError::Damaged(told))) => {
                for key in keys.iter().filter(|key| key.starts_with(CONTENT_PREFIX)) {
                    assert!(told.iter().any(|line| line.contains(key.as_str())), "{how:?}: {key}");
                }
            }
            (how, other) => panic!("{how:?}: {other:?}"),
        }
        let repaired = mended(&bench).await;
        let made: BTreeSet<String> = repaired.made.into_iter().collect();
        assert_eq!((repaired.left, repaired.notes), (Vec::new(), Vec::new()), "{how:?}");
        assert_eq!(made, keys, "{how:?}");
        assert_eq!(deep(&bench).await.unwrap(), before, "{how:?}, seed {SEED}");
    }
    // A bucket that somebody has emptied.
    for object in bench.ctx.objects.list("").await.unwrap() {
        bench.ctx.objects.delete(&object.key).await.unwrap();
    }
    let repaired = mended(&bench).await;
    assert_eq!(repaired.made.len() as u64, before.objects.count, "{:?}", repaired.left);
    assert_eq!(deep(&bench).await.unwrap(), before, "seed {SEED}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_kernel_made_is_repaired_as_far_as_rows_tell() {
    let bench = played().await;
    let before = deep(&bench).await.unwrap();
    let kinds = one_of_each(&bench).await;
    let by_facts = ["artifacts layer", "artifacts config", "artifacts manifest", "artifacts log"];
    let lost: Vec<&String> = by_facts.iter().map(|kind| &kinds[*kind]).collect();
    // Bundles and documents are not lost in pairs here: each is made of the other.
    let by_rows: Vec<&String> = kinds
        .iter()
        .filter(|(kind, _)| ["document of", "log/", "audit/"].iter().any(|p| kind.starts_with(p)))
        .map(|(_, key)| key)
        .filter(|key| !lost.contains(key))
        .collect();
    for key in lost.iter().chain(&by_rows) {
        bench.ctx.objects.delete(key).await.unwrap();
    }
    bench.execute("UPDATE world SET kernel_version = kernel_version || '-other'").await;
    let repaired = mended(&bench).await;
    let left: BTreeSet<&String> = repaired.left.iter().map(|left| &left.key).collect();
    assert_eq!(left, lost.iter().copied().collect(), "{repaired:#?}");
    assert!(repaired.left.iter().all(|left| !left.named_by.is_empty()), "{repaired:#?}");
    let told = repaired.notes.join("\n");
    assert!(told.contains("by version") && told.contains("of the kernel"), "{told}");
    // With its own kernel everything comes back.
    bench.execute("UPDATE world SET kernel_version = replace(kernel_version, '-other', '')").await;
    assert_eq!(mended(&bench).await.left, []);
    assert_eq!(deep(&bench).await.unwrap(), before, "seed {SEED}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_conductor_documents_are_repaired_and_its_logs_are_left_to_it() {
    let bench = played().await;
    let kinds = one_of_each(&bench).await;
    let (layer, checkpoint) = (&kinds["artifacts layer"], &kinds["log/checkpoint"]);
    for key in [layer, checkpoint] {
        bench.ctx.objects.delete(key).await.unwrap();
    }
    let mut leader = bench.pool.acquire().await.unwrap().detach();
    assert!(locks::try_lock_session(&mut leader, locks::LEADERSHIP).await.unwrap());
    let repaired = mended(&bench).await;
    assert_eq!(repaired.made.as_slice(), std::slice::from_ref(layer));
    assert!(repaired.notes.concat().contains("a conductor leads this world"), "{repaired:?}");
    drop(leader);
    bench
        .holds(
            "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                            AND database = (SELECT oid FROM pg_database
                                            WHERE datname = current_database()))",
        )
        .await;
    assert_eq!(mended(&bench).await.made.as_slice(), std::slice::from_ref(checkpoint));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_meets_a_damaged_sbom_says_so_and_is_done_after_the_repair() {
    let mut bench = Bench::new().await;
    let half = SimTime(end().0 - 3 * DAY_MS);
    assert_eq!(play(&bench, half).await, Stop::ReachedEnd, "seed {SEED}");
    let sboms: BTreeSet<_> = rows(&bench)
        .await
        .into_iter()
        .filter(|row| (&*row.table_name, &*row.kind) == ("sbom_records", "cyclonedx"))
        .map(|row| row.object_key)
        .collect();
    assert!(sboms.len() > 10, "{sboms:?}");
    for key in &sboms {
        damage(&bench, key, Damage::Flip).await;
    }
    // A worker that has not read them before.
    bench.ctx.caches = Arc::new(Caches::new(100_000));
    let held = play(&bench, end()).await;
    assert!(matches!(held, Stop::Held { .. }), "seed {SEED}: {held:?}");
    let dead: Vec<(i64, i32, String)> =
        sqlx::query_as("SELECT id, attempts, error FROM ledger WHERE state = 'dead'")
            .fetch_all(&bench.pool)
            .await
            .unwrap();
    assert!(!dead.is_empty());
    for (id, _, error) in &dead {
        for part in ["SBOM of image", "blobs/sha256/", "is damaged", "hint: `wavetank repair`"] {
            assert!(error.contains(part), "job {id}: {part:?} is not in {error:?}");
        }
    }
    let repaired = mended(&bench).await;
    assert_eq!(repaired.left, []);
    assert_eq!(repaired.made.into_iter().collect::<BTreeSet<_>>(), sboms);
    let mut conn = bench.pool.acquire().await.unwrap();
    for (id, ..) in dead {
        assert!(ledger::retry(&mut conn, id).await.unwrap(), "job {id}");
    }
    drop(conn);
    assert_eq!(play(&bench, end()).await, Stop::ReachedEnd, "seed {SEED}");
    let examined = examine(&bench.ctx.objects, rows(&bench).await).await.unwrap();
    assert_eq!((examined.damaged, examined.contradictions), (Vec::new(), Vec::new()));
    let clean = played().await;
    assert_eq!(deep(&bench).await.unwrap(), deep(&clean).await.unwrap(), "seed {SEED}");
}
