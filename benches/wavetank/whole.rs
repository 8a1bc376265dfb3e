//! A whole run, every document and row, beside a floor: the same bytes put into the same kind of
//! store and the same rows copied into the same kind of database by a bare loop.
use bytes::Bytes;
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};
use wavetank::services::{ServiceOptions, Services};

pub(crate) async fn four_weeks() {
    let data = super::directory("wavetank-bench-");
    let output = Command::new(env!("CARGO_BIN_EXE_wavetank"))
        .args(["run", "--format", "json", "--data-dir"])
        .arg(data.path())
        .arg(super::scenario("four-weeks"))
        .env_remove("DATABASE_URL")
        .env_remove("S3_ENDPOINT")
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let wall = figures["wall_seconds"].as_f64().unwrap_or_default();
    println!(
        "four-weeks, whole: {wall:.2} s for {} facts, {} builds, {} artifacts, {:.1} MB",
        figures["events"],
        figures["builds"],
        figures["artifacts"],
        figures["bytes"].as_f64().unwrap_or_default() / 1e6
    );
    println!("  by phase (phases overlap), s: {}", figures["phases_seconds"]);
    let (puts, copies) = floor(data.path()).await;
    let floor = (puts + copies).as_secs_f64();
    println!(
        "  floor: {floor:.2} s (objects {:.2} s, rows {:.2} s); the run takes {:.1} times as long",
        puts.as_secs_f64(),
        copies.as_secs_f64(),
        wall / floor
    );
}

async fn floor(played: &std::path::Path) -> (Duration, Duration) {
    let empty = super::directory("wavetank-floor-");
    let from = open(played).await;
    let mut objects = Vec::new();
    for listed in from.objects.list_world().await.expect("a listing") {
        // As it is stored: compressed.
        let mut reading = from.objects.open(&listed.key, None).await.expect("an object");
        let mut bytes = Vec::new();
        while let Some(chunk) = reading.chunk().await.expect("a chunk") {
            bytes.extend_from_slice(&chunk);
        }
        objects.push((listed.key, bytes.into()));
    }
    let mut tables = Vec::new();
    let mut conn = from.pool.acquire().await.expect("a connection");
    for table in store::digest::TABLES {
        let copy = format!("COPY {} TO STDOUT (FORMAT binary)", table.name);
        let mut stream = conn.copy_out_raw(&copy).await.expect("COPY");
        let mut bytes = Vec::new();
        while let Some(chunk) = futures::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&chunk.expect("rows"));
        }
        drop(stream);
        tables.push((table.name, bytes));
    }
    drop(conn);
    from.stop().await;
    let to = open(empty.path()).await;
    let begin = Instant::now();
    put_all(&to, objects).await;
    let puts = begin.elapsed();
    let begin = Instant::now();
    // The order of tables does not matter to a bare copy: foreign keys are checked elsewhere.
    let mut conn = to.pool.acquire().await.expect("a connection");
    sqlx::query("SET session_replication_role = replica").execute(&mut *conn).await.expect("SET");
    for (name, bytes) in tables {
        let copy = format!("COPY {name} FROM STDIN (FORMAT binary)");
        let mut sink = conn.copy_in_raw(&copy).await.expect("COPY");
        sink.send(bytes).await.expect("rows");
        sink.finish().await.expect("rows");
    }
    let copies = begin.elapsed();
    drop(conn);
    to.stop().await;
    (puts, copies)
}

async fn put_all(to: &Services, objects: Vec<(String, Bytes)>) {
    use futures::{StreamExt, TryStreamExt};
    futures::stream::iter(objects)
        .map(|(key, bytes)| async move {
            to.objects.put(&key, bytes, "application/octet-stream").await
        })
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await
        .expect("objects");
}

pub(crate) async fn open(data: &std::path::Path) -> Services {
    let options = ServiceOptions::embedded(data);
    Services::open(&options, data).await.expect("services")
}
