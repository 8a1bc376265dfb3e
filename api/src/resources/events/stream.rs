//! Server-sent events: how far the world is, and what happens in it, as it happens.
use super::details::{href, severities};
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Failure, Problem, failures};
use crate::http::query::query;
use crate::http::state::ApiState;
use crate::http::streams::Room;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::http::world_id::{EventId, WorldId};
use crate::schemas::severity::AdvisoryCounts;
use futures::stream::{self, BoxStream, StreamExt};
use poem::http::header::CACHE_CONTROL;
use poem::web::sse::Event as Message;
use poem_openapi::param::Header;
use poem_openapi::payload::{EventStream, Response};
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{Enum, Object, OpenApi};
use std::collections::VecDeque;
use std::time::Duration;
use store::read::events::{EventRow, events, gone_before};
use store::read::world::Position;
use store::world::clock;
use tokio_util::sync::CancellationToken;

pub(crate) struct EventsApi(pub(crate) ApiState);

failures! {
    /// A stream that cannot begin.
    WatchEvents: InvalidParameter, UnknownParameter
}

/// How often the world is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What keeps connections open when nothing happens, and finds those that the client has left.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The most events of one look; a world at full speed makes more than anybody reads.
const AT_ONCE: i64 = 500;
/// Who is further behind than this many facts is told so and goes on from the newest.
const TOO_FAR: i64 = 5_000;

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum EventType {
    /// How far the world is; sent at the beginning and whenever that changes.
    Progress,
    /// Something happened in the world.
    Timeline,
    /// Events were left out, up to `seq`: GET /v1/timeline has them.
    Gap,
    /// What was seen before is not continued: `reason` says why. What follows comes after `seq`.
    Reset,
}

impl EventType {
    const fn as_str(self) -> &'static str {
        match self {
            EventType::Progress => "progress",
            EventType::Timeline => "timeline",
            EventType::Gap => "gap",
            EventType::Reset => "reset",
        }
    }
}

/// Why events are missing between two that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum GapReason {
    /// More happened than is sent at once.
    TooFarBehind,
    /// History is no longer kept from so early on (GET /v1/retention).
    NoLongerKept,
    /// Another world has taken the place of the one that was watched: it is told from its beginning.
    AnotherWorld,
    /// The id that came is one of this world, but nothing with it has happened yet.
    NotHappenedYet,
    /// The id that came does not say of which world it is; release 0.1.0 gave such ids.
    UnknownWorld,
}

/// One event: `type` is also the event's name in the stream. Its id there names the world and `seq`.
#[derive(Clone, Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Event {
    /// What it tells.
    #[oai(rename = "type")]
    kind: EventType,
    /// The place in the order of facts; absent for progress.
    seq: Option<i64>,
    /// The simulated instant: of what happened, or up to which everything is done.
    at: Instant,
    /// The kind of thing that happened, as in the timeline.
    event: Option<String>,
    /// The image it concerns.
    image: Option<String>,
    /// The build it concerns.
    build_id: Option<i64>,
    /// The CVE it concerns.
    cve: Option<String>,
    /// The version it concerns; of a scan of one image, the one that was current.
    version: Option<i32>,
    /// The digest of that version.
    digest: Option<String>,
    /// The tags that it was published under.
    tags: Option<Vec<String>>,
    /// Which advisories were open in it after a scan of one image, by severity.
    severities: Option<AdvisoryCounts>,
    /// Where to read on.
    href: Option<String>,
    /// Why events are missing, for `gap` and `reset`.
    reason: Option<GapReason>,
    /// How simulated time goes on: `paused`, `live` or `fast`.
    mode: Option<String>,
    /// Simulated seconds in a second, when live.
    factor: Option<f64>,
    /// Jobs up to here have been handed to the workers.
    released_through: Option<Instant>,
    /// Why the clock stands still, whatever its mode.
    held_reason: Option<String>,
    #[oai(skip)]
    world: Option<WorldId>,
}

impl Event {
    fn new(kind: EventType, at: Instant) -> Self {
        Event {
            kind,
            seq: None,
            at,
            event: None,
            image: None,
            build_id: None,
            cve: None,
            version: None,
            digest: None,
            tags: None,
            severities: None,
            href: None,
            reason: None,
            mode: None,
            factor: None,
            released_through: None,
            held_reason: None,
            world: None,
        }
    }

    fn of(row: EventRow) -> Self {
        Event {
            href: href(&row),
            severities: severities(&row.details),
            version: row.details.version,
            digest: row.details.digest,
            tags: row.details.tags,
            seq: Some(row.seq),
            event: Some(row.kind),
            image: row.image,
            build_id: row.build_id,
            cve: row.cve,
            ..Event::new(EventType::Timeline, row.at.into())
        }
    }

    fn left_out(kind: EventType, at: Instant, seq: i64, reason: GapReason) -> Self {
        Event { seq: Some(seq), reason: Some(reason), ..Event::new(kind, at) }
    }

    fn message(self) -> Message {
        let message = Message::message(self.to_json_string()).event_type(self.kind.as_str());
        match self.seq {
            Some(seq) => message.id(EventId { world: self.world, seq }.to_string()),
            None => message,
        }
    }
}

impl Example for Event {
    fn example() -> Self {
        Event {
            mode: Some("live".to_owned()),
            factor: Some(3600.0),
            released_through: Some(time::example(7)),
            ..Event::new(EventType::Progress, time::example(6))
        }
    }
}

query! {
    /// The parameters of watchEvents.
    struct WatchEventsQuery {
        /// Whether what happens is told too, not only the progress; yes when absent.
        timeline: Option<bool>,
    }
}

impl Resource for EventsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("watchEvents", Access::Read)];

    fn new(state: &ApiState) -> Self {
        EventsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Events")]
impl EventsApi {
    /// Watch the world
    ///
    /// A stream of server-sent events that stays open: `progress` at once and whenever the world
    /// has moved, `timeline` for everything that happens and that the caller may see, `gap` when
    /// more happened than is sent, `reset` when what was seen before is not continued: because a
    /// scenario was loaded, or because `Last-Event-ID` is an id of another world or of what has not
    /// happened yet. Both say in `reason` why, and in `seq` after which place they go on. It ends
    /// when the token does, or its key; come again with a new token and `Last-Event-ID`, and
    /// nothing is missed. One key may have 16 streams open.
    #[oai(path = "/v1/events", method = "get", operation_id = "watchEvents")]
    async fn watch(
        &self,
        caller: Caller,
        /// The id of the last event that was seen: those after it follow. Ids name the world that
        /// they are of, the load that made it and its origin: `0-1f0c2a9b-812`.
        #[oai(
            name = "Last-Event-ID",
            validator(max_length = 64, pattern = "^([0-9]{1,18}-[0-9a-f]{8}-)?[0-9]{1,18}$")
        )]
        last_event_id: Header<Option<String>>,
        query: WatchEventsQuery,
    ) -> Result<Response<EventStream<BoxStream<'static, Event>>>, Failure<WatchEvents>> {
        let room = self.0.stream(&caller.actor)?;
        let snapshot = self.0.snapshot(&caller, None).await?;
        let world = WorldId::of(&snapshot.position);
        let seen = last_event_id.0.as_deref().and_then(EventId::parse);
        let (after, reset) = go_on(seen, &world, &snapshot.position);
        drop(snapshot);
        let watch = Watch {
            state: self.0.clone(),
            closing: self.0.closing(),
            caller,
            timeline: query.timeline.unwrap_or(true),
            after,
            reset,
            world,
            told: None,
            ready: VecDeque::new(),
            _room: room,
        };
        let events = stream::unfold(watch, |mut watch| async move {
            watch.next().await.map(|event| (event, watch))
        });
        let stream =
            EventStream::new(events.boxed()).to_event(Event::message).keep_alive(KEEP_ALIVE);
        // A proxy that gathers answers would keep events back.
        Ok(Response::new(stream)
            .header("X-Accel-Buffering", "no")
            .header(CACHE_CONTROL, "no-store"))
    }
}

/// After which place a stream goes on whose client has seen this event, and why not after that.
fn go_on(seen: Option<EventId>, world: &WorldId, now: &Position) -> (i64, Option<GapReason>) {
    let newest = now.materialized_seq;
    let Some(EventId { world: of, seq }) = seen else { return (newest, None) };
    match of {
        Some(of) if of == *world && seq <= newest => (seq, None),
        Some(of) if of == *world => (newest, Some(GapReason::NotHappenedYet)),
        Some(_) => (0, Some(GapReason::AnotherWorld)),
        None => (newest, Some(GapReason::UnknownWorld)),
    }
}

/// One open stream.
struct Watch {
    state: ApiState,
    closing: CancellationToken,
    caller: Caller,
    timeline: bool,
    after: i64,
    /// Why what was seen before is not continued, until that has been told.
    reset: Option<GapReason>,
    world: WorldId,
    told: Option<String>,
    ready: VecDeque<Event>,
    _room: Room,
}

impl Watch {
    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Event { world: Some(self.world.clone()), ..event });
            }
            if self.state.has_to_end(&self.caller).await {
                return None;
            }
            if let Err(problem) = self.look().await {
                // The database may come back; the client sees the connection stay open.
                tracing::debug!("events wait: {problem}");
            }
            if self.ready.is_empty() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                    () = self.closing.cancelled() => return None,
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        let mut snapshot = self.state.snapshot(&self.caller, None).await?;
        let clock = clock(snapshot.conn()).await?;
        let (at, newest) =
            (snapshot.position.materialized_through, snapshot.position.materialized_seq);
        let progress = Event {
            mode: Some(clock.mode.as_str().to_owned()),
            factor: Some(clock.factor),
            released_through: Some(snapshot.position.released_through.into()),
            held_reason: self.caller.held_reason(clock.held_reason, &snapshot.position),
            ..Event::new(EventType::Progress, at.into())
        };
        let world = WorldId::of(&snapshot.position);
        if world != self.world {
            // Another world has taken the place of this one: it is told from its beginning.
            self.world = world;
            self.after = 0;
            self.reset = Some(GapReason::AnotherWorld);
        } else if self.after > newest {
            // An older state of it has been restored.
            self.after = newest;
            self.reset = Some(GapReason::NotHappenedYet);
        }
        if let Some(reason) = self.reset.take() {
            let reset = Event::left_out(EventType::Reset, at.into(), self.after, reason);
            self.ready.push_back(reset);
        }
        if self.timeline && newest > self.after {
            if let Some(from) = snapshot.position.history_from {
                let gone = gone_before(snapshot.conn(), from).await?.unwrap_or(newest);
                if self.after < gone {
                    self.after = gone;
                    let reason = GapReason::NoLongerKept;
                    let gap = Event::left_out(EventType::Gap, at.into(), gone, reason);
                    self.ready.push_back(gap);
                }
            }
            if newest - self.after > TOO_FAR {
                self.after = newest - AT_ONCE;
                let reason = GapReason::TooFarBehind;
                let gap = Event::left_out(EventType::Gap, at.into(), self.after, reason);
                self.ready.push_back(gap);
            }
            let rows = events(snapshot.conn(), self.after, newest, AT_ONCE).await?;
            let whole = (rows.len() as i64) < AT_ONCE;
            let last = rows.last().map_or(newest, |row| row.seq);
            self.after = if whole { newest } else { last };
            self.ready.extend(rows.into_iter().map(Event::of));
        }
        let told = progress.to_json_string();
        if self.told.as_ref() != Some(&told) {
            self.told = Some(told);
            self.ready.push_front(progress);
        }
        Ok(())
    }
}
