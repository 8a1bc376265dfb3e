//! Incidents: those of the scenario that have happened, and those that are injected; advisories
//! registered by hand.
mod inject;
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::schemas::command::{Stored, namespace, store_command};
use crate::http::pages::{self as page, Scope};
use crate::http::problem::{Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use chrono::{DateTime, Utc};
use inject::{NewAdvisory, NewIncident};
use model::{INJECTED, Incident, IncidentPage};
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use sqlx::PgConnection;
use store::read::Moment;
use store::read::commands::CommandRow;
use store::read::incidents::{incidents_total, taken_incidents, waiting_incidents};

pub(crate) struct IncidentsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListIncidents: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// An incident that cannot be.
    Inject:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, InvalidVector,
        UnknownImage, UnknownPackage, OtherKernel
}

impl Resource for IncidentsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listIncidents", Access::Read),
        ("injectIncident", Access::Admin),
        ("registerAdvisory", Access::Admin),
    ];

    fn new(state: &ApiState) -> Self {
        IncidentsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Commands")]
impl IncidentsApi {
    /// List incidents
    ///
    /// What went wrong by design: the scenario's incidents that have happened by that instant, and
    /// those that were injected; the latest first.
    #[oai(path = "/v1/incidents", method = "get", operation_id = "listIncidents")]
    async fn list(
        &self,
        caller: Caller,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many incidents a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<IncidentPage>, Failure<ListIncidents>> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("incidents", &at_ms)?;
        let start = page::start::<(i64, i64)>(&scope, page_token.as_deref())?;
        let mut view = page::page_view(&self.0, &caller, as_of.0, start.as_ref()).await?;
        let moment = view.moment;
        // What waited when the first page was read is on its pages, whatever became of it since.
        let waiting = start.as_ref().map_or(moment.newest, |start| start.newest);
        let after = start.map(|start| start.key);
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let limit = i64::from(size) + 1;
        let origin = store::world::get(view.conn()).await.map_err(Problem::from)?.origin;
        let mut items = model::of_scenario(&origin.scenario, moment.as_of)?;
        let total =
            items.len() as i64 + incidents_total(view.conn(), moment.as_of, waiting).await?;
        items.retain(|incident| after.is_none_or(|after| incident.place() < after));
        let rows = commands(view.conn(), moment.as_of, waiting, after, limit).await?;
        items.extend(rows.into_iter().map(|row| Incident::of_command(row, moment.as_of)));
        items.sort_by_key(|incident| std::cmp::Reverse(incident.place()));
        let more = page::cut(&mut items, size);
        let last = items.last().filter(|_| more).map(Incident::place);
        let moment = Moment { newest: waiting, ..moment };
        Ok(Json(IncidentPage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items,
            total: total.into(),
            as_of: view.as_of(),
            settled: view.settled(),
        }))
    }

    /// Inject an incident
    ///
    /// Exactly one of: a CVE, builders out of service, provenance that an attacker replaces, a
    /// builder that is not trusted any more. What follows, follows by the rules of the world.
    #[oai(path = "/v1/incidents", method = "post", operation_id = "injectIncident")]
    async fn inject(
        &self,
        caller: Caller,
        wanted: Json<NewIncident>,
    ) -> Result<Stored, Failure<Inject>> {
        let mut write = self.0.write(&caller).await?;
        world(&mut write).await?;
        let (tenant, command) = wanted.0.command(&mut write, namespace(&caller)).await?;
        Ok(store_command(write, &tenant, command).await?)
    }

    /// Register an advisory
    ///
    /// Discloses a CVE now. Scanners find it on every version that holds an affected release, and
    /// fixes, rebuilds and deadlines follow. The score is computed from the vector.
    #[oai(path = "/v1/advisories", method = "post", operation_id = "registerAdvisory")]
    async fn register(
        &self,
        caller: Caller,
        wanted: Json<NewAdvisory>,
    ) -> Result<Stored, Failure<Inject>> {
        let mut write = self.0.write(&caller).await?;
        world(&mut write).await?;
        let command = wanted.0.command(&mut write).await?;
        Ok(store_command(write, namespace(&caller), command).await?)
    }
}

/// The next injected incidents after a place in the list: first those that waited, if they are
/// asked for, then those that the world had taken.
async fn commands(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    waiting: bool,
    after: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<CommandRow>, Problem> {
    let waits = |(at_ms, _): &(i64, i64)| *at_ms == i64::MAX;
    let mut rows = Vec::new();
    if waiting && after.as_ref().is_none_or(waits) {
        let before = after.map(|(_, order)| order - INJECTED);
        rows = waiting_incidents(conn, as_of, before, limit).await?;
    }
    let taken = after.filter(|place| !waits(place));
    let taken = taken.map(|(ms, order)| Ok::<_, Problem>((page::instant(ms)?, order - INJECTED)));
    let rest = limit - rows.len() as i64;
    if rest > 0 {
        rows.extend(taken_incidents(conn, as_of, taken.transpose()?, rest).await?);
    }
    Ok(rows)
}
