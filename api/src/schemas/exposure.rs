//! Exposures: a customer runs an image on which an advisory was found, and how long there is.
use crate::http::examples;
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::scan::ScanState;
use crate::schemas::severity::Severity;
use chrono::{DateTime, Utc};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use sim::scenario::model::Calendar;
use sim::time::SimTime;
use store::read::exposure::ExposureRow;

/// The two clocks that run against deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum SlaClock {
    /// It stops when a version without the advisory is published.
    Provider,
    /// It stops when the customer runs one.
    Customer,
}

impl SlaClock {
    /// The name in the database and the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            SlaClock::Provider => "provider",
            SlaClock::Customer => "customer",
        }
    }

    /// From the database.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "provider" => Ok(SlaClock::Provider),
            "customer" => Ok(SlaClock::Customer),
            _ => Err(Problem::internal(format!("a clock named {text:?}"))),
        }
    }
}

/// How an SLA timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum TimerState {
    /// It runs, and there is time.
    Running,
    /// It has used up the policy's warning share of the time.
    AtRisk,
    /// Its deadline has passed.
    Overdue,
    /// It stands still: no fix exists.
    Paused,
    /// The policy excludes it, as part of an event that hits too many images.
    Excluded,
    /// It has stopped.
    Stopped,
}

impl TimerState {
    /// How a timer that has not stopped stands at an instant.
    pub(crate) fn of(
        excluded: bool,
        warn_at: Option<DateTime<Utc>>,
        due_at: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    ) -> Self {
        match (excluded, due_at) {
            (true, _) => TimerState::Excluded,
            (false, None) => TimerState::Paused,
            (false, Some(due)) if due <= at => TimerState::Overdue,
            (false, Some(_)) if warn_at.is_some_and(|warn| warn <= at) => TimerState::AtRisk,
            (false, Some(_)) => TimerState::Running,
        }
    }
}

/// The hours of a promise from an instant to its deadline, to hundredths, in the days that the promise
/// counts (`calendar` or `business`); negative when the deadline has passed.
pub(crate) fn hours_left(
    due: DateTime<Utc>,
    at: DateTime<Utc>,
    calendar: &str,
) -> Result<f64, Problem> {
    let calendar = match calendar {
        "calendar" => Calendar::Calendar,
        "business" => Calendar::Business,
        _ => return Err(Problem::internal(format!("a calendar named {calendar:?}"))),
    };
    let left = sim::sla_left(SimTime::from_datetime(at), SimTime::from_datetime(due), calendar);
    Ok((left.as_hours() * 100.0).round() / 100.0)
}

/// A deadline that has not been met yet.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Deadline {
    /// Whose clock runs.
    clock: SlaClock,
    /// How it stands.
    state: TimerState,
    /// When the exposure began to count.
    opened_at: Instant,
    /// The deadline; absent while the clock stands still.
    due_at: Option<Instant>,
    /// Hours of the promise that are left until then, in the days of the policy (under business days
    /// those from Monday to Friday); negative once it has passed.
    hours_left: Option<f64>,
}

/// A customer that runs an image with an advisory on it.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Exposure {
    /// The customer's namespace.
    tenant_namespace: String,
    /// The customer's name.
    customer: String,
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The version that runs.
    version: i32,
    /// Its digest.
    digest: String,
    /// `follow`: the customer follows a tag. `pin`: it stays with the digest.
    mode: String,
    /// Where it runs.
    environment: String,
    /// The cluster.
    cluster: String,
    /// How many replicas.
    replicas: i32,
    /// Whether it can be reached from the internet.
    internet_exposed: bool,
    /// Since when this version runs.
    running_since: Instant,
    /// The advisory's CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Its CVSS base score.
    score: f64,
    /// Whether it is known to be exploited.
    known_exploited: bool,
    /// The packages it was found in.
    packages: Vec<String>,
    /// Since when the customer has been exposed, in this version or one before.
    exposed_since: Instant,
    /// When an upstream fix was there.
    fix_available_at: Option<Instant>,
    /// The newest version of the image, if a scan has looked at it and did not find the advisory:
    /// taking it ends the exposure.
    fixed_in_version: Option<i32>,
    /// The first deadline that is owed; absent when none is, or all stand still.
    due_at: Option<Instant>,
    /// Hours of the promise that are left until then, in the days of the policy; negative once it has
    /// passed.
    hours_left: Option<f64>,
    /// Both clocks, as far as they run.
    deadlines: Vec<Deadline>,
}

impl Exposure {
    pub(crate) fn new(row: ExposureRow, at: DateTime<Utc>) -> Result<Self, Problem> {
        let left = |due| hours_left(due, at, &row.calendar);
        let deadline = |clock, opened: Option<DateTime<Utc>>, warn, due, excluded: Option<bool>| {
            let Some(opened) = opened else { return Ok(None) };
            Ok::<_, Problem>(Some(Deadline {
                clock,
                state: TimerState::of(excluded.unwrap_or(false), warn, due, at),
                opened_at: opened.into(),
                due_at: due.map(Instant::from),
                hours_left: due.map(left).transpose()?,
            }))
        };
        let provider = deadline(
            SlaClock::Provider,
            row.provider_opened_at,
            row.provider_warn_at,
            row.provider_due_at,
            row.provider_excluded,
        )?;
        let customer = deadline(
            SlaClock::Customer,
            row.customer_opened_at,
            row.customer_warn_at,
            row.customer_due_at,
            row.customer_excluded,
        )?;
        let deadlines: Vec<Deadline> = provider.into_iter().chain(customer).collect();
        let owed = deadlines.iter().filter(|d| d.state != TimerState::Excluded);
        let due = owed.filter_map(|d| d.due_at).min();
        let began = row.detected_at.max(row.running_since);
        Ok(Exposure {
            tenant_namespace: row.tenant_namespace,
            customer: row.customer,
            image: row.image,
            image_id: row.image_id,
            version: row.version,
            digest: row.digest,
            mode: row.mode,
            environment: row.environment,
            cluster: row.cluster,
            replicas: row.replicas,
            internet_exposed: row.internet_exposed,
            running_since: row.running_since.into(),
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            score: row.score,
            known_exploited: row.known_exploited,
            packages: row.packages,
            exposed_since: row.customer_opened_at.map_or(began, |opened| opened.min(began)).into(),
            fix_available_at: row.fix_available_at.map(Into::into),
            fixed_in_version: row.fixed_in_version,
            due_at: due,
            hours_left: due.map(|due| left(due.datetime())).transpose()?,
            deadlines,
        })
    }
}

impl Example for Exposure {
    fn example() -> Self {
        let deadline = |clock, due: i64| Deadline {
            clock,
            state: TimerState::Running,
            opened_at: time::example(4),
            due_at: Some(time::example(due)),
            hours_left: Some((due - 6) as f64),
        };
        Exposure {
            tenant_namespace: examples::TENANT.to_owned(),
            customer: "Gold One".to_owned(),
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            mode: "follow".to_owned(),
            environment: "production".to_owned(),
            cluster: "eu-1".to_owned(),
            replicas: 12,
            internet_exposed: true,
            running_since: time::example(2),
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            score: 9.8,
            known_exploited: true,
            packages: vec![examples::PACKAGE.to_owned()],
            exposed_since: time::example(4),
            fix_available_at: Some(time::example(3)),
            fixed_in_version: None,
            due_at: Some(time::example(172)),
            hours_left: Some(166.0),
            deadlines: vec![deadline(SlaClock::Provider, 172), deadline(SlaClock::Customer, 172)],
        }
    }
}

/// What had been looked at for a list of exposures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LookedAt {
    /// By scans.
    pub(crate) scan: Option<ScanState>,
    /// By evaluations of SLA timers.
    pub(crate) evaluated_at: Option<DateTime<Utc>>,
}

/// A page of exposures.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct ExposurePage {
    /// The entries, in the order that the operation tells.
    items: Vec<Exposure>,
    /// How many there are on all pages.
    total: Total,
    /// Whether scans have looked at all that the list is about. `pending`: what is not in it is
    /// unknown, not clean. Of an advisory: `complete` once a pass over all versions in use has looked
    /// for it. Of a customer: how the version stands that has been looked at least; absent when it
    /// runs nothing.
    scan: Option<ScanState>,
    /// The last evaluation of SLA timers by then, which deadlines are of; absent before the first,
    /// when nobody has looked for deadlines.
    evaluated_at: Option<Instant>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl ExposurePage {
    pub(crate) fn new(
        items: Vec<Exposure>,
        total: store::read::Total,
        next_page_token: Option<String>,
        looked: LookedAt,
        snapshot: &Snapshot,
    ) -> Self {
        ExposurePage {
            items,
            total: total.into(),
            scan: looked.scan,
            evaluated_at: looked.evaluated_at.map(Into::into),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
            next_page_token,
        }
    }
}

impl Example for ExposurePage {
    fn example() -> Self {
        ExposurePage {
            items: vec![Exposure::example()],
            total: 1.into(),
            scan: Some(ScanState::Complete),
            evaluated_at: Some(time::example(6)),
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}
