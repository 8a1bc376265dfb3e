//! A world that keeps two days of its past: the same whoever does the work and whatever dies on the
//! way, no larger than what it keeps, and nothing is gone that is still in use.
use crate::support::conducting::{CLASSROOM, SEED};
use crate::support::{Bench, LIMIT};
use jobs::conductor::{Options, Progress, Stop};
use jobs::worker::{WorkerOptions, Workers};
use sim::time::{DAY_MS, SimDuration, SimTime};
use std::collections::BTreeSet;
use std::fmt::Write;
use store::digest::{WorldDigest, world_digest};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const KEEP: SimDuration = SimDuration(2 * DAY_MS);

/// The classroom for two weeks, with images that change often.
fn text() -> String {
    CLASSROOM.replace("duration: 7d", "duration: 14d")
}

fn start() -> SimTime {
    crate::support::conducting::scenario(CLASSROOM).start.time()
}

fn end() -> SimTime {
    start() + SimDuration(14 * DAY_MS)
}

/// Plays the two weeks. The conductor and all workers are dropped whenever so many days are done.
async fn play(keep: Option<SimDuration>, concurrency: usize, die_at_days: &[i64]) -> Bench {
    let bench = Bench::new().await;
    let mut deaths = die_at_days.iter().map(|days| start() + SimDuration(days * DAY_MS));
    loop {
        let stop = CancellationToken::new();
        let options = WorkerOptions { concurrency, ..WorkerOptions::default() };
        let (ctx, signals) = (bench.ctx.clone(), bench.signals.clone());
        let workers = Workers::start(ctx, signals, options, stop.clone());
        let options =
            Options { stop_at: Some(end()), stop_when_held: true, keep, ..Options::default() };
        let conductor = bench.open_as(&text(), SEED, options).await.unwrap();
        let (sender, mut progress) = watch::channel(Progress::default());
        let conducting = tokio::spawn(conductor.run(sender, CancellationToken::new()));
        let died = match deaths.next() {
            Some(death) => {
                let done = progress.wait_for(|now| now.materialized_through >= death);
                tokio::time::timeout(LIMIT, done).await.expect("it comes that far").unwrap();
                conducting.abort();
                conducting.await.is_err()
            }
            None => {
                let ended = tokio::time::timeout(3 * LIMIT, conducting).await;
                let ended = ended.expect("it ends").unwrap().unwrap();
                assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
                false
            }
        };
        stop.cancel();
        workers.stopped().await;
        if !died {
            return bench;
        }
    }
}

impl Bench {
    async fn digest(&self) -> WorldDigest {
        world_digest(&self.pool, &self.ctx.objects).await.unwrap()
    }

    /// What the retention said and what it remembers.
    async fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        for sql in [
            "SELECT (at, history_from, removed, removed_rows, objects, document_bytes)::text
             FROM retention_runs ORDER BY at",
            "SELECT (log, log_index, leaf_hash)::text FROM expired_leaves ORDER BY log, log_index",
            "SELECT (image_id, advisory_id, detected_at)::text FROM first_findings
             ORDER BY image_id, advisory_id",
        ] {
            let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.pool).await.unwrap();
            told.push(rows.join("\n"));
        }
        told
    }

    /// The rows of what is current, in use or owed: in an order that does not depend on how they are
    /// stored.
    async fn in_use(&self) -> String {
        let mut all = String::new();
        for (table, which) in [
            ("image_versions", "superseded_at IS NULL"),
            ("customer_image_usage", "valid_to IS NULL"),
            ("sla_timers", "stopped_at IS NULL"),
            ("sla_violations", "resolved_at IS NULL"),
            (
                "cve_findings",
                "resolved_at IS NULL AND EXISTS (SELECT FROM images i
                WHERE i.id = t.image_id AND i.current_version = t.version)",
            ),
            ("(SELECT name, origin, size, root FROM logs)", "true"),
            ("advisories", "true"),
            ("triages", "true"),
        ] {
            let sql = format!(
                "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t
                 WHERE {which}"
            );
            let hash: String =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pool).await.unwrap();
            writeln!(all, "{table} {hash}").unwrap();
        }
        all
    }

    /// When each version that is left was scanned last, as of two instants: that horizon and the end.
    async fn scans(&self) -> BTreeSet<String> {
        let sql = "
            SELECT concat_ws(' ', i.at, v.image_id, v.version,
                       coalesce(scanned_at(v.image_id, v.version, v.published_at, v.superseded_at,
                                           i.at)::text, 'never'), scan_pass_at(i.at))
            FROM image_versions v, world w
            CROSS JOIN LATERAL (VALUES (w.ends_at - interval '2 days'), (w.ends_at)) i (at)
            WHERE v.published_at <= i.at";
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.pool).await.unwrap();
        rows.into_iter().collect()
    }

    /// The documents that rows name, and those that the object store holds.
    async fn documents(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let named: Vec<String> = sqlx::query_scalar(
            "SELECT sha256 FROM artifacts
             UNION SELECT sha256 FROM attestations UNION SELECT document_sha256 FROM attestations
                   WHERE document_sha256 IS NOT NULL
             UNION SELECT sha256 FROM attestation_replacements
             UNION SELECT document_sha256 FROM attestation_replacements",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        let stored = self.ctx.objects.list("blobs/sha256/").await.unwrap();
        let stored = stored.iter().map(|object| object.key["blobs/sha256/".len()..].to_owned());
        (named.into_iter().collect(), stored.collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_depends_on_the_world_alone() {
    let one = play(Some(KEEP), 1, &[]).await;
    let many = play(Some(KEEP), 8, &[3, 5, 6, 9]).await;
    let (digest, other) = (one.digest().await, many.digest().await);
    assert_eq!(digest.total, other.total, "seed {SEED}: {:?}", digest.differences(&other));
    assert_eq!(one.told().await, many.told().await, "seed {SEED}");

    let whole = play(None, 4, &[]).await;
    let facts = "SELECT (released_seq, released_fingerprint)::text FROM world";
    let (kept, all): (String, String) = (
        sqlx::query_scalar(facts).fetch_one(&one.pool).await.unwrap(),
        sqlx::query_scalar(facts).fetch_one(&whole.pool).await.unwrap(),
    );
    assert_eq!(kept, all, "seed {SEED}: retention changes no fact");
    assert_eq!(one.in_use().await, whole.in_use().await, "seed {SEED}");
    assert_eq!(whole.count("SELECT count(*) FROM retention_runs").await, 0);
    let (scans, all) = (one.scans().await, whole.scans().await);
    let changed: Vec<_> = scans.difference(&all).collect();
    assert!(!scans.is_empty() && changed.is_empty(), "seed {SEED}: scanned at {changed:?}");

    // The last run stands at the end: its horizon is two days before that, but for the evaluations.
    let horizon = "(SELECT max(history_from) FROM retention_runs)";
    let runs = one.count("SELECT count(*) FROM retention_runs").await;
    assert_eq!(runs, 12, "a run every midnight from the third on");
    let late = format!("SELECT count(*) FROM world WHERE {horizon} = ends_at - interval '2 days'");
    assert_eq!(one.count(late.leak()).await, 1);
    for (table, old) in [
        (
            "timeline",
            "at <= $ AND kind NOT IN ('sla_checked', 'scanned')
             AND seq <> (SELECT max(seq) FROM timeline WHERE at <= $)",
        ),
        ("notifications", "at <= $"),
        (
            "customer_image_usage u",
            "valid_to <= $ AND valid_from > used_since
             AND EXISTS (SELECT FROM customer_image_usage w
                         WHERE w.image_id = u.image_id AND w.version = u.version
                           AND (w.valid_to IS NULL OR w.valid_to > u.valid_to))",
        ),
        ("build_events", "finished_at <= $ AND id NOT IN (SELECT build_id FROM image_versions)"),
        (
            "image_versions v",
            "superseded_at <= $ AND version > 1
             AND NOT EXISTS (SELECT FROM customer_image_usage u WHERE u.image_id = v.image_id
                             AND u.version IN (v.version, v.version + 1))
             AND NOT EXISTS (SELECT FROM image_versions n WHERE n.base_image_id = v.image_id
                             AND n.base_version = v.version)
             AND NOT EXISTS (SELECT FROM images i WHERE i.id = v.image_id
                             AND i.current_version IN (v.version, v.version + 1))
             AND NOT EXISTS (SELECT FROM attestations a WHERE a.image_id = v.image_id
                             AND a.version = v.version AND a.log_index >=
                                 (SELECT size / 256 * 256 FROM logs WHERE name = 'transparency'))
             AND NOT EXISTS (SELECT FROM cve_findings f WHERE f.image_id = v.image_id
                             AND f.version = v.version AND f.resolved_at IS NULL)",
        ),
    ] {
        let of = |bench: &Bench| {
            let horizon = "(SELECT ends_at - interval '2 days' FROM world)";
            let sql = format!("SELECT count(*) FROM {table} WHERE {}", old.replace('$', horizon));
            let pool = bench.pool.clone();
            async move {
                let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql));
                query.fetch_one(&pool).await.unwrap()
            }
        };
        assert_eq!(of(&one).await, 0, "{table} is as long as what is kept");
        assert!(of(&whole).await > 0, "{table}: nothing could be removed, the test proves nothing");
    }
    let (named, stored) = one.documents().await;
    assert_eq!(named, stored, "seed {SEED}: objects without a row, or rows without their object");
    let (before, _) = whole.documents().await;
    assert!(named.len() * 2 < before.len(), "{} of {} are left", named.len(), before.len());
}
