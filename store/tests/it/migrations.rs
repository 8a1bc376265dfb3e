//! Migrations that a release has are never edited, and new ones come after them.
use crate::support;
use sqlx::migrate::Migration;
use std::collections::BTreeMap;
use store::db::{self, MIGRATOR};
use store::error::Error;

const RELEASED: &str = include_str!("../../../migrations/released.txt");

/// What was released: by version of the migration, its file and SHA-384.
fn released() -> BTreeMap<i64, (&'static str, &'static str)> {
    let lines = RELEASED.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &'static str| {
        let mut words = line.split(' ').skip(1);
        let (file, sha384) = (words.next().unwrap(), words.next().unwrap());
        (file.split('_').next().unwrap().parse().unwrap(), (file, sha384))
    };
    lines.map(entry).collect()
}

fn file(migration: &Migration) -> String {
    format!("{}_{}.sql", migration.version, migration.description.replace(' ', "_"))
}

#[test]
fn released_migrations_are_as_they_were() {
    let released = released();
    assert!(!released.is_empty());
    let present: BTreeMap<i64, &Migration> = MIGRATOR.iter().map(|m| (m.version, m)).collect();
    for (version, (name, sha384)) in &released {
        let migration = present.get(version).unwrap_or_else(|| panic!("{name} was released"));
        assert_eq!(*name, file(migration));
        let now = hex::encode(&migration.checksum);
        assert_eq!(*sha384, now, "{name} was released: add a migration instead of editing it");
    }
    let newest = released.keys().max();
    for (version, migration) in &present {
        let later = newest.is_none_or(|newest| version > newest);
        assert!(later || released.contains_key(version), "{} comes too late", file(migration));
    }
}

#[tokio::test]
async fn a_newer_schema_and_an_edited_one_are_refused_and_left_alone() {
    let pool = support::database().await;
    let run = async |sql: &'static str| {
        sqlx::query(sql).execute(&pool).await.unwrap();
    };
    run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99990101000000, 'of a later release', true, '\\x00', 0)")
    .await;
    let error = db::migrate(&pool).await.unwrap_err();
    let newer = matches!(error, Error::NewerSchema { migration: 99_990_101_000_000, .. });
    assert!(newer && error.to_string().contains("hint: use that release"), "{error}");
    run("DELETE FROM _sqlx_migrations WHERE version = 99990101000000").await;
    db::migrate(&pool).await.unwrap();
    run("UPDATE _sqlx_migrations SET checksum = '\\x00'
         WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
    .await;
    let error = db::migrate(&pool).await.unwrap_err();
    assert!(matches!(error, Error::EditedMigration { .. }), "{error}");
}
