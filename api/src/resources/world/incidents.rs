//! Incidents: those of the scenario that have happened, and those that are injected; advisories
//! registered by hand.
mod inject;
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::schemas::command::Stored;
use chrono::{DateTime, Utc};
use inject::{NewAdvisory, NewIncident};
use model::{INJECTED, Incident, IncidentPage};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use sqlx::PgConnection;
use store::read::commands::CommandRow;
use store::read::incidents::{incidents_total, taken_incidents, waiting_incidents};
use store::requests::{advisory, incident};

pub(crate) struct IncidentsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListIncidents: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// An incident that cannot be.
    Inject:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, InvalidVector,
        UnknownImage, UnknownPackage, KernelMismatch
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
        page: PageQuery,
    ) -> Result<Json<IncidentPage>, Failure<ListIncidents>> {
        let mut pager = Pager::<(i64, i64)>::begin(&self.0, &caller, page).await?;
        let (at, limit, after) = (pager.moment.as_of, pager.limit(), pager.after);
        // What waited when the first page was read is on its pages, whatever became of it since.
        let waiting = pager.began_newest;
        let conn = pager.snapshot.conn();
        let origin = store::world::get(conn).await?.origin;
        let mut items = model::of_scenario(&origin.scenario, at)?;
        let of_scenario = i64::try_from(items.len()).map_err(Problem::internal)?;
        let total = of_scenario + incidents_total(conn, at, waiting).await?;
        items.retain(|incident| after.is_none_or(|after| incident.place() < after));
        let rows = commands(conn, at, waiting, after, limit).await?;
        items.extend(rows.into_iter().map(|row| Incident::of_command(row, at)));
        items.sort_by_key(|incident| std::cmp::Reverse(incident.place()));
        let next_page_token = pager.end(&mut items, Incident::place)?;
        Ok(Json(IncidentPage {
            next_page_token,
            items,
            total: total.into(),
            as_of: pager.snapshot.as_of(),
            settled: pager.snapshot.settled(),
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
        let request = wanted.request()?;
        let mut write = self.0.write(&caller).await?;
        let row = incident::request(&mut write, caller.requester(), &request).await?;
        Ok(Stored::commit(write, row).await?)
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
        let request = wanted.request()?;
        let mut write = self.0.write(&caller).await?;
        let row = advisory::request(&mut write, caller.requester(), &request).await?;
        Ok(Stored::commit(write, row).await?)
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
    let taken = taken.map(|(ms, order)| Ok::<_, Problem>((pages::instant(ms)?, order - INJECTED)));
    let rest = limit - rows.len() as i64;
    if rest > 0 {
        rows.extend(taken_incidents(conn, as_of, taken.transpose()?, rest).await?);
    }
    Ok(rows)
}
