//! What comes of a study: its progress as it is played, then its documents.
use super::document::{Download, Kind, Replications, Report, ResultData};
use super::missing;
use super::model::{Study, StudyStatus};
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::gzip::takes_gzip;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::streams::Room;
use crate::http::tag::Tag;
use futures::stream::{self, BoxStream, StreamExt};
use poem::http::header::CACHE_CONTROL;
use poem::web::sse::Event as Message;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::{EventStream, Response};
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{Enum, Object, OpenApi};
use std::time::Duration;
use store::studies;
use tokio_util::sync::CancellationToken;

pub(crate) struct StudyOutcomesApi(ApiState);

/// How often a study is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What keeps connections open when nothing happens, and finds those that the client has left.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The largest document that is sent, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 512 << 20;

failures! {
    /// A stream that cannot begin.
    WatchStudy: InvalidParameter, UnknownParameter, StudyNotFound
}
failures! {
    /// A document that is not there.
    StudyDocument:
        InvalidParameter, UnknownParameter, StudyNotFound, StudyNotCompleted, DocumentDamaged,
        ObjectStoreUnavailable
}

/// What an event of a study tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum StudyEventType {
    /// How far the study is; sent at the beginning and whenever that changes.
    Progress,
    /// It has ended, or was deleted. Nothing follows.
    Ended,
}

/// One event: `type` is also the event's name in the stream.
#[derive(Clone, Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
struct StudyEvent {
    /// What it tells.
    #[oai(rename = "type")]
    kind: StudyEventType,
    /// How the study stands; absent: it was deleted.
    status: Option<StudyStatus>,
    /// Replications of each arm that have been played and counted.
    done: Option<i64>,
    /// How many there will be, as far as that can be told now.
    expected: Option<i64>,
    /// What it waits for, that somebody should see to.
    obstacle: Option<String>,
    /// Why it failed.
    error: Option<String>,
}

impl StudyEvent {
    fn of(study: Option<Study>) -> Self {
        let Some(study) = study else {
            let kind = StudyEventType::Ended;
            let (status, done, expected, obstacle, error) = (None, None, None, None, None);
            return StudyEvent { kind, status, done, expected, obstacle, error };
        };
        let ended = study.status.has_ended();
        StudyEvent {
            kind: if ended { StudyEventType::Ended } else { StudyEventType::Progress },
            status: Some(study.status),
            done: Some(study.done),
            expected: Some(study.expected),
            obstacle: study.obstacle,
            error: study.error,
        }
    }

    fn message(self) -> Message {
        let name = match self.kind {
            StudyEventType::Progress => "progress",
            StudyEventType::Ended => "ended",
        };
        Message::message(self.to_json_string()).event_type(name)
    }
}

impl Example for StudyEvent {
    fn example() -> Self {
        StudyEvent {
            status: Some(StudyStatus::Running),
            done: Some(2),
            ..StudyEvent::of(Some(Study::example()))
        }
    }
}

impl Resource for StudyOutcomesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("watchStudy", Access::PlatformRead),
        ("getStudyResult", Access::PlatformRead),
        ("getStudyReport", Access::PlatformRead),
        ("getStudyReplications", Access::PlatformRead),
    ];

    fn new(state: &ApiState) -> Self {
        StudyOutcomesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Studies")]
impl StudyOutcomesApi {
    /// Watch a study
    ///
    /// A stream of server-sent events: `progress` at once and whenever the study has moved, and
    /// `ended` when it has; then the stream ends. It ends too when the token does, or its key. One key
    /// may have 16 streams open.
    #[oai(path = "/v1/studies/:id/events", method = "get", operation_id = "watchStudy")]
    async fn watch(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
    ) -> Result<Response<EventStream<BoxStream<'static, StudyEvent>>>, Failure<WatchStudy>> {
        let room = self.0.stream(&caller.actor)?;
        let first = look(&self.0, &caller, id.0).await?.ok_or_else(|| missing(id.0))?;
        let watch = Watch {
            state: self.0.clone(),
            closing: self.0.closing(),
            caller,
            id: id.0,
            next: Some(StudyEvent::of(Some(first))),
            told: String::new(),
            over: false,
            _room: room,
        };
        let events = stream::unfold(watch, |mut watch| async move {
            watch.next().await.map(|event| (event, watch))
        });
        let stream =
            EventStream::new(events.boxed()).to_event(StudyEvent::message).keep_alive(KEEP_ALIVE);
        // A proxy that gathers answers would keep events back.
        Ok(Response::new(stream)
            .header("X-Accel-Buffering", "no")
            .header(CACHE_CONTROL, "no-store"))
    }

    /// Read a study's result
    ///
    /// All figures: intervals, survival curves, deadlines, comparisons, answers, and the texts that
    /// they come from. It is the same, byte for byte, as that of `wavetank study` on the same files.
    #[oai(path = "/v1/studies/:id/result", method = "get", operation_id = "getStudyResult")]
    async fn result(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
        /// Whether the bytes may come compressed: `gzip`.
        #[oai(name = "Accept-Encoding")]
        accept_encoding: Header<Option<String>>,
    ) -> Result<Download<ResultData>, Failure<StudyDocument>> {
        Ok(self.document(&caller, id.0, accept_encoding.as_deref()).await?)
    }

    /// Read a study's report
    ///
    /// One self-contained page with plots, for people.
    #[oai(path = "/v1/studies/:id/report", method = "get", operation_id = "getStudyReport")]
    async fn report(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
        /// Whether the bytes may come compressed: `gzip`.
        #[oai(name = "Accept-Encoding")]
        accept_encoding: Header<Option<String>>,
    ) -> Result<Download<Report>, Failure<StudyDocument>> {
        Ok(self.document(&caller, id.0, accept_encoding.as_deref()).await?)
    }

    /// Read a study's replications
    ///
    /// One row a replication and arm, for R and pandas.
    #[oai(
        path = "/v1/studies/:id/replications",
        method = "get",
        operation_id = "getStudyReplications"
    )]
    async fn replications(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
        /// Whether the bytes may come compressed: `gzip`.
        #[oai(name = "Accept-Encoding")]
        accept_encoding: Header<Option<String>>,
    ) -> Result<Download<Replications>, Failure<StudyDocument>> {
        Ok(self.document(&caller, id.0, accept_encoding.as_deref()).await?)
    }
}

impl StudyOutcomesApi {
    async fn document<K: Kind>(
        &self,
        caller: &Caller,
        id: i64,
        accept_encoding: Option<&str>,
    ) -> Result<Download<K>, Problem> {
        let mut tx = self.0.read_tx(caller).await?;
        let study = studies::find(&mut tx, id).await?.ok_or_else(|| missing(id))?;
        let rows = studies::documents(&mut tx, id).await?;
        drop(tx);
        let row = rows.into_iter().find(|row| row.kind == K::NAME).ok_or_else(|| {
            let detail = format!("Study {id} is {}.", study.status);
            Problem::new(Code::StudyNotCompleted, detail)
        })?;
        let stored = self.0.objects()?.read(&row.object_key, MAX_DOCUMENT_BYTES).await;
        let stored = stored.map_err(|error| damaged(error, id))?;
        Ok(Download::new(&study, &row, stored, takes_gzip(accept_encoding)))
    }
}

/// What is lost of a study is not made again by `wavetank repair`, but by playing it again.
fn damaged(error: store::objects::ObjectError, id: i64) -> Problem {
    let is_damage = error.is_damage();
    let problem = Problem::from(error);
    if !is_damage {
        return problem;
    }
    problem.hint(format!(
        "Start the study again: GET /v1/studies/{id} has its text, and the result will be the same."
    ))
}

async fn look(state: &ApiState, caller: &Caller, id: i64) -> Result<Option<Study>, Problem> {
    let mut tx = state.read_tx(caller).await?;
    studies::find(&mut tx, id).await?.map(Study::new).transpose()
}

/// One open stream.
struct Watch {
    state: ApiState,
    closing: CancellationToken,
    caller: Caller,
    id: i64,
    next: Option<StudyEvent>,
    told: String,
    over: bool,
    _room: Room,
}

impl Watch {
    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<StudyEvent> {
        loop {
            if let Some(event) = self.next.take() {
                let text = event.to_json_string();
                if text != self.told {
                    self.told = text;
                    self.over = event.kind == StudyEventType::Ended;
                    return Some(event);
                }
            }
            if self.over || self.state.has_to_end(&self.caller).await {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.closing.cancelled() => return None,
            }
            match look(&self.state, &self.caller, self.id).await {
                Ok(study) => self.next = Some(StudyEvent::of(study)),
                // The database may come back; the client sees the connection stay open.
                Err(problem) => tracing::debug!("events wait: {problem}"),
            }
        }
    }
}
