//! How the world came to where it stands: open findings, builds and missed deadlines over time.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Failure, Problem, failures};
use crate::http::query::{AsOf, query, range};
use crate::http::single_flight::{self, Holds, SingleFlight};
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use std::sync::Arc;
use store::read::history::{Samples, history};

/// How many instants are told when the caller does not say.
const DEFAULT_POINTS: u32 = 120;

pub(crate) struct HistoryApi {
    state: ApiState,
    /// Answers that still hold.
    kept: SingleFlight<Arc<History>>,
}

failures! {
    /// Reading needs an instant that has come.
    ReadHistory: InvalidParameter, UnknownParameter, AsOfInFuture
}

query! {
    /// The parameters of getHistory.
    struct GetHistoryQuery {
        /// How many instants are told, with equal distances; 120 when absent.
        points: Option<u32> = range(2, 400),
    }
}

/// Findings by severity at each instant: an image and an advisory count from the first detection until
/// a published version, or a judgement, has ended the last finding of it.
#[derive(Object)]
struct FindingsHistory {
    /// Of severity critical.
    critical: Vec<i64>,
    /// Of severity high.
    high: Vec<i64>,
    /// Of severity medium.
    medium: Vec<i64>,
    /// Of severity low.
    low: Vec<i64>,
}

/// Counts at instants of the world's history. All lists are as long as `instants`.
#[derive(Object)]
#[oai(example)]
struct History {
    /// The instants, from where history is whole up to that of the answer.
    instants: Vec<Instant>,
    /// Open findings.
    open_findings: FindingsHistory,
    /// Builds that run.
    builds_running: Vec<i64>,
    /// Builds that wait for a builder.
    builds_waiting: Vec<i64>,
    /// Timers past their deadline, without those that are excluded.
    overdue_timers: Vec<i64>,
    /// The simulated instant of the answer.
    as_of: Instant,
    /// Whether the answer will never change.
    settled: bool,
}

impl Example for History {
    fn example() -> Self {
        let findings = FindingsHistory {
            critical: vec![0, 2],
            high: vec![1, 5],
            medium: vec![0, 9],
            low: vec![0, 1],
        };
        History {
            instants: vec![time::example(-24), time::example(0)],
            open_findings: findings,
            builds_running: vec![4, 2],
            builds_waiting: vec![11, 0],
            overdue_timers: vec![0, 1],
            as_of: time::example(0),
            settled: true,
        }
    }
}

impl Resource for HistoryApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("getHistory", Access::Read)];

    fn new(state: &ApiState) -> Self {
        HistoryApi { state: state.clone(), kept: SingleFlight::default() }
    }
}

#[OpenApi(tag = "Tag::Clock")]
impl HistoryApi {
    /// Read the history in numbers
    ///
    /// Open findings by severity, builds that run and wait, and timers past their deadline, at instants
    /// with equal distances: what charts over time are drawn from. A tenant sees what it may see. Without
    /// `as_of` the answer may be some seconds old: its own `as_of` says of when it is.
    #[oai(path = "/v1/history", method = "get", operation_id = "getHistory")]
    async fn get(
        &self,
        caller: Caller,
        query: GetHistoryQuery,
        as_of: AsOf,
    ) -> Result<Json<Arc<History>>, Failure<ReadHistory>> {
        let points = query.points.unwrap_or(DEFAULT_POINTS);
        let key = single_flight::Key {
            generation: self.state.snapshot(&caller, as_of.0).await?.position.generation,
            platform: caller.tenant().is_none(),
            tenant: caller.tenant().map(str::to_owned),
            extent: points,
            as_of: as_of.0.map(|at| at.datetime()),
        };
        let work = async {
            let mut snapshot = self.state.snapshot(&caller, as_of.0).await?;
            let found = read(&mut snapshot, points).await?;
            let holds = Holds::of(&snapshot);
            Ok::<_, Problem>((Arc::new(found), holds))
        };
        Ok(Json(self.kept.get(key, work).await?))
    }
}

async fn read(snapshot: &mut Snapshot, points: u32) -> Result<History, Problem> {
    let position = &snapshot.position;
    let samples = Samples {
        from: position.history_from.map_or(position.starts_at, |at| at.max(position.starts_at)),
        as_of: snapshot.moment.as_of,
        count: points,
    };
    let mut series = history(snapshot.conn(), &samples).await?;
    let mut take = |name| series.remove(name).unwrap_or_default();
    Ok(History {
        instants: samples.instants().into_iter().map(Instant::from).collect(),
        open_findings: FindingsHistory {
            critical: take("critical"),
            high: take("high"),
            medium: take("medium"),
            low: take("low"),
        },
        builds_running: take("builds_running"),
        builds_waiting: take("builds_waiting"),
        overdue_timers: take("overdue"),
        as_of: snapshot.as_of(),
        settled: snapshot.settled(),
    })
}
