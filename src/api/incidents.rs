//! Incidents: those of the scenario that have happened, and those that are injected; advisories
//! registered by hand.
mod inject;
mod model;

use super::caller::Caller;
use super::commands::{Stored, namespace, store_command};
use super::page::{self, Scope, Total};
use super::problem::{Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, world};
use super::time::{Instant, example_as_of};
use inject::{NewAdvisory, NewIncident};
use model::{COMMANDS, Incident, IncidentPage};
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use store::read::commands::commands_of;

/// The most injected incidents that are shown: the latest.
const MAX_COMMANDS: i64 = 1_000;

pub(crate) struct IncidentsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListIncidents: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// An incident that cannot be.
    Inject:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, InvalidVector,
        UnknownImage, UnknownPackage
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
        /// How many incidents a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<IncidentPage>, Failure<ListIncidents>> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("incidents", &at_ms)?;
        let start = page::start::<(i64, i64)>(&scope, page_token.as_deref())?;
        let mut view = self.0.page_view(&caller, as_of.0, start.as_ref()).await?;
        let moment = view.moment;
        let origin = store::world::get(view.conn()).await.map_err(Problem::from)?.origin;
        let commands = commands_of(view.conn(), &COMMANDS, None, MAX_COMMANDS).await?;
        let mut items = model::of_scenario(&origin.scenario, moment.as_of)?;
        items.extend(commands.into_iter().filter_map(|row| Incident::of_command(row, moment)));
        items.sort_by_key(|incident| std::cmp::Reverse(incident.place()));
        let total = Total::from(items.len() as i64);
        if let Some(start) = &start {
            items.retain(|incident| incident.place() < start.key);
        }
        let more = page::cut(&mut items, page_size.unwrap_or(page::DEFAULT_SIZE));
        let last = items.last().filter(|_| more).map(Incident::place);
        Ok(Json(IncidentPage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items,
            total,
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
