//! Jobs: what each queue holds, and how one of them fares. What to do about dead ones is in
//! `dead_letter`.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::pages::{CurrentPageQuery, Pager, Total};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::query;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::{Any, Example};
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::{Value, json};
use store::queue::Queue;
use store::read::jobs::{JobFilter, JobRow, QueueRow, job, jobs, jobs_total, queues};

pub(crate) struct JobsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListJobs: InvalidParameter, UnknownParameter, InvalidPageToken, StalePageToken
}
failures! {
    /// All queues.
    ListQueues: UnknownParameter
}
failures! {
    /// One job.
    OneJob: InvalidParameter, UnknownParameter, JobNotFound
}

/// Which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum QueueName {
    /// Makes images and their documents.
    Build,
    /// Matches SBOMs against advisories.
    Scan,
    /// Makes bundles and assesses provenance.
    Attest,
    /// Evaluates SLA timers.
    SlaCheck,
    /// Writes notifications.
    Notify,
}

impl QueueName {
    const fn as_str(self) -> &'static str {
        match self {
            QueueName::Build => "build",
            QueueName::Scan => "scan",
            QueueName::Attest => "attest",
            QueueName::SlaCheck => "sla_check",
            QueueName::Notify => "notify",
        }
    }
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum JobState {
    /// It waits for jobs that must be done before it.
    Waiting,
    /// It was delivered to the workers.
    InFlight,
    /// It failed and will be tried again.
    Failed,
    /// It failed for good and holds the clock.
    Dead,
    /// It is done; done jobs are forgotten after ten minutes.
    Done,
    /// It was given up.
    Discarded,
}

impl JobState {
    const fn as_str(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::InFlight => "in_flight",
            JobState::Failed => "failed",
            JobState::Dead => "dead",
            JobState::Done => "done",
            JobState::Discarded => "discarded",
        }
    }
}

/// A job of the platform.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct JobEntry {
    /// Its number.
    id: i64,
    /// The queue.
    queue: String,
    /// The order within the queue: the depth of a build, 0 elsewhere.
    phase: i32,
    /// How it stands.
    state: String,
    /// The simulated instant of its first fact.
    at: Instant,
    /// How many attempts have failed.
    attempts: i32,
    /// How many deliveries nobody finished.
    lost: i32,
    /// Why the last attempt failed.
    error: Option<String>,
    /// When it was delivered last, in real time.
    enqueued_wall: Option<Instant>,
    /// When it is delivered again, in real time.
    retry_wall: Option<Instant>,
    /// When it was done, in real time.
    done_wall: Option<Instant>,
    /// This job.
    href: String,
}

impl From<JobRow> for JobEntry {
    fn from(row: JobRow) -> Self {
        JobEntry {
            href: format!("/v1/jobs/{}", row.id),
            id: row.id,
            queue: row.queue,
            phase: row.phase,
            state: row.state,
            at: row.at.into(),
            attempts: row.attempts,
            lost: row.lost,
            error: row.error,
            enqueued_wall: row.enqueued_wall.map(Into::into),
            retry_wall: row.retry_wall.map(Into::into),
            done_wall: row.done_wall.map(Into::into),
        }
    }
}

impl Example for JobEntry {
    fn example() -> Self {
        JobRow {
            id: 4_096,
            queue: "build".to_owned(),
            phase: 1,
            at: time::example(5).datetime(),
            state: "dead".to_owned(),
            attempts: 5,
            lost: 0,
            error: Some("the object store does not answer".to_owned()),
            retry_wall: None,
            enqueued_wall: Some(time::example(4_800).datetime()),
            done_wall: None,
        }
        .into()
    }
}

/// A page of jobs. They are of the present, so pages speak of no one instant.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct JobPage {
    /// The jobs, the latest first.
    items: Vec<JobEntry>,
    /// How many there are on all pages.
    total: Total,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl Example for JobPage {
    fn example() -> Self {
        JobPage { items: vec![JobEntry::example()], total: 1.into(), next_page_token: None }
    }
}

/// A job with what is to be done.
#[derive(Object)]
#[oai(example)]
struct JobDetail {
    #[oai(flatten)]
    job: JobEntry,
    /// What is to be done, as the worker reads it.
    payload: Any<Value>,
}

impl Example for JobDetail {
    fn example() -> Self {
        JobDetail { job: JobEntry::example(), payload: Any(json!({"seq": 64, "build": 12})) }
    }
}

/// What a queue holds that is not done.
#[derive(Object)]
struct QueueState {
    /// Its name.
    name: String,
    /// Jobs that wait for others.
    waiting: i64,
    /// Jobs that were delivered to the workers.
    in_flight: i64,
    /// Jobs that failed and will be tried again.
    failed: i64,
    /// Jobs in the dead letter; each holds the clock.
    dead: i64,
    /// Its dead letter.
    dead_letter_href: String,
}

impl From<QueueRow> for QueueState {
    fn from(row: QueueRow) -> Self {
        QueueState {
            dead_letter_href: format!("/v1/jobs?queue={}&state=dead", row.queue),
            name: row.queue,
            waiting: row.waiting,
            in_flight: row.in_flight,
            failed: row.failed,
            dead: row.dead,
        }
    }
}

/// All queues.
#[derive(Object)]
#[oai(example)]
struct QueueList {
    /// The queues, in the order of the work.
    items: Vec<QueueState>,
}

impl Example for QueueList {
    fn example() -> Self {
        let queue = "build".to_owned();
        let row = QueueRow { queue, waiting: 12, in_flight: 4, failed: 0, dead: 1 };
        QueueList { items: vec![row.into()] }
    }
}

query! {
    /// The parameters of listJobs.
    struct ListJobsQuery {
        /// Only jobs of this queue.
        queue: Option<QueueName>,
        /// Only jobs that stand so.
        state: Option<JobState>,
    }
}

impl Resource for JobsApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listQueues", Access::Admin), ("listJobs", Access::Admin), ("getJob", Access::Admin)];

    fn new(state: &ApiState) -> Self {
        JobsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Operations")]
impl JobsApi {
    /// List the queues
    ///
    /// What each holds that is not done.
    #[oai(path = "/v1/queues", method = "get", operation_id = "listQueues")]
    async fn queues(&self, caller: Caller) -> Result<Json<QueueList>, Failure<ListQueues>> {
        let mut tx = self.0.read_tx(&caller).await?;
        let rows = queues(&mut tx, &Queue::OF_WORLD.map(Queue::as_str)).await?;
        Ok(Json(QueueList { items: rows.into_iter().map(QueueState::from).collect() }))
    }

    /// List jobs
    ///
    /// The latest first. `state=dead` is the dead letter: POST /v1/jobs/{id}/retry or
    /// /v1/jobs/{id}/discard deals with each.
    #[oai(path = "/v1/jobs", method = "get", operation_id = "listJobs")]
    async fn list(
        &self,
        caller: Caller,
        query: ListJobsQuery,
        page: CurrentPageQuery,
    ) -> Result<Json<JobPage>, Failure<ListJobs>> {
        let filter = JobFilter {
            queue: query.queue.map(QueueName::as_str),
            state: query.state.map(JobState::as_str),
        };
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page.of_world()).await?;
        let (before, limit) = (pager.after, pager.limit());
        let conn = pager.snapshot.conn();
        let total = jobs_total(conn, &filter).await?.into();
        let mut rows = jobs(conn, &filter, before, limit).await?;
        let next_page_token = pager.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(JobEntry::from).collect();
        Ok(Json(JobPage { items, total, next_page_token }))
    }

    /// Read a job
    ///
    /// With what is to be done. Jobs that were done are forgotten after ten minutes.
    #[oai(path = "/v1/jobs/:id", method = "get", operation_id = "getJob")]
    async fn get(
        &self,
        caller: Caller,
        /// The job's number.
        #[oai(validator(minimum(value = "0")), example = "example_job")]
        id: Path<i64>,
    ) -> Result<Json<JobDetail>, Failure<OneJob>> {
        let mut tx = self.0.read_tx(&caller).await?;
        let row = job(&mut tx, id.0)
            .await?
            .ok_or_else(|| Problem::new(Code::JobNotFound, format!("There is no job {}.", id.0)))?;
        Ok(Json(JobDetail { job: row.job.into(), payload: Any(row.payload) }))
    }
}

fn example_job() -> i64 {
    4_096
}
