//! How much of its past the world keeps, and what was removed.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Failure, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use sim::time::{SimDuration, SimTime};
use store::retention::{Run, Schedule, last_run, runs};

/// How many runs are told.
const RUNS: i64 = 100;
const SECOND_MS: i64 = 1_000;

pub(crate) struct RetentionApi(pub(crate) ApiState);

failures! {
    /// Reading needs nothing.
    ReadRetention:
}

/// How much of its past the world keeps.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Retention {
    /// How long history is kept, at least, in simulated seconds; absent: for ever.
    keep_seconds: Option<i64>,
    /// The simulated seconds from one run to the next; absent: there is none.
    every_seconds: Option<i64>,
    /// The simulated instant of the next run.
    next_run_at: Option<Instant>,
    /// From here on history is whole: `as_of` cannot be earlier, and counts over all time are since
    /// then. Absent: nothing was removed.
    history_from: Option<Instant>,
    /// The last 100 runs, the latest first. They count what everybody had, so tenants do not see them.
    runs: Vec<RetentionRun>,
}

/// A run, and what it removed.
#[derive(Object)]
struct RetentionRun {
    /// The simulated instant of the run.
    at: Instant,
    /// Since then it is from here on that history is whole.
    history_from: Instant,
    /// Rows of each kind.
    removed: Vec<RemovedRows>,
    /// Rows in all.
    rows: i64,
    /// Stored objects: documents and bundles of log entries.
    objects: i64,
    /// Bytes of documents before they were compressed, where their size was known.
    document_bytes: i64,
    /// Whether the objects are gone too.
    done: bool,
}

/// How many rows of a kind were removed.
#[derive(Object)]
struct RemovedRows {
    /// The kind of row.
    kind: String,
    /// How many.
    rows: i64,
}

impl From<Run> for RetentionRun {
    fn from(run: Run) -> Self {
        let removed = run.removed.0.into_iter().filter(|(_, rows)| *rows > 0);
        RetentionRun {
            at: run.at.into(),
            history_from: run.history_from.into(),
            removed: removed.map(|(kind, rows)| RemovedRows { kind, rows }).collect(),
            rows: run.removed_rows,
            objects: run.objects,
            document_bytes: run.document_bytes,
            done: run.done_wall.is_some(),
        }
    }
}

impl Example for Retention {
    fn example() -> Self {
        let removed = vec![RemovedRows { kind: "cve_findings".to_owned(), rows: 1_204 }];
        Retention {
            keep_seconds: Some(2_419_200),
            every_seconds: Some(604_800),
            next_run_at: Some(time::example(168)),
            history_from: Some(time::example(-672)),
            runs: vec![RetentionRun {
                at: time::example(0),
                history_from: time::example(-672),
                removed,
                rows: 1_204,
                objects: 310,
                document_bytes: 12_400_000,
                done: true,
            }],
        }
    }
}

impl Resource for RetentionApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("getRetention", Access::Builds)];

    fn new(state: &ApiState) -> Self {
        RetentionApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Clock")]
impl RetentionApi {
    /// Read the retention
    ///
    /// How long the world keeps its history, from when on it is whole, and what was removed when.
    #[oai(path = "/v1/retention", method = "get", operation_id = "getRetention")]
    async fn get(&self, caller: Caller) -> Result<Json<Retention>, Failure<ReadRetention>> {
        let mut snapshot = self.0.snapshot(&caller, None).await?;
        let last = last_run(snapshot.conn()).await?;
        let runs = match caller.tenant() {
            Some(_) => Vec::new(),
            None => runs(snapshot.conn(), RUNS).await?,
        };
        let position = &snapshot.position;
        let schedule = position.keep_ms.map(|keep_ms| {
            Schedule::new(SimTime::from_datetime(position.starts_at), SimDuration(keep_ms))
        });
        let next = schedule.map(|schedule| {
            let released = SimTime::from_datetime(position.released_through);
            if last.is_some_and(|last| last >= released) {
                schedule.next_after(released)
            } else {
                schedule.next(released)
            }
        });
        Ok(Json(Retention {
            keep_seconds: schedule.map(|schedule| schedule.keep().0 / SECOND_MS),
            every_seconds: schedule.map(|schedule| schedule.every().0 / SECOND_MS),
            next_run_at: next.and_then(SimTime::to_datetime).map(Instant::from),
            history_from: position.history_from.map(Instant::from),
            runs: runs.into_iter().map(RetentionRun::from).collect(),
        }))
    }
}
