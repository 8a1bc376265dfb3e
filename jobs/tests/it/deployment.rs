//! What an operator chooses does not enter the world: two installations that differ in all of it
//! have one digest, and list in one order.
use crate::support::Bench;
use crate::support::conducting::{SEED, to_the_end};
use embedded::{EmbeddedPostgres, EmbeddedS3, PostgresOptions, S3Durability};
use jobs::caches::Caches;
use jobs::conductor::Stop;
use jobs::job::JobContext;
use jobs::queue::Signals;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use store::db::{self, Durability};
use store::digest::{Depth, WorldDigest, world_digest_of};
use store::objects::{ObjectStore, Settings};

/// Another installation: its own server in another directory, another owner and database, whose
/// defaults are those of far-away people, and another bucket elsewhere.
async fn elsewhere(files: &std::path::Path) -> (Bench, EmbeddedPostgres, EmbeddedS3) {
    let options = PostgresOptions { fsync: false, ..PostgresOptions::from_env() };
    let server = EmbeddedPostgres::start(files, options).await.unwrap();
    let admin: PgConnectOptions = server.url().parse().unwrap();
    let mut conn = admin.clone().connect().await.unwrap();
    let version: i32 =
        sqlx::query_scalar("SELECT current_setting('server_version_num')::integer / 10000")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    let has_icu: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i')")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    let locale = if version >= 15 && has_icu {
        "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
    } else {
        "LC_CTYPE 'C'"
    };
    for statement in [
        "CREATE ROLE keeper LOGIN CREATEROLE",
        &format!(
            "CREATE DATABASE harbour OWNER keeper TEMPLATE template0 ENCODING 'UTF8' {locale}"
        ),
        "ALTER DATABASE harbour SET timezone = 'Asia/Kathmandu'",
        "ALTER DATABASE harbour SET datestyle = 'German, DMY'",
        "ALTER DATABASE harbour SET intervalstyle = 'sql_standard'",
        "ALTER DATABASE harbour SET bytea_output = 'escape'",
        "ALTER ROLE keeper SET extra_float_digits = -3",
        "ALTER ROLE keeper SET default_statistics_target = 7",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
    }
    let keeper = admin.username("keeper").database("harbour");
    let pool = async |durability| db::connect(keeper.clone(), 16, durability).await.unwrap();
    let (conductor, workers) = (pool(Durability::Full).await, pool(Durability::Relaxed).await);
    db::migrate(&conductor).await.unwrap();
    jobs::queue::setup(&conductor).await.unwrap();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let place = files.join("cargo");
    let s3 = EmbeddedS3::start_with(&place, any_port, S3Durability::Cached).await.unwrap();
    let settings = Settings {
        endpoint: s3.endpoint(),
        region: "ap-south-1".into(),
        bucket: "the-other-bucket".into(),
        access_key: s3.access_key().into(),
        secret_key: s3.secret_key().into(),
    };
    let objects = ObjectStore::connect(&settings).await.unwrap();
    let caches = Arc::new(Caches::new(100_000));
    let ctx = JobContext { pool: workers, objects, caches, keys: Arc::default() };
    let bench = Bench { url: server.url(), pool: conductor, ctx, signals: Signals::new() };
    (bench, server, s3)
}

async fn played(bench: &Bench) -> WorldDigest {
    let (workers, stop) = bench.really_work();
    let ended = bench.conduct(to_the_end()).await.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
    stop.cancel();
    workers.stopped().await;
    world_digest_of(&bench.pool, &bench.ctx.objects, Depth::Contents).await.unwrap()
}

/// What lists go by, in their order.
async fn orders(pool: &PgPool) -> Vec<Vec<String>> {
    // Beside the world's own names, some that locales sort in another way than bytes do.
    let more = "INSERT INTO packages
                SELECT 1000 + n, name, 'MIT', 'x', 'x', false
                FROM unnest(ARRAY['re-sort', 'resort', 'Resort', 'resort-2', 're_sort', 'résort'])
                     WITH ORDINALITY AS new (name, n) ON CONFLICT DO NOTHING";
    sqlx::query(more).execute(pool).await.unwrap();
    let mut orders = Vec::new();
    for sql in [
        "SELECT name FROM packages ORDER BY name",
        "SELECT name FROM images ORDER BY name",
        "SELECT name FROM sla_policies ORDER BY name",
        "SELECT tag || ' ' || name FROM image_tags ORDER BY tag, name",
        "SELECT tenant_namespace FROM customers ORDER BY tenant_namespace COLLATE \"C\"",
    ] {
        orders.push(sqlx::query_scalar(sql).fetch_all(pool).await.unwrap());
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn two_installations_that_differ_in_everything_have_one_digest() {
    let here = Bench::new().await;
    let files = tempfile::Builder::new().prefix("wavetank-far away-").tempdir().unwrap();
    std::fs::set_permissions(files.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (there, server, s3) = elsewhere(files.path()).await;
    let style: String = sqlx::query_scalar("SELECT current_setting('bytea_output')")
        .fetch_one(&there.pool)
        .await
        .unwrap();
    assert_eq!(style, "escape", "its settings are in force");
    let (one, other) = tokio::join!(played(&here), played(&there));
    assert_eq!(one.differences(&other), [""; 0], "seed {SEED}");
    assert_eq!(one, other, "seed {SEED}");
    let (one, other) = (orders(&here.pool).await, orders(&there.pool).await);
    assert_eq!(one, other);
    assert!(one.iter().all(|names| names.is_sorted()), "by bytes: {one:?}");
    there.pool.close().await;
    there.ctx.pool.close().await;
    s3.stop().await;
    server.stop().await;
}
