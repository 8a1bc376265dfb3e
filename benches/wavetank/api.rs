//! The API of a large world that runs: how many requests a second 16 clients get answered and how
//! soon, for each question and list, beside a bare handler with the same SQL, and how fast the cores
//! were meanwhile. `WAVETANK_BENCH_DATA` names a directory that keeps the world for the next time, and
//! `WAVETANK_BENCH_ONLY` a part of the addresses that are asked.
mod asked;
mod drive;
mod speed;

use crate::client::{self, Client};
use asked::{Asked, Names, Subject};
use chrono::{DateTime, TimeDelta, Utc};
use drive::{CLIENTS, EACH, drive};
use poem::handler;
use poem::listener::TcpListener;
use poem::web::{Data, Path};
use poem::{EndpointExt, Route, Server, get};
use serde_json::json;
use sqlx::PgPool;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::read::{Moment, world::position};

/// What a page holds, and the one more that tells whether another follows.
const LIMIT: i64 = 26;
/// One simulated minute a second.
const FACTOR: f64 = 60.0;
/// How far the work of a world that keeps up is behind: ten seconds.
const AT_REST: TimeDelta = TimeDelta::minutes(10);
/// Three weeks after the scenario's end.
const DUE_BY: &str = "2026-04-27T00:00:00Z";

pub(crate) async fn rates() {
    let (kept, temporary);
    let data = match std::env::var_os("WAVETANK_BENCH_DATA") {
        Some(path) => {
            kept = std::path::PathBuf::from(path);
            kept.as_path()
        }
        None => {
            temporary = super::directory("wavetank-api-");
            temporary.path()
        }
    };
    if std::fs::read_dir(data).is_ok_and(|mut files| files.next().is_some()) {
        println!("api: the world that is in {}", data.display());
    } else {
        play(data);
    }
    let services = super::whole::open(data).await;
    let port = client::free_port();
    let mut demo = client::program(&services)
        .arg("demo")
        .arg(scenario())
        .args(["--rate-limit", "1000000", "--listen", &format!("127.0.0.1:{port}")])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let key = client::api_key(&services, None);
    let base = format!("http://127.0.0.1:{port}");
    let client = Client::sign_in(base.clone(), &key).await;
    let live = json!({ "mode": "live", "factor": FACTOR });
    client.send(reqwest::Method::PUT, "/v1/clock", &live).await;
    let world = client.until("/v1/clock", |clock| clock["mode"] == "live").await;
    let past = instant(&world, "materialized_through") - TimeDelta::days(30);
    // What the world does to begin, or had still to do, is not what it does while it is asked.
    let began = instant(&world, "released_through");
    let runs = |clock: &serde_json::Value| {
        let released = instant(clock, "released_through");
        released > began && released - instant(clock, "materialized_through") <= AT_REST
    };
    client.until("/v1/clock", runs).await;
    let (subject, names) = subject(&services.pool, past).await;
    let tenant_key = client::api_key(&services, Some(&names.customer));
    let counts: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM cve_findings), (SELECT count(*) FROM sla_timers)",
    )
    .fetch_one(&services.pool)
    .await
    .expect("counts");
    println!(
        "{} findings, {} timers; {CLIENTS} clients for {} s each, while the world runs at {FACTOR} \
         times the wall clock; newest state, as of 30 days before, and what a tenant sees of it",
        counts.0,
        counts.1,
        EACH.as_secs()
    );
    let all: Arc<Vec<Asked>> = Arc::new(asked::all(subject, &names));
    let peer_base = serve_bare(services.api_pools.platform.clone(), Arc::clone(&all), past).await;
    let only = std::env::var("WAVETANK_BENCH_ONLY").unwrap_or_default();
    for (n, asked) in all.iter().enumerate().filter(|(_, asked)| asked.path.contains(&only)) {
        let joint = if asked.path.contains('?') { '&' } else { '?' };
        for (at, as_of) in [("newest", ""), ("past", &format!("{joint}as_of={}", rfc3339(past)))] {
            let token = Client::sign_in(base.clone(), &key).await.token;
            let ours = drive(format!("{base}{}{as_of}", asked.path), Some(token)).await;
            let peer = drive(format!("{peer_base}/{n}/{at}"), None).await;
            println!(
                "{:<58} {at:<6} {ours}; bare {peer}: {:.2} of its rate",
                asked.path,
                ours.rate() / peer.rate()
            );
        }
        let token = Client::sign_in(base.clone(), &tenant_key).await.token;
        let ours = drive(format!("{base}{}", asked.path), Some(token)).await;
        println!("{:<58} tenant {ours}", asked.path);
    }
    let _ = std::process::Command::new("kill").arg(demo.id().to_string()).status();
    let _ = demo.wait();
    services.stop().await;
}

/// About half an hour on two cores.
fn play(data: &std::path::Path) {
    let begin = Instant::now();
    let played = std::process::Command::new(env!("CARGO_BIN_EXE_wavetank"))
        .args(["run", "--data-dir"])
        .arg(data)
        .arg(scenario())
        .env_remove("DATABASE_URL")
        .env_remove("S3_ENDPOINT")
        .stdout(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(played.success(), "the world was not played");
    println!("api: a million findings made in {:.0} s", begin.elapsed().as_secs_f64());
}

fn scenario() -> std::path::PathBuf {
    super::repository().join("benches/wavetank/million-findings.yaml")
}

fn instant(clock: &serde_json::Value, field: &str) -> DateTime<Utc> {
    let text = clock[field].as_str().expect("an instant");
    DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// What most has happened to, and a version that was there already in the past.
async fn subject(pool: &PgPool, past: DateTime<Utc>) -> (Subject, Names) {
    let (advisory, cve): (i64, String) = sqlx::query_as(
        "SELECT a.id, a.cve FROM sla_timers t JOIN advisories a ON a.id = t.advisory_id
         GROUP BY a.id ORDER BY count(*) DESC, a.id LIMIT 1",
    )
    .fetch_one(pool)
    .await
    .expect("an advisory");
    let (image, image_name, version): (i64, String, i32) = sqlx::query_as(
        "SELECT i.id, i.name, (SELECT max(version) FROM image_versions v
                               WHERE v.image_id = i.id AND v.published_at <= $1)
         FROM customer_image_usage u JOIN images i ON i.id = u.image_id
         GROUP BY i.id ORDER BY count(*) DESC, i.id LIMIT 1",
    )
    .bind(past)
    .fetch_one(pool)
    .await
    .expect("an image");
    let (customer, customer_name): (i64, String) = sqlx::query_as(
        "SELECT c.id, c.tenant_namespace FROM customers c
         JOIN sla_timers t ON t.customer_id = c.id
         GROUP BY c.id ORDER BY count(*) DESC, c.id LIMIT 1",
    )
    .fetch_one(pool)
    .await
    .expect("a customer");
    let (package, package_name): (i64, String) = sqlx::query_as(
        "SELECT p.id, p.name FROM cve_findings f JOIN packages p ON p.id = f.package_id
         GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1",
    )
    .fetch_one(pool)
    .await
    .expect("a package");
    let names = Names { cve, image: image_name, customer: customer_name, package: package_name };
    (Subject { advisory, image, version, customer, package }, names)
}

/// What the bare handler works with.
#[derive(Clone)]
struct Bare {
    pool: PgPool,
    all: Arc<Vec<Asked>>,
    past: DateTime<Utc>,
}

/// The same snapshot, the same role, the same SQL; nobody signs in and no document is written.
#[handler]
async fn bare(Path((n, at)): Path<(usize, String)>, with: Data<&Bare>) -> poem::Result<String> {
    let read = async {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                     SET LOCAL ROLE wavetank_platform";
        let mut tx = with.pool.begin_with(begin).await?;
        let position = position(&mut tx).await?.ok_or(sqlx::Error::RowNotFound)?;
        let moment = match at.as_str() {
            "newest" => Moment { as_of: position.released_through, newest: true },
            _ => Moment { as_of: with.past, newest: false },
        };
        let read = (with.all[n].sql)(&mut tx, moment).await?;
        tx.rollback().await?;
        Ok::<_, sqlx::Error>(read.to_string())
    };
    read.await.map_err(poem::error::InternalServerError)
}

async fn serve_bare(pool: PgPool, all: Arc<Vec<Asked>>, past: DateTime<Utc>) -> String {
    let address = format!("127.0.0.1:{}", client::free_port());
    let route = Route::new().at("/:n/:at", get(bare)).data(Bare { pool, all, past });
    tokio::spawn(Server::new(TcpListener::bind(address.clone())).run(route));
    tokio::time::sleep(Duration::from_millis(200)).await;
    format!("http://{address}")
}
