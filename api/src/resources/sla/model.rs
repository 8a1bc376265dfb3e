//! The SLA as the API shows it.
use crate::http::examples;
use crate::http::pages::{Total, page};
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::resources::sla::survival::{Curve, estimate};
use crate::schemas::exposure::{SlaClock, TimerState, hours_left};
use crate::schemas::severity::Severity;
use chrono::{DateTime, Utc};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::sla::{Durations, PolicyRow, TimerRow, ViolationRow};

/// A promise: by when what must be done.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct SlaPolicy {
    /// Its name.
    name: String,
    /// Days for critical advisories; absent: no deadline.
    critical_days: Option<i32>,
    /// Days for high ones.
    high_days: Option<i32>,
    /// Days for medium ones.
    medium_days: Option<i32>,
    /// Days for low ones.
    low_days: Option<i32>,
    /// `calendar`: days of 24 hours. `business`: Monday to Friday, UTC.
    calendar: String,
    /// What starts the clock: `fix_available`, `detected` or `published`.
    clock_start: String,
    /// Whether the clock stands still while no fix exists.
    pause_without_fix: bool,
    /// Advisories that hit a larger share of all images, in thousandths, are excluded.
    exclude_over_permille: Option<i32>,
    /// The share of the time, in thousandths, after which a timer is at risk.
    warn_permille: i32,
    /// What an exposure that begins anew is owed: `continue`: the clock of the one before goes on;
    /// `restart`: a clock of its own; `ignore`: nothing.
    on_reexposure: String,
    /// To how many customers it is promised, of those the caller may see.
    customers: i64,
}

impl From<PolicyRow> for SlaPolicy {
    fn from(row: PolicyRow) -> Self {
        SlaPolicy {
            name: row.name,
            critical_days: row.critical_days,
            high_days: row.high_days,
            medium_days: row.medium_days,
            low_days: row.low_days,
            calendar: row.calendar,
            clock_start: row.clock_start,
            pause_without_fix: row.pause_without_fix,
            exclude_over_permille: row.exclude_over_permille,
            warn_permille: row.warn_permille,
            on_reexposure: row.on_reexposure,
            customers: row.customers,
        }
    }
}

/// All policies.
#[derive(Object)]
#[oai(example)]
pub(super) struct SlaPolicies {
    /// The policies, by name.
    pub(super) items: Vec<SlaPolicy>,
}

/// A clock that runs for a customer, an image and an advisory.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Timer {
    /// The customer's namespace.
    tenant_namespace: String,
    /// The customer's name.
    customer: String,
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The advisory's CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Whose clock it is.
    clock: SlaClock,
    /// How it stood.
    state: TimerState,
    /// The name of the policy.
    policy: String,
    /// Which exposure it is of, counted from 1; in between the customer was not exposed.
    episode: i32,
    /// Whether the policy excludes it, as part of an event that hits too many images; absent until that
    /// is decided, a day after the advisory was first found.
    excluded: Option<bool>,
    /// When the exposure began to count.
    opened_at: Instant,
    /// When the clock started; absent while it stands still.
    started_at: Option<Instant>,
    /// From when on it is at risk.
    warn_at: Option<Instant>,
    /// The deadline.
    due_at: Option<Instant>,
    /// The days that the promise counts: `calendar`, or `business` (Monday to Friday, UTC).
    calendar: String,
    /// Hours of the promise that are left, while it runs: under `business` days those from Monday to
    /// Friday. Negative once the deadline has passed.
    hours_left: Option<f64>,
    /// The evaluation that saw it at risk.
    warned_at: Option<Instant>,
    /// The evaluation that saw the deadline pass.
    breached_at: Option<Instant>,
    /// When it stopped.
    stopped_at: Option<Instant>,
    /// Why: `fixed`, `adopted`, `not_affected`, or `ended` with the customer's use of the image.
    stop_reason: Option<String>,
}

impl Timer {
    pub(super) fn new(row: TimerRow, at: DateTime<Utc>) -> Result<Self, Problem> {
        let state = match row.stopped_at {
            Some(_) => TimerState::Stopped,
            None => TimerState::of(row.excluded, row.warn_at, row.due_at, at),
        };
        let runs = row.due_at.filter(|_| row.stopped_at.is_none());
        Ok(Timer {
            tenant_namespace: row.tenant_namespace,
            customer: row.customer,
            image: row.image,
            image_id: row.image_id,
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            clock: SlaClock::parse(&row.clock)?,
            state,
            policy: row.policy,
            episode: row.episode,
            excluded: (!row.undecided).then_some(row.excluded),
            opened_at: row.opened_at.into(),
            started_at: row.started_at.map(Into::into),
            warn_at: row.warn_at.map(Into::into),
            due_at: row.due_at.map(Into::into),
            hours_left: runs.map(|due| hours_left(due, at, &row.calendar)).transpose()?,
            calendar: row.calendar,
            warned_at: row.warned_at.map(Into::into),
            breached_at: row.breached_at.map(Into::into),
            stopped_at: row.stopped_at.map(Into::into),
            stop_reason: row.stop_reason,
        })
    }
}

page! {
    /// A page of timers.
    TimerPage of Timer
}

/// Timers that will be overdue by an instant if nothing changes.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ForecastPage {
    /// The timers, by deadline.
    items: Vec<Timer>,
    /// By when.
    by: Instant,
    /// How many will be overdue by then.
    total: Total,
    /// How many of them are overdue already.
    overdue: Total,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl ForecastPage {
    pub(super) fn new(
        items: Vec<Timer>,
        by: Instant,
        (total, overdue): (store::read::Total, i64),
        next_page_token: Option<String>,
        snapshot: &Snapshot,
    ) -> Self {
        ForecastPage {
            items,
            by,
            total: total.into(),
            overdue: overdue.into(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
            next_page_token,
        }
    }
}

/// How a violation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum ViolationState {
    /// The timer has not stopped yet.
    Open,
    /// It stopped, late.
    Resolved,
}

/// A deadline that passed.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Violation {
    /// How it stood.
    state: ViolationState,
    /// The customer's namespace.
    tenant_namespace: String,
    /// The customer's name.
    customer: String,
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The advisory's CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Whose clock it was.
    clock: SlaClock,
    /// Which exposure it is of, counted from 1.
    episode: i32,
    /// The deadline: the promise is broken from then on.
    due_at: Instant,
    /// The evaluation that saw it pass.
    recorded_at: Instant,
    /// When the timer stopped after all.
    resolved_at: Option<Instant>,
}

impl Violation {
    pub(super) fn new(row: ViolationRow) -> Result<Self, Problem> {
        Ok(Violation {
            state: match row.resolved_at {
                None => ViolationState::Open,
                Some(_) => ViolationState::Resolved,
            },
            tenant_namespace: row.tenant_namespace,
            customer: row.customer,
            image: row.image,
            image_id: row.image_id,
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            clock: SlaClock::parse(&row.clock)?,
            episode: row.episode,
            due_at: row.due_at.into(),
            recorded_at: row.recorded_at.into(),
            resolved_at: row.resolved_at.map(Into::into),
        })
    }
}

page! {
    /// A page of violations.
    ViolationPage of Violation
}

/// A time at which exposures ended.
#[derive(Object)]
struct SurvivalStep {
    /// The time since detection, in begun hours.
    hours: i64,
    /// How many exposures had lasted until then.
    at_risk: i64,
    /// How many of them ended then.
    ended: i64,
    /// The estimated share of exposures that last longer.
    survival: f64,
}

/// How long exposures of one severity last.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct RemediationCurve {
    /// The severity.
    severity: Severity,
    /// How many exposures it rests on.
    exposures: i64,
    /// How many of them had ended.
    ended: i64,
    /// How many were still open: they are censored.
    open: i64,
    /// The first time at which at most half last longer; absent while that is not reached.
    median_hours: Option<i64>,
    /// Where the curve steps down, in order; before the first step it is 1.
    steps: Vec<SurvivalStep>,
}

impl RemediationCurve {
    fn new(severity: Severity, curve: Curve) -> Self {
        let step = |step: &crate::resources::sla::survival::Step| SurvivalStep {
            hours: step.hours,
            at_risk: step.at_risk,
            ended: step.ended,
            survival: (step.survival * 1e6).round() / 1e6,
        };
        RemediationCurve {
            severity,
            exposures: curve.exposures,
            ended: curve.ended,
            open: curve.exposures - curve.ended,
            median_hours: curve.median_hours,
            steps: curve.steps.iter().map(step).collect(),
        }
    }
}

/// How long exposures last, by severity.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Remediation {
    /// A curve for each severity, the most severe first.
    curves: Vec<RemediationCurve>,
    /// The advisories are those published after this instant.
    published_after: Instant,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl Remediation {
    pub(super) fn new(
        rows: Vec<Durations>,
        published_after: Instant,
        snapshot: &Snapshot,
    ) -> Result<Self, Problem> {
        for row in &rows {
            Severity::parse(&row.severity)?;
        }
        let curve = |severity: Severity| {
            let own = rows.iter().filter(|row| row.severity == severity.as_str());
            RemediationCurve::new(severity, estimate(own.map(|r| (r.hours, r.ended, r.count))))
        };
        Ok(Remediation {
            curves: Severity::ALL.into_iter().map(curve).collect(),
            published_after,
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        })
    }
}

impl Example for SlaPolicies {
    fn example() -> Self {
        SlaPolicies {
            items: vec![SlaPolicy {
                name: "gold".to_owned(),
                critical_days: Some(7),
                high_days: Some(14),
                medium_days: Some(14),
                low_days: Some(14),
                calendar: "calendar".to_owned(),
                clock_start: "fix_available".to_owned(),
                pause_without_fix: true,
                exclude_over_permille: None,
                warn_permille: 750,
                on_reexposure: "continue".to_owned(),
                customers: 2,
            }],
        }
    }
}

impl Example for Timer {
    fn example() -> Self {
        Timer {
            tenant_namespace: examples::TENANT.to_owned(),
            customer: "Gold One".to_owned(),
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            clock: SlaClock::Provider,
            state: TimerState::Running,
            policy: "gold".to_owned(),
            episode: 1,
            excluded: Some(false),
            opened_at: time::example(4),
            started_at: Some(time::example(4)),
            warn_at: Some(time::example(130)),
            due_at: Some(time::example(172)),
            hours_left: Some(166.0),
            calendar: "calendar".to_owned(),
            warned_at: None,
            breached_at: None,
            stopped_at: None,
            stop_reason: None,
        }
    }
}

impl Example for ForecastPage {
    fn example() -> Self {
        ForecastPage {
            items: vec![Timer::example()],
            by: time::example(7 * 24 + 6),
            total: 1.into(),
            overdue: 0.into(),
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}

impl Example for Violation {
    fn example() -> Self {
        Violation {
            state: ViolationState::Open,
            tenant_namespace: examples::TENANT.to_owned(),
            customer: "Gold One".to_owned(),
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            cve: examples::CVE.to_owned(),
            severity: Severity::High,
            clock: SlaClock::Customer,
            episode: 1,
            due_at: time::example(3),
            recorded_at: time::example(4),
            resolved_at: None,
        }
    }
}

impl Example for Remediation {
    fn example() -> Self {
        let seen = [(20, true, 2), (44, true, 1), (60, false, 1)];
        Remediation {
            curves: vec![RemediationCurve::new(Severity::Critical, estimate(seen))],
            published_after: time::example(6 - 30 * 24),
            as_of: time::example(6),
            settled: true,
        }
    }
}
