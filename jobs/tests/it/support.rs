//! What the tests share: a database and a bucket for each, and scripted job bodies.
pub(crate) mod conducting;
pub(crate) mod handlers;
#[path = "../../../store/tests/it/support/services.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of `store`")]
pub(crate) mod services;

use handlers::Script;
use jobs::caches::Caches;
use jobs::job::{JobContext, SequencedFact};
use jobs::queue::Signals;
use jobs::registry::Payload;
use jobs::worker::{WorkerOptions, Workers};
use sim::fact::{Notification, NotificationKind};
use sim::time::SimTime;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::db::{self, Durability};
use store::ledger::NewJob;
use store::queue::Queue;
use tokio_util::sync::CancellationToken;

/// How long a test waits for something that must happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A database of its own, the schema in it, and connections to it.
pub(crate) struct Bench {
    pub(crate) url: String,
    pub(crate) pool: PgPool,
    pub(crate) ctx: JobContext,
    pub(crate) signals: Arc<Signals>,
}

async fn connect(url: &str, durability: Durability) -> PgPool {
    db::connect(url.parse().unwrap(), 16, durability).await.unwrap()
}

/// The URL of a new database with our schema and the queue's.
async fn fresh_database() -> String {
    let services = services::services();
    let template = services
        .template("jobs", "", |url| async move {
            let pool = connect(&url, Durability::Full).await;
            db::migrate(&pool).await.unwrap();
            jobs::queue::setup(&pool).await.unwrap();
            pool.close().await;
        })
        .await;
    services.database(&template).await
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        Self::at(&fresh_database().await).await
    }

    /// Another process, as it were, on the same database.
    pub(crate) async fn beside(&self) -> Bench {
        Self::at(&self.url).await
    }

    /// The same with the same objects.
    pub(crate) async fn beside_with_objects(&self) -> Bench {
        let mut beside = self.beside().await;
        beside.ctx.objects = self.ctx.objects.clone();
        beside
    }

    pub(crate) async fn at(url: &str) -> Bench {
        let pool = connect(url, Durability::Full).await;
        let worker_pool = connect(url, Durability::Relaxed).await;
        let objects = services::services().bucket().await;
        let caches = Arc::new(Caches::new(100_000));
        let ctx = JobContext { pool: worker_pool, objects, caches, keys: Arc::default() };
        Bench { url: url.to_owned(), pool, ctx, signals: Signals::new() }
    }

    /// Starts workers with these bodies; they end with the token.
    pub(crate) fn work(&self, script: &Arc<Script>) -> (Workers, CancellationToken) {
        self.work_within(WorkerOptions::default().time_limit, script)
    }

    /// The same, with another time limit for an attempt.
    pub(crate) fn work_within(
        &self,
        time_limit: Duration,
        script: &Arc<Script>,
    ) -> (Workers, CancellationToken) {
        let options = WorkerOptions { concurrency: 4, time_limit, ..WorkerOptions::default() };
        let stop = CancellationToken::new();
        let (ctx, signals) = (self.ctx.clone(), self.signals.clone());
        let workers = Workers::start_with(ctx, signals, options, stop.clone(), script.clone());
        (workers, stop)
    }

    /// Owes jobs and delivers them, telling the workers of other processes only.
    pub(crate) async fn deliver(&self, ids: &[i64]) {
        self.owe(ids).await;
        self.deliver_again(ids).await;
    }

    /// Delivers jobs that are owed.
    pub(crate) async fn deliver_again(&self, ids: &[i64]) {
        let mut tx = self.pool.begin().await.unwrap();
        jobs::queue::deliver(&mut tx, Queue::Build, ids).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Owes jobs of the build queue that carry a small payload.
    pub(crate) async fn owe(&self, ids: &[i64]) {
        let notification = Notification {
            customer: None,
            kind: NotificationKind::BuildFailed,
            previous: SimTime(0),
            items: 1,
        };
        let job = |id: &i64| {
            let fact = Arc::new(notification.clone());
            let payload =
                Payload::Notify(vec![SequencedFact { seq: *id as u64, at: SimTime(0), fact }]);
            let payload = serde_json::to_string(&payload).unwrap();
            NewJob { id: *id, queue: Queue::Build, phase: 0, at: SimTime(0), payload }
        };
        let jobs: Vec<NewJob> = ids.iter().map(job).collect();
        let mut conn = self.pool.acquire().await.unwrap();
        store::ledger::insert(&mut conn, &jobs).await.unwrap();
    }

    /// State, attempts and error of a job.
    pub(crate) async fn job(&self, id: i64) -> (String, i32, Option<String>) {
        sqlx::query_as("SELECT state, attempts, error FROM ledger WHERE id = $1")
            .bind(id)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Waits until a job is in a state; fails after a minute with its row.
    pub(crate) async fn becomes(&self, id: i64, state: &str) {
        let began = Instant::now();
        loop {
            let job = self.job(id).await;
            if job.0 == state {
                return;
            }
            assert!(began.elapsed() < LIMIT, "job {id} should become {state}, but is {job:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// One number.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str) -> u64 {
        sqlx::query(sql).execute(&self.pool).await.unwrap().rows_affected()
    }

    /// A world and its clock without a scenario, for tests of the ledger alone.
    pub(crate) async fn world(&self) {
        let origin = store::world::Origin {
            name: "none".to_owned(),
            scenario: String::new(),
            scenario_sha256: "0".repeat(64),
            seed: 0,
            kernel_version: sim::KERNEL_VERSION.to_owned(),
            starts_at: SimTime(0),
            ends_at: SimTime(1),
            signer_key: String::new(),
            distribution: "alpine".to_owned(),
        };
        let mut conn = self.pool.acquire().await.unwrap();
        store::world::create(&mut conn, &origin, "", None).await.unwrap();
    }
}
