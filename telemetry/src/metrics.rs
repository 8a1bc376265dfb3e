//! What Prometheus reads: how requests, jobs, webhooks, connections and the world's clock are.
//!
//! Simulated and real time are told apart in every name: `..._simulated_seconds` is time of the
//! world, `..._wall_seconds` real time. The values of labels are bounded: operations of the
//! specification, statuses, queues, states.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sqlx::{PgConnection, PgPool};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use store::metrics as store_metrics;
use store::queue::Queue;

/// The operation of a request that belongs to none: an unknown path, the documentation, a file.
pub const NO_OPERATION: &str = "none";
/// How long the database may take until a scrape goes on without it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Upper ends of the buckets of request times, in seconds.
const BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

type Float = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    operation: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobState {
    queue: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mode {
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// The metrics of this process; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Answer, Counter>,
    request_times: Family<Operation, Histogram, fn() -> Histogram>,
    webhook_attempts: Family<Outcome, Counter>,
    database_up: Gauge,
    connections: Family<State, Gauge>,
    connections_max: Gauge,
    jobs: Family<JobState, Gauge>,
    webhooks: Family<State, Gauge>,
    world: World,
}

/// The metrics of the world.
#[derive(Default)]
struct World {
    starts: Float,
    released: Float,
    materialized: Float,
    factor: Float,
    mode: Family<Mode, Gauge>,
    held: Gauge,
    terms: Gauge,
    history_from: Float,
    removed_rows: Gauge,
    removed_objects: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(..)")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let times: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut inner = Inner {
            registry: Registry::with_prefix("wavetank"),
            requests: Family::default(),
            request_times: Family::new_with_constructor(times),
            webhook_attempts: Family::default(),
            database_up: Gauge::default(),
            connections: Family::default(),
            connections_max: Gauge::default(),
            jobs: Family::default(),
            webhooks: Family::default(),
            world: World::default(),
        };
        inner.register();
        Metrics(Arc::new(inner))
    }
}

impl Inner {
    fn register(&mut self) {
        let to = &mut self.registry;
        let build = Family::<Version, Gauge>::default();
        build.get_or_create(&Version { version: env!("CARGO_PKG_VERSION") }).set(1);
        to.register("build_info", "The version of the program", build);
        to.register(
            "http_requests",
            "Requests of the API, by operation of the specification and status",
            self.requests.clone(),
        );
        to.register(
            "http_request_duration_wall_seconds",
            "Real time until the answer to a request began",
            self.request_times.clone(),
        );
        to.register(
            "webhook_attempts",
            "Attempts of this process to deliver webhooks: delivered, failed (tried again), dead",
            self.webhook_attempts.clone(),
        );
        to.register(
            "database_up",
            "Whether the database answered this scrape; what is read from it is old otherwise",
            self.database_up.clone(),
        );
        to.register(
            "database_connections",
            "Connections of this process to the database, by state",
            self.connections.clone(),
        );
        to.register(
            "database_connections_max",
            "The most connections that this process opens",
            self.connections_max.clone(),
        );
        to.register("jobs", "Jobs that are not done, by queue and state", self.jobs.clone());
        to.register(
            "webhook_deliveries",
            "Webhook deliveries of the installation that wait or are dead",
            self.webhooks.clone(),
        );
        self.world.register(to);
    }
}

impl World {
    fn register(&self, to: &mut Registry) {
        for (name, help, gauge) in [
            (
                "world_starts_simulated_seconds",
                "Where simulated time begins, in simulated seconds since 1970",
                &self.starts,
            ),
            (
                "world_released_through_simulated_seconds",
                "Up to here facts are handed to workers, in simulated seconds since 1970",
                &self.released,
            ),
            (
                "world_materialized_through_simulated_seconds",
                "Up to here every job is done, in simulated seconds since 1970",
                &self.materialized,
            ),
            (
                "world_history_from_simulated_seconds",
                "From here on history is whole, in simulated seconds since 1970",
                &self.history_from,
            ),
            (
                "clock_factor_simulated_per_wall",
                "Simulated seconds a real second, in live mode",
                &self.factor,
            ),
        ] {
            to.register(name, help, gauge.clone());
        }
        to.register("clock_mode", "How the clock goes: 1 for its mode", self.mode.clone());
        to.register("clock_held", "Whether a defect holds the clock", self.held.clone());
        to.register("conductor_terms", "Conductors there have been", self.terms.clone());
        let rows = "Rows that the world's retention has removed";
        to.register("retention_removed_rows", rows, self.removed_rows.clone());
        let objects = "Objects that the world's retention has removed";
        to.register("retention_removed_objects", objects, self.removed_objects.clone());
    }

    fn set(&self, world: &store_metrics::WorldMetrics) {
        let seconds = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis() as f64 / 1e3;
        self.starts.set(seconds(world.starts_at));
        self.released.set(seconds(world.released_through));
        self.materialized.set(seconds(world.materialized_through));
        self.factor.set(world.factor);
        for mode in ["paused", "live", "fast"] {
            self.mode.get_or_create(&Mode { mode }).set(i64::from(world.mode == mode));
        }
        self.held.set(i64::from(world.held));
        self.terms.set(world.term);
        self.history_from.set(seconds(world.history_from));
        self.removed_rows.set(world.removed_rows);
        self.removed_objects.set(world.removed_objects);
    }
}

impl Metrics {
    /// Counts an answer. `operation` is one of the specification, or [`NO_OPERATION`].
    pub fn answered(&self, operation: &str, status: u16, took: Duration) {
        let operation = operation.to_owned();
        let answer = Answer { operation: operation.clone(), status };
        self.0.requests.get_or_create(&answer).inc();
        let times = self.0.request_times.get_or_create(&Operation { operation });
        times.observe(took.as_secs_f64());
    }

    /// Counts an attempt to deliver a webhook, by what became of it.
    pub fn webhook_attempt(&self, outcome: &'static str) {
        self.0.webhook_attempts.get_or_create(&Outcome { outcome }).inc();
    }

    /// All metrics in Prometheus' text format, those of the database read anew.
    pub async fn scrape(&self, pool: &PgPool) -> Result<String, fmt::Error> {
        let read = tokio::time::timeout(PATIENCE, self.read(pool)).await;
        let up = matches!(read, Ok(Ok(())));
        if let Ok(Err(error)) = read {
            tracing::debug!(%error, "the scrape lacks the database's metrics");
        }
        self.0.database_up.set(i64::from(up));
        let (size, idle) = (i64::from(pool.size()), pool.num_idle() as i64);
        self.0.connections.get_or_create(&State { state: "idle" }).set(idle);
        self.0.connections.get_or_create(&State { state: "used" }).set((size - idle).max(0));
        self.0.connections_max.set(i64::from(pool.options().get_max_connections()));
        let mut text = String::new();
        text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    async fn read(&self, pool: &PgPool) -> sqlx::Result<()> {
        let mut conn = pool.acquire().await?;
        if let Some(world) = store_metrics::world(&mut conn).await? {
            self.0.world.set(&world);
        }
        self.read_jobs(&mut conn).await?;
        let (pending, dead) = store_metrics::webhooks(&mut conn).await?;
        self.0.webhooks.get_or_create(&State { state: "pending" }).set(pending);
        self.0.webhooks.get_or_create(&State { state: "dead" }).set(dead);
        Ok(())
    }

    async fn read_jobs(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let found = store_metrics::jobs(conn).await?;
        for queue in Queue::OF_WORLD {
            for state in ["owed", "dead"] {
                let queue = queue.as_str();
                let count = found.iter().find(|(q, s, _)| q == queue && s == state);
                let gauge = self.0.jobs.get_or_create(&JobState { queue, state });
                gauge.set(count.map_or(0, |(.., count)| *count));
            }
        }
        Ok(())
    }
}
