//! Studies on workers: the same bytes for any number of threads, workers and kills; what was stopped,
//! what cannot be played, and what cannot be stored yet.
use crate::support::{Bench, LIMIT};
use bytes::Bytes;
use jobs::studies::StudyTimeouts;
use jobs::worker::{WorkerOptions, Workers};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::objects::STUDIES_PREFIX;
use store::studies::{self, DocumentRow, NewStudy, StudyRow};
use study::arms::{Compiled, Source, compile};
use study::output::{self, csv};
use tokio_util::sync::CancellationToken;

mod gate;

use gate::Gate;

/// Two arms under one seed until a mean is known: several rounds, each of several batches.
const STUDY: &str = "name: two-pools\ntitle: One builder or two\nscenario: classroom\nhorizon: 5d\n\
                     warm_up: 1d\nseed: 7\ngrid:\n  builders.count: [1, 2]\n\
                     precision: {of: {measure: queue_wait_mean}, within: 5%, budget: 300}\n\
                     questions:\n  - better: {arm: builders.count=2, than: builders.count=1, \
                     in: {measure: queue_wait_mean}}\n";

/// More of it than a test has the time for.
fn endless() -> String {
    STUDY.replace("within: 5%, budget: 300", "within: 0.001%, budget: 30000")
}

fn classroom() -> &'static str {
    sim::bundled::BUNDLED.iter().find(|of| of.name == "classroom").unwrap().text
}

fn compiled(text: &str) -> Arc<Compiled> {
    let load = |name: &str| Ok((name.to_owned(), classroom().as_bytes().to_vec()));
    Arc::new(compile(Source { file_name: "study", bytes: text.as_bytes() }, &load).unwrap())
}

/// The documents of a study as one process on one thread makes them: by kind, in order.
fn alone(text: &str) -> [String; 3] {
    let (mut rows, mut stop) = (String::new(), AtomicBool::new(false));
    let result = study::runner::run(&compiled(text), 1, &stop, &mut |_| {}, &mut |row| {
        let names: Vec<String> = row.selections.iter().map(csv::column_name).collect();
        if rows.is_empty() {
            rows = csv::header(&names);
        }
        let key = csv::Key { arm: row.arm, replication: row.replication, seed: row.seed };
        let values: Vec<_> = names.into_iter().zip(row.values.iter().copied()).collect();
        rows.push_str(&csv::row(key, &values));
    });
    assert!(!*stop.get_mut());
    let result = result.unwrap();
    let data = serde_json::to_string_pretty(&result).unwrap() + "\n";
    [rows, output::html(&result), data]
}

/// Workers of one process, as it were.
struct Process {
    workers: Workers,
    stop: CancellationToken,
}

impl Process {
    async fn stopped(self) {
        self.stop.cancel();
        self.workers.stopped().await;
    }
}

fn options(studies: usize) -> WorkerOptions {
    // Whoever looks away for a moment is not dead; whoever is dead should not be waited for.
    let lost = Duration::from_millis(300);
    let study_timeouts = StudyTimeouts { lost, store_again: Duration::from_millis(100) };
    WorkerOptions { concurrency: 1, studies, study_timeouts, ..WorkerOptions::default() }
}

impl Bench {
    /// Asks for a study.
    async fn ask(&self, text: &str) -> i64 {
        let scenarios = json!([{"name": "classroom", "text": classroom()}]);
        let new = NewStudy {
            name: "two-pools",
            title: "One builder or two",
            study: text,
            scenarios: &scenarios,
            seed: 7,
            expected: 30,
            requested_by: "a test",
        };
        let mut conn = self.pool.acquire().await.unwrap();
        studies::insert(&mut conn, &new).await.unwrap().expect("room for a study").id
    }

    /// Starts workers that play so many batches at a time.
    fn plays(&self, studies: usize) -> Process {
        let stop = CancellationToken::new();
        let (ctx, signals) = (self.ctx.clone(), self.signals.clone());
        let workers = Workers::start(ctx, signals, options(studies), stop.clone());
        Process { workers, stop }
    }

    async fn study(&self, id: i64) -> Option<StudyRow> {
        studies::find(&mut self.pool.acquire().await.unwrap(), id).await.unwrap()
    }

    /// Waits until a study is so.
    async fn study_is(&self, id: i64, what: &str, so: impl Fn(&StudyRow) -> bool) -> StudyRow {
        let began = Instant::now();
        loop {
            let study = self.study(id).await.expect("the study");
            if so(&study) {
                return study;
            }
            assert!(began.elapsed() < LIMIT, "the study is never {what}: {study:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn study_documents(&self, id: i64) -> Vec<(DocumentRow, Bytes)> {
        let rows = studies::documents(&mut self.pool.acquire().await.unwrap(), id).await.unwrap();
        let mut all = Vec::new();
        for row in rows {
            let content = self.ctx.objects.get(&row.object_key, 64 << 20).await.unwrap();
            all.push((row, content));
        }
        all
    }

    /// Waits for the end of a study and compares its documents, byte by byte.
    async fn ends_with(&self, id: i64, expected: &[String; 3]) {
        let study = self.study_is(id, "complete", |study| study.ended_wall.is_some()).await;
        assert_eq!((study.status.as_str(), &study.error), ("completed", &None));
        assert_eq!(study.done, study.expected);
        let documents = self.study_documents(id).await;
        let kinds: Vec<&str> = documents.iter().map(|(row, _)| row.kind.as_str()).collect();
        assert_eq!(kinds, ["replications", "report", "result"]);
        for ((row, content), expected) in documents.iter().zip(expected) {
            assert_eq!(row.bytes, expected.len() as i64);
            assert!(content.as_ref() == expected.as_bytes(), "{} is another one", row.kind);
        }
        let parts = sqlx::query_scalar("SELECT count(*) FROM study_parts WHERE study_id = $1");
        let parts: i64 = parts.bind(id).fetch_one(&self.pool).await.unwrap();
        assert_eq!(parts, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_comes_out_the_same_on_one_worker_and_on_two() {
    let expected = alone(STUDY);
    let one = Bench::new().await;
    let id = one.ask(STUDY).await;
    let process = one.plays(1);
    one.ends_with(id, &expected).await;
    // The summary stands in the row.
    let detail = studies::detail(&mut one.pool.acquire().await.unwrap(), id).await.unwrap();
    let summary = detail.unwrap().summary.unwrap().0;
    assert_eq!((summary.arms.len(), summary.answers.len()), (2, 1));
    process.stopped().await;

    let two = Bench::new().await;
    let beside = two.beside_with_objects().await;
    let (first, second) = (two.ask(STUDY).await, two.ask(STUDY).await);
    let processes = [two.plays(2), beside.plays(3)];
    for id in [first, second] {
        two.ends_with(id, &expected).await;
    }
    for process in processes {
        process.stopped().await;
    }
    let tasks = "SELECT count(*) FROM apalis.jobs WHERE job_type = 'study' AND status = 'Pending'";
    assert_eq!(two.count(tasks).await, 0);
}

/// Plays in a runtime of its own until some batches are played, and ends it then, in the middle of
/// others, like a process that is killed.
async fn killed_while_playing(bench: &Bench, id: i64) {
    let (url, objects) = (bench.url.clone(), bench.ctx.objects.clone());
    let killed = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut doomed = Bench::at(&url).await;
            doomed.ctx.objects = objects;
            let process = doomed.plays(2);
            doomed.study_is(id, "under way", |study| study.done >= 16).await;
            std::mem::forget(process);
        });
        runtime.shutdown_background();
    });
    killed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_comes_out_the_same_when_workers_and_the_director_are_killed() {
    let expected = alone(STUDY);
    let bench = Bench::new().await;
    let id = bench.ask(STUDY).await;
    // The first has the director's part, too; it takes both down with it.
    killed_while_playing(&bench, id).await;
    let study = bench.study(id).await.unwrap();
    assert_eq!(study.status, "running", "nothing was killed in the middle: {study:?}");
    let beside = bench.beside_with_objects().await;
    let processes = [bench.plays(1), beside.plays(1)];
    bench.ends_with(id, &expected).await;
    for process in processes {
        process.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_study_stops_and_leaves_nothing_behind() {
    let bench = Bench::new().await;
    let id = bench.ask(&endless()).await;
    let after = bench.ask(STUDY).await;
    let process = bench.plays(2);
    bench.study_is(id, "under way", |study| study.done > 0).await;
    let mut conn = bench.pool.acquire().await.unwrap();
    assert!(studies::cancel(&mut conn, id).await.unwrap());
    assert!(!studies::cancel(&mut conn, id).await.unwrap(), "it has ended");
    bench.study_is(after, "complete", |study| study.status == "completed").await;
    let left = "SELECT NOT EXISTS (SELECT FROM study_parts)
                   AND NOT EXISTS (SELECT FROM apalis.jobs WHERE job_type = 'study')";
    bench.holds(left).await;
    let study = bench.study(id).await.unwrap();
    assert_eq!((study.status.as_str(), study.error), ("cancelled", None));
    assert!(bench.study_documents(id).await.is_empty());
    // One that is deleted while it plays goes with all that it has, and nothing of others.
    let third = bench.ask(&endless()).await;
    bench.study_is(third, "under way", |study| study.done > 0).await;
    assert!(studies::delete(&mut conn, third).await.unwrap());
    assert!(bench.study(third).await.is_none());
    assert!(studies::delete(&mut conn, after).await.unwrap());
    bench.holds("SELECT count(*) = 1 FROM studies").await;
    assert_eq!(bench.ctx.objects.list(STUDIES_PREFIX).await.unwrap(), []);
    process.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_that_cannot_be_played_says_why() {
    let bench = Bench::new().await;
    // As another release may have taken it.
    let id = bench.ask(&STUDY.replace("scenario: classroom", "scenario: another")).await;
    let process = bench.plays(1);
    let failed = bench.study_is(id, "ended", |study| study.ended_wall.is_some()).await;
    assert_eq!(failed.status, "failed");
    let why = failed.error.unwrap();
    assert!(why.contains("study:3:11") && why.contains("another"), "{why}");
    process.stopped().await;
    // A batch that ends its worker again and again: every attempt began, and none ended.
    let id = bench.ask(STUDY).await;
    sqlx::raw_sql(POISON).execute(&bench.pool).await.unwrap();
    let process = bench.plays(1);
    let failed = bench.study_is(id, "ended", |study| study.ended_wall.is_some()).await;
    let why = failed.error.unwrap();
    assert!(why.contains("replications 1 to 16 ended the worker"), "{why}");
    process.stopped().await;
}

/// What five killed workers leave of the first batch of every study.
const POISON: &str = "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.place = 0 THEN NEW.begun = 5; END IF; RETURN NEW; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON study_parts FOR EACH ROW EXECUTE FUNCTION poison()";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_object_store_loses_nothing_and_is_told() {
    let expected = alone(STUDY);
    let mut bench = Bench::new().await;
    let gate = Gate::new().await;
    bench.ctx.objects = gate.objects().await;
    gate.is_full.store(true, Ordering::Relaxed);
    let id = bench.ask(STUDY).await;
    let process = bench.plays(2);
    let waits = bench.study_is(id, "waiting for room", |study| study.obstacle.is_some()).await;
    assert_eq!(waits.status, "running");
    let why = waits.obstacle.unwrap();
    assert!(why.contains("no space left") && why.contains("hint: make room"), "{why}");
    assert!(bench.count("SELECT count(*) FROM study_parts").await > 0, "what was played is kept");
    gate.is_full.store(false, Ordering::Relaxed);
    bench.ends_with(id, &expected).await;
    assert_eq!(bench.study(id).await.unwrap().obstacle, None);
    process.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_the_kernel_begins_a_study_anew() {
    let expected = alone(STUDY);
    let bench = Bench::new().await;
    let id = bench.ask(STUDY).await;
    bench
        .execute(
            "UPDATE studies SET status = 'running', kernel_version = '0', done = 9,
                    started_wall = now()",
        )
        .await;
    bench
        .execute(
            "INSERT INTO study_parts (study_id, round, place, batch, outcome)
             SELECT id, 0, 0, '{}', 'of another kernel' FROM studies",
        )
        .await;
    let process = bench.plays(2);
    bench.ends_with(id, &expected).await;
    let study = bench.study(id).await.unwrap();
    assert_eq!(study.kernel_version.as_deref(), Some(sim::KERNEL_VERSION));
    process.stopped().await;
}

/// Studies and the world do not see each other: a world has the same digest beside them, and its end
/// does not end them.
#[tokio::test(flavor = "multi_thread")]
async fn studies_are_no_part_of_the_world() {
    let bench = Bench::new().await;
    let alone = store::digest::world_digest(&bench.pool, &bench.ctx.objects).await.unwrap();
    let id = bench.ask(STUDY).await;
    let process = bench.plays(2);
    bench.study_is(id, "complete", |study| study.status == "completed").await;
    assert_eq!(bench.ctx.objects.list(STUDIES_PREFIX).await.unwrap().len(), 3);
    let beside = store::digest::world_digest(&bench.pool, &bench.ctx.objects).await.unwrap();
    assert_eq!(beside, alone);
    // The world's cleaner leaves the tasks of studies alone.
    process.stopped().await;
    let next = bench.ask(STUDY).await;
    bench
        .execute(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at)
             VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'study', '{}', 'Pending', 0, 25, to_timestamp(1))",
        )
        .await;
    jobs::queue::clean(&bench.pool, 100).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM apalis.jobs").await, 1);
    let process = bench.plays(2);
    bench.study_is(next, "complete", |study| study.status == "completed").await;
    process.stopped().await;
}
