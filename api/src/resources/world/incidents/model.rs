//! Incidents as the API shows them.
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use chrono::{DateTime, Utc};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use sim::ids::BuilderId;
use sim::scenario::model::IncidentKind;
use sim::time::SimTime;
use store::read::commands::CommandRow;

/// Incidents of one instant come in this order: the scenario's by their numbers, then those that
/// were injected, by theirs from here on.
pub(super) const INJECTED: i64 = 1 << 32;

/// Where an incident comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Source {
    /// The scenario.
    Scenario,
    /// Somebody injected it.
    Command,
}

/// What became of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum IncidentStatus {
    /// The world has not taken it yet.
    Waiting,
    /// It has happened.
    Happened,
    /// The world has refused it.
    Refused,
}

/// Something that goes wrong.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Incident {
    /// Its name: where it comes from, and its number there.
    id: String,
    /// Where it comes from.
    source: Source,
    /// What it is: `mass_vulnerability`, `rebuild_all`, `disclose_advisory`, `builder_outage`,
    /// `tamper_attestation` or `distrust_builder`.
    kind: String,
    /// What became of it.
    status: IncidentStatus,
    /// When it happened.
    at: Option<Instant>,
    /// What it is about, in a few words.
    summary: String,
    /// Why the world refused it.
    reason: Option<String>,
    /// The command that injected it.
    command_href: Option<String>,
    #[oai(skip)]
    order: i64,
}

/// A page of incidents.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct IncidentPage {
    /// The incidents, the latest first.
    pub(super) items: Vec<Incident>,
    /// The simulated instant this speaks of.
    pub(super) as_of: Instant,
    /// Whether this answer can never change again.
    pub(super) settled: bool,
    /// How many there are on all pages.
    pub(super) total: Total,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}

impl Incident {
    /// Its place in the order: when it happened (what waits is the latest), and its number.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.at.map_or(i64::MAX, |at| at.datetime().timestamp_millis()), self.order)
    }

    /// A command that is an incident, as it stood at an instant.
    pub(super) fn of_command(row: CommandRow, as_of: DateTime<Utc>) -> Incident {
        let at = row.applied_at.filter(|at| *at <= as_of);
        let reason = row.rejected.clone().filter(|_| at.is_some());
        Incident {
            id: format!("command-{}", row.seq),
            source: Source::Command,
            summary: summary(&row),
            kind: row.kind,
            status: match (at, &reason) {
                (None, _) => IncidentStatus::Waiting,
                (Some(_), Some(_)) => IncidentStatus::Refused,
                (Some(_), None) => IncidentStatus::Happened,
            },
            at: at.map(Into::into),
            reason,
            command_href: Some(format!("/v1/commands/{}", row.seq)),
            order: INJECTED + row.seq,
        }
    }
}

fn summary(row: &CommandRow) -> String {
    let number = |field: &str| row.command[field].as_i64().unwrap_or_default();
    match row.kind.as_str() {
        "disclose_advisory" => {
            let severity = row.command["severity"].as_str().unwrap_or_default();
            let cve = row.command["cve"].as_str().unwrap_or("the next CVE");
            format!("{cve}, {severity}")
        }
        "builder_outage" => {
            format!("{} builders for {} minutes", number("builders"), number("duration") / 60_000)
        }
        "tamper_attestation" => format!("image {}", number("image")),
        _ => {
            let builder = row.command["builder"].as_u64().and_then(|n| u32::try_from(n).ok());
            builder.map_or_else(String::new, |number| BuilderId(number).name())
        }
    }
}

/// The incidents of the scenario that have happened by an instant.
pub(super) fn of_scenario(text: &str, as_of: DateTime<Utc>) -> Result<Vec<Incident>, Problem> {
    let scenario = match sim::scenario::parse("the stored scenario", text.as_bytes()) {
        Ok(scenario) => scenario,
        // A world that another program made may have a scenario that this one cannot read.
        Err(error) => {
            tracing::debug!(%error, "the stored scenario cannot be read");
            return Ok(Vec::new());
        }
    };
    let until = SimTime::from_datetime(as_of);
    let happened = (0i64..).zip(&scenario.incidents);
    let happened = happened.filter(|(_, incident)| incident.at.value.time() <= until);
    Ok(happened
        .map(|(number, incident)| {
            let (kind, summary) = told(&incident.kind);
            Incident {
                id: format!("scenario-{number}"),
                source: Source::Scenario,
                kind: kind.to_owned(),
                status: IncidentStatus::Happened,
                at: incident.at.value.time().to_datetime().map(Into::into),
                summary,
                reason: None,
                command_href: None,
                order: number,
            }
        })
        .collect())
}

fn told(kind: &IncidentKind) -> (&'static str, String) {
    match kind {
        IncidentKind::MassVulnerability(mass) => {
            let percent = mass.image_share.value() * 100.0;
            ("mass_vulnerability", format!("{} on {percent:.0}% of all images", mass.severity))
        }
        IncidentKind::BuilderOutage(outage) => {
            let minutes = outage.duration.duration().0 / 60_000;
            ("builder_outage", format!("{} builders for {minutes} minutes", outage.builders))
        }
        IncidentKind::RebuildAll(_) => ("rebuild_all", "every image is rebuilt".to_owned()),
        IncidentKind::DistrustBuilder(distrust) => {
            ("distrust_builder", BuilderId(distrust.builder).name())
        }
        IncidentKind::TamperAttestation(tamper) => {
            ("tamper_attestation", format!("image {}", tamper.image))
        }
    }
}

impl Example for Incident {
    fn example() -> Self {
        Incident {
            id: "scenario-0".to_owned(),
            source: Source::Scenario,
            kind: "builder_outage".to_owned(),
            status: IncidentStatus::Happened,
            at: Some(time::example(3)),
            summary: "1 builders for 540 minutes".to_owned(),
            reason: None,
            command_href: None,
            order: 0,
        }
    }
}

impl Example for IncidentPage {
    fn example() -> Self {
        IncidentPage {
            items: vec![Incident::example()],
            total: 1.into(),
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}
