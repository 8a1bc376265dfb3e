//! A world from a scenario file, conducted with scripted or real bodies.
use super::handlers::Script;
use super::{Bench, LIMIT};
use jobs::conductor::{Conductor, ConductorError, Options, Progress, Resources, Stop};
use jobs::worker::{WorkerOptions, Workers};
use sim::scenario::Scenario;
use sim::time::SimTime;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const CLASSROOM: &str = include_str!("../../../../scenarios/classroom.yaml");
pub(crate) const SEED: u64 = 3;

pub(crate) fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(sim::scenario::parse("test.yaml", text.as_bytes()).unwrap())
}

/// The end of the classroom's week.
pub(crate) fn end() -> SimTime {
    let scenario = scenario(CLASSROOM);
    scenario.start.time() + scenario.duration.duration()
}

pub(crate) fn to_the_end() -> Options {
    Options { stop_at: Some(end()), stop_when_held: true, ..Options::default() }
}

/// A running conductor.
pub(crate) struct Conducting {
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) ended: JoinHandle<Result<Stop, ConductorError>>,
}

impl Conducting {
    /// Waits until its progress is so.
    pub(crate) async fn is(&mut self, so: impl FnMut(&Progress) -> bool) {
        let wait = self.progress.wait_for(so);
        let reached = tokio::time::timeout(LIMIT, wait).await;
        let reached = reached.map(|progress| progress.map(|_| ()));
        match reached {
            Ok(Ok(())) => {}
            other => {
                panic!(
                    "the awaited progress did not come ({other:?}): {:?}",
                    self.progress.borrow()
                )
            }
        }
    }

    /// Waits for the end of the run.
    pub(crate) async fn ends(self) -> Result<Stop, ConductorError> {
        match tokio::time::timeout(LIMIT, self.ended).await {
            Ok(ended) => ended.unwrap(),
            Err(_) => panic!("the run did not end: {:?}", self.progress.borrow()),
        }
    }
}

impl Bench {
    pub(crate) async fn open(&self, options: Options) -> Result<Conductor, ConductorError> {
        self.open_as(CLASSROOM, SEED, options).await
    }

    pub(crate) async fn open_as(
        &self,
        text: &str,
        seed: u64,
        options: Options,
    ) -> Result<Conductor, ConductorError> {
        let resources = Resources {
            pool: self.pool.clone(),
            objects: self.ctx.objects.clone(),
            keys: self.ctx.keys.clone(),
            signals: self.signals.clone(),
        };
        Conductor::open(resources, text, scenario(text), seed, options).await
    }

    /// Opens the classroom and conducts it.
    pub(crate) async fn conduct(&self, options: Options) -> Conducting {
        let conductor = self.open(options).await.unwrap();
        let (sender, progress) = watch::channel(Progress::default());
        let stop = CancellationToken::new();
        let ended = tokio::spawn(conductor.run(sender, stop.clone()));
        Conducting { progress, stop, ended }
    }

    /// Starts workers that do the real work.
    pub(crate) fn really_work(&self) -> (Workers, CancellationToken) {
        let stop = CancellationToken::new();
        let (ctx, signals) = (self.ctx.clone(), self.signals.clone());
        (Workers::start(ctx, signals, WorkerOptions::default(), stop.clone()), stop)
    }

    /// Conducts the classroom to its end with scripted bodies.
    pub(crate) async fn play(&self, script: &Arc<Script>) -> Stop {
        let (workers, stop) = self.work(script);
        let conducting = self.conduct(to_the_end()).await;
        let ended = conducting.ends().await.unwrap();
        stop.cancel();
        workers.stopped().await;
        ended
    }

    /// What a play leaves, in one line a table: equal for equal worlds.
    pub(crate) async fn dump(&self) -> Vec<(String, i64, String)> {
        let mut dump = Vec::new();
        for (table, key) in [
            ("timeline", "seq"),
            ("packages", "id"),
            ("package_releases", "package_id, release"),
            ("advisories", "id"),
            ("advisory_packages", "advisory_id, package_id"),
            ("audit_logs", "id"),
            ("images", "id"),
            ("build_events", "id"),
            ("image_versions", "image_id, version"),
            ("artifacts", "build_id, kind"),
            ("sbom_records", "image_id, version, format"),
            ("attestations", "seq, image_id, version, predicate_type"),
            ("attestation_replacements", "log_index, seq"),
            ("slsa_assessments", "image_id, version, seq"),
            ("trusted_builders", "builder, key_id, valid_from"),
            // Not how far its tiles are published: a crash may leave that behind.
            ("(SELECT name, origin, size, root FROM logs)", "name"),
            ("cve_findings", "image_id, version, advisory_id, package_id"),
            ("triages", "image_id, advisory_id"),
            ("customer_image_usage", "customer_id, image_id, valid_from"),
            ("sla_timers", "customer_id, image_id, advisory_id, clock, episode"),
            ("sla_violations", "customer_id, image_id, advisory_id, clock, episode"),
            ("mass_event_decisions", "advisory_id, policy_id"),
            ("notifications", "id"),
        ] {
            let sql = format!(
                "SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY {key}), ''))
                 FROM {table} t"
            );
            let (rows, hash): (i64, String) =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pool).await.unwrap();
            dump.push((table.to_owned(), rows, hash));
        }
        dump
    }

    /// Waits until a statement gives true.
    pub(crate) async fn holds(&self, sql: &'static str) {
        let began = Instant::now();
        loop {
            let so: Option<bool> = sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap();
            if so == Some(true) {
                return;
            }
            assert!(began.elapsed() < LIMIT, "this never became true: {sql}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
