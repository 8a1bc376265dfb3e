//! The digest changes with every row and column of the world, and with nothing else.
use super::fixture::{Fixture, day};
use super::support::{bucket, database};
use std::collections::BTreeSet;
use store::digest::{Depth, EXCLUDED, TABLES, WorldDigest, world_digest, world_digest_of};
use store::objects::{ObjectStore, content_key};

async fn world() -> Fixture {
    let mut fixture = Fixture::new(database().await).await;
    fixture
        .sql(
            "INSERT INTO world VALUES (true, 'w', 'text', repeat('0', 64), 7, '1', '2026-01-05Z',
             '2026-02-01Z', '2026-01-07Z', 10, 'f', '2026-01-06Z', 9, 0, 'key', 0, NULL, 'wavetank');
         INSERT INTO clock VALUES (true, 'fast', 1);
         INSERT INTO commands VALUES (1, '{}', '2026-01-05Z', NULL);
         INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
             VALUES (1, '2026-01-05Z', 'scanned', 'catalogue', '{}');",
        )
        .await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.advisory(0, "high", day(2, "06:00"), None).await;
    fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
    fixture
}

async fn digest(fixture: &Fixture, objects: &ObjectStore) -> WorldDigest {
    world_digest(&fixture.pool, objects).await.unwrap()
}

#[tokio::test]
async fn the_digest_covers_history_and_not_how_it_was_made() {
    let objects = bucket().await;
    let fixture = world().await;
    let before = digest(&fixture, &objects).await;
    assert_eq!(digest(&fixture, &objects).await, before);
    let rows = |name| before.tables.iter().find(|t| t.name == name).map(|t| t.rows);
    assert_eq!((rows("package_releases"), rows("cve_findings")), (Some(12), Some(1)));
    for silent in [
        "UPDATE commands SET received_wall = now() + interval '1 day'",
        "UPDATE clock SET mode = 'paused', factor = 5",
        "UPDATE world SET released_seq = 99, released_fingerprint = 'g', term = 4, name = 'v'",
        "INSERT INTO ledger (id, queue, phase, at, payload, state)
             VALUES (1, 'build', 0, '2026-01-05Z', '{}', 'done')",
        // A row that moves within the table.
        "UPDATE packages SET name = name WHERE id = 0",
    ] {
        fixture.sql(silent).await;
        assert_eq!(digest(&fixture, &objects).await, before, "{silent}");
    }
    let mut last = before;
    for (statement, part) in [
        ("UPDATE commands SET rejected = 'no'", "commands"),
        ("UPDATE world SET materialized_through = '2026-01-06 00:00:00.001Z'", "world"),
        ("UPDATE world SET seed = 8", "world"),
        (
            "UPDATE cve_findings SET not_affected_at = '2026-01-07Z', justification = 'x'",
            "cve_findings",
        ),
        ("UPDATE packages SET description = E'two\\nlines' WHERE id = 2", "packages"),
        ("DELETE FROM timeline", "timeline"),
    ] {
        fixture.sql(statement).await;
        let next = digest(&fixture, &objects).await;
        assert_ne!(next.total, last.total, "{statement}");
        assert_eq!(next.differences(&last), [part], "{statement}");
        last = next;
    }
    objects.put("blobs/a", "12".into(), "text/plain").await.unwrap();
    let next = digest(&fixture, &objects).await;
    assert_eq!(next.differences(&last), ["objects"]);
    assert_eq!((next.objects.count, next.objects.bytes), (1, 2));
}

#[tokio::test]
async fn the_deep_digest_sees_what_the_quick_one_does_not() {
    let objects = bucket().await;
    let fixture = world().await;
    let deep = async || world_digest_of(&fixture.pool, &objects, Depth::Contents).await;
    let sha256 = objects.put_content("one".into(), "text/plain").await.unwrap();
    objects.put("log/tile/0/000.p/1", "two".into(), "text/plain").await.unwrap();
    let (quick, before) = (digest(&fixture, &objects).await, deep().await.unwrap());
    assert_ne!(quick.total, before.total);
    assert_eq!(quick.objects.sha256, before.objects.sha256);

    // A file that no name vouches for: another number.
    objects.put("log/tile/0/000.p/1", "too".into(), "text/plain").await.unwrap();
    assert_eq!(digest(&fixture, &objects).await, quick);
    assert_ne!(deep().await.unwrap().total, before.total);
    objects.put("log/tile/0/000.p/1", "two".into(), "text/plain").await.unwrap();
    assert_eq!(deep().await.unwrap(), before);

    // A document whose name says what it must be: an error that names it.
    let key = content_key(&sha256);
    objects.put(&key, "ome".into(), "text/plain").await.unwrap();
    assert_eq!(digest(&fixture, &objects).await, quick);
    let error = deep().await.unwrap_err().to_string();
    assert!(error.contains(&key) && error.contains("hint: `wavetank repair`"), "{error}");
}

#[tokio::test]
async fn every_column_is_in_the_digest_or_excluded_by_name() {
    let pool = database().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name NOT LIKE '%\\_wall'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let excluded: BTreeSet<_> = EXCLUDED.iter().copied().collect();
    let there: BTreeSet<String> = columns
        .into_iter()
        .filter(|(table, _)| !excluded.contains(table.as_str()))
        .map(|(table, column)| format!("{table}.{column}"))
        .filter(|column| !excluded.contains(column.as_str()))
        .collect();
    let covered: BTreeSet<String> = TABLES
        .iter()
        .flat_map(|t| t.columns.split(',').map(|c| format!("{}.{}", t.name, c.trim())))
        .collect();
    assert_eq!(covered, there);
}
