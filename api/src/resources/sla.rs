//! The SLA: what is promised, what is owed, what was missed, and how fast exposures end.
mod figures;
mod model;
mod survival;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup;
use crate::http::order::{ByRecorded, direction};
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, ExampleValue, example, length, query, range};
use crate::http::single_flight::{self, Holds, SingleFlight};
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::Instant;
use crate::schemas::exposure::{SlaClock, TimerState};
use crate::schemas::severity::Severity;
use chrono::{DateTime, TimeDelta, Utc};
use figures::Figures;
use model::{
    ForecastPage, Remediation, SlaPolicies, SlaPolicy, Timer, TimerPage, Violation, ViolationPage,
    ViolationState,
};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use std::sync::Arc;
use store::read::Page;
use store::read::sla::{
    TimerFilter, TimerPlace, TimerRow, ViolationFilter, durations, figures, open_timers,
    open_total, policies, stopped_timers, violations, violations_total,
};

/// How many days' advisories the remediation curve is about when the caller does not say.
const DEFAULT_DAYS: u32 = 30;

pub(crate) struct SlaApi {
    state: ApiState,
    /// Answers about remediation that still hold.
    remediation: SingleFlight<Arc<Remediation>>,
    /// Figures that still hold.
    figures: SingleFlight<Arc<Figures>>,
}

failures! {
    /// A list.
    ListSla: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// What has no pages.
    ReadSla: InvalidParameter, UnknownParameter, AsOfInFuture
}

/// So many days before the instant of the answer, but no earlier than history is kept.
fn since(snapshot: &Snapshot, days: u32) -> DateTime<Utc> {
    let from = snapshot.moment.as_of - TimeDelta::days(i64::from(days));
    snapshot.position.history_from.map_or(from, |kept| from.max(kept))
}

/// Deadline or end (milliseconds), customer, image, advisory, clock.
type Key = (Option<i64>, i64, i64, i64, String);

/// When it was recorded (milliseconds), customer, image, advisory, clock, episode.
type ViolationKey = (i64, i64, i64, i64, String, i32);

fn key(row: &TimerRow) -> Key {
    let place = row.place();
    let at = place.at.map(|at| at.timestamp_millis());
    (at, place.customer_id, place.image_id, place.advisory_id, place.clock)
}

fn place((ms, customer_id, image_id, advisory_id, clock): Key) -> Result<TimerPlace, Problem> {
    let at = ms.map(pages::instant).transpose()?;
    Ok(TimerPlace { at, customer_id, image_id, advisory_id, clock })
}

fn stored(state: TimerState) -> Option<store::read::sla::TimerState> {
    use store::read::sla::TimerState as Stored;
    match state {
        TimerState::Running => Some(Stored::Running),
        TimerState::AtRisk => Some(Stored::AtRisk),
        TimerState::Overdue => Some(Stored::Overdue),
        TimerState::Paused => Some(Stored::Paused),
        TimerState::Excluded => Some(Stored::Excluded),
        TimerState::Stopped => None,
    }
}

query! {
    /// The parameters of listSlaTimers.
    struct ListSlaTimersQuery {
        /// Only timers of this customer: its namespace.
        tenant: Option<String> = length(1, 128),
        /// Only timers of this clock.
        clock: Option<SlaClock>,
        /// Only timers for advisories of this severity.
        severity: Option<Severity>,
        /// Only timers that stood so at that instant.
        state: Option<TimerState>,
        /// Only timers for this image: its name or number.
        image: Option<String> = length(1, 63),
        /// Only timers for this advisory: its CVE id.
        cve: Option<String> = length(1, 63),
    }
}

query! {
    /// The parameters of listSlaViolations.
    struct ListSlaViolationsQuery {
        /// Only violations towards this customer: its namespace.
        tenant: Option<String> = length(1, 128),
        /// Only violations of this clock.
        clock: Option<SlaClock>,
        /// Only violations for advisories of this severity.
        severity: Option<Severity>,
        /// Only violations that stood so at that instant.
        state: Option<ViolationState>,
        /// The order; `-recorded_at` when absent.
        order_by: Option<ByRecorded>,
    }
}

query! {
    /// The parameters of forecastSla.
    struct ForecastSlaQuery {
        /// By when.
        by: Instant = example(ExampleValue::Hours(24 * 24)),
        /// Only timers of this customer: its namespace.
        tenant: Option<String> = length(1, 128),
        /// Only timers of this clock.
        clock: Option<SlaClock>,
        /// Only timers for advisories of this severity.
        severity: Option<Severity>,
    }
}

query! {
    /// The parameters of getRemediation.
    struct GetRemediationQuery {
        /// Only advisories published in so many days before that instant, 30 when absent.
        days: Option<u32> = range(1, 3650),
    }
}

query! {
    /// The parameters of getSlaFigures.
    struct GetSlaFiguresQuery {
        /// Only timers that opened in so many days before that instant, and exposures in them; 30 when
        /// absent.
        days: Option<u32> = range(1, 3650),
        /// Only of this customer: its namespace.
        tenant: Option<String> = length(1, 128),
    }
}

impl Resource for SlaApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listSlaPolicies", Access::Read),
        ("listSlaTimers", Access::Read),
        ("listSlaViolations", Access::Read),
        ("forecastSla", Access::Read),
        ("getRemediation", Access::Read),
        ("getSlaFigures", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        SlaApi {
            state: state.clone(),
            remediation: SingleFlight::default(),
            figures: SingleFlight::default(),
        }
    }
}

#[OpenApi(tag = "Tag::Sla")]
impl SlaApi {
    /// List SLA policies
    ///
    /// What is promised: days by severity, what starts the clock, and what it waits for.
    #[oai(path = "/v1/sla/policies", method = "get", operation_id = "listSlaPolicies")]
    async fn policies(&self, caller: Caller) -> Result<Json<SlaPolicies>, Failure<ReadSla>> {
        let mut snapshot = self.state.snapshot(&caller, None).await?;
        let rows = policies(snapshot.conn()).await?;
        Ok(Json(SlaPolicies { items: rows.into_iter().map(SlaPolicy::from).collect() }))
    }

    /// List SLA timers
    ///
    /// Those that have not stopped, the most urgent first and those that stand still last; with
    /// `state=stopped`, those that have, the latest first.
    #[oai(path = "/v1/sla/timers", method = "get", operation_id = "listSlaTimers")]
    async fn timers(
        &self,
        caller: Caller,
        query: ListSlaTimersQuery,
        page: PageQuery,
    ) -> Result<Json<TimerPage>, Failure<ListSla>> {
        let (clock, severity) =
            (query.clock.map(SlaClock::as_str), query.severity.map(Severity::as_str));
        let mut pager = Pager::<Key>::begin(&self.state, &caller, page).await?;
        let tenant = lookup::tenant(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let filter = TimerFilter {
            tenant_namespace: tenant.as_deref().or(caller.tenant()),
            clock,
            severity,
            image_id: lookup::image(&mut pager.snapshot, query.image.as_deref()).await?,
            advisory_id: lookup::cve(&mut pager.snapshot, query.cve.as_deref()).await?,
            state: query.state.and_then(stored),
            due_by: None,
        };
        let (moment, limit) = (pager.moment, pager.limit());
        let after = pager.after.clone().map(place).transpose()?;
        let conn = pager.snapshot.conn();
        let Page { mut rows, total } = if query.state == Some(TimerState::Stopped) {
            stopped_timers(conn, moment, &filter, after.as_ref(), limit).await?
        } else {
            open_timers(conn, moment, &filter, after.as_ref(), limit).await?
        };
        let next = pager.end(&mut rows, key)?;
        let items = rows.into_iter().map(|row| Timer::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(TimerPage::new(items, total, next, &pager.snapshot)))
    }

    /// List SLA violations
    ///
    /// Deadlines that passed, by when an evaluation recorded it.
    #[oai(path = "/v1/sla/violations", method = "get", operation_id = "listSlaViolations")]
    async fn violations(
        &self,
        caller: Caller,
        query: ListSlaViolationsQuery,
        page: PageQuery,
    ) -> Result<Json<ViolationPage>, Failure<ListSla>> {
        let (clock, severity) =
            (query.clock.map(SlaClock::as_str), query.severity.map(Severity::as_str));
        let open = query.state.map(|state| state == ViolationState::Open);
        let direction = direction(query.order_by);
        let mut pager = Pager::<ViolationKey>::begin(&self.state, &caller, page).await?;
        let tenant = lookup::tenant(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let tenant_namespace = tenant.as_deref().or(caller.tenant());
        let filter = ViolationFilter { tenant_namespace, clock, severity, open, direction };
        let (moment, limit) = (pager.moment, pager.limit());
        let after = match pager.after.clone() {
            Some((ms, customer, image, advisory, clock, episode)) => {
                Some((pages::instant(ms)?, customer, image, advisory, clock, episode))
            }
            None => None,
        };
        let conn = pager.snapshot.conn();
        let total = violations_total(conn, moment, &filter).await?;
        let mut rows = violations(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, |row| {
            let ms = row.recorded_at.timestamp_millis();
            (ms, row.customer_id, row.image_id, row.advisory_id, row.clock.clone(), row.episode)
        })?;
        let items = rows.into_iter().map(Violation::new).collect::<Result<_, _>>()?;
        Ok(Json(ViolationPage::new(items, total, next, &pager.snapshot)))
    }

    /// Forecast overdue SLAs
    ///
    /// Timers that will be overdue by an instant if nothing changes, those that are already
    /// included, by deadline. Timers that stand still for want of a fix are not among them.
    #[oai(path = "/v1/sla/forecast", method = "get", operation_id = "forecastSla")]
    async fn forecast(
        &self,
        caller: Caller,
        query: ForecastSlaQuery,
        page: PageQuery,
    ) -> Result<Json<ForecastPage>, Failure<ListSla>> {
        let (clock, severity) =
            (query.clock.map(SlaClock::as_str), query.severity.map(Severity::as_str));
        let mut pager = Pager::<Key>::begin(&self.state, &caller, page).await?;
        let (moment, limit) = (pager.moment, pager.limit());
        if query.by.datetime() < moment.as_of {
            let detail = "The parameter `by` is wrong: it is earlier than the instant asked about.";
            return Err(Problem::new(Code::InvalidParameter, detail).into());
        }
        let tenant = lookup::tenant(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let filter = TimerFilter {
            tenant_namespace: tenant.as_deref().or(caller.tenant()),
            clock,
            severity,
            due_by: Some(query.by.datetime()),
            ..TimerFilter::default()
        };
        let after = pager.after.clone().map(place).transpose()?;
        let conn = pager.snapshot.conn();
        let due_by = Some(moment.as_of);
        let overdue = open_total(conn, moment, &TimerFilter { due_by, ..filter.clone() }).await?;
        let Page { mut rows, total } =
            open_timers(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, key)?;
        let items = rows.into_iter().map(|row| Timer::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(ForecastPage::new(items, query.by, (total, overdue), next, &pager.snapshot)))
    }

    /// Read how fast exposures end
    ///
    /// Kaplan-Meier curves by severity. An exposure is an image and an advisory: it begins when a
    /// scan first finds it and ends when a version without it is published. Those that are still
    /// open count for as long as they have been seen (they are censored); false positives are left
    /// out once they are judged. The curve steps down at each time, in begun hours, at which some
    /// ended; its median is absent while more than half last longer than all that was seen.
    /// Without `as_of` the answer may be some seconds old: its own `as_of` says of when it is.
    #[oai(path = "/v1/sla/remediation", method = "get", operation_id = "getRemediation")]
    async fn remediation(
        &self,
        caller: Caller,
        query: GetRemediationQuery,
        as_of: AsOf,
    ) -> Result<Json<Arc<Remediation>>, Failure<ReadSla>> {
        let days = query.days.unwrap_or(DEFAULT_DAYS);
        let key = single_flight::Key {
            generation: self.state.snapshot(&caller, as_of.0).await?.position.generation,
            platform: caller.tenant().is_none(),
            tenant: caller.tenant().map(str::to_owned),
            extent: days,
            as_of: as_of.0.map(|at| at.datetime()),
        };
        let work = async {
            let mut snapshot = self.state.snapshot(&caller, as_of.0).await?;
            let at = snapshot.moment.as_of;
            let from = since(&snapshot, days);
            let rows = durations(snapshot.conn(), at, from).await?;
            let holds = Holds::of(&snapshot);
            Ok::<_, Problem>((Arc::new(Remediation::new(rows, from.into(), &snapshot)?), holds))
        };
        Ok(Json(self.remediation.get(key, work).await?))
    }

    /// Read how promises were kept
    ///
    /// Counts by clock and severity, with what they are a share of, and exposure-days beside them: a
    /// platform that publishes fixes before anything is found opens fewer timers, and the hard ones are
    /// left, so the share of missed promises alone misleads. A deadline that has passed unmet is missed
    /// whether or not an evaluation has recorded it. Without `as_of` the answer may be some seconds old:
    /// its own `as_of` says of when it is.
    #[oai(path = "/v1/sla/figures", method = "get", operation_id = "getSlaFigures")]
    async fn figures(
        &self,
        caller: Caller,
        query: GetSlaFiguresQuery,
        as_of: AsOf,
    ) -> Result<Json<Arc<Figures>>, Failure<ReadSla>> {
        let days = query.days.unwrap_or(DEFAULT_DAYS);
        let mut snapshot = self.state.snapshot(&caller, as_of.0).await?;
        let tenant = lookup::tenant(&mut snapshot, query.tenant.as_deref()).await?;
        let tenant = tenant.or_else(|| caller.tenant().map(str::to_owned));
        let platform = caller.tenant().is_none();
        let key = single_flight::Key {
            generation: snapshot.position.generation,
            platform,
            tenant: tenant.clone(),
            extent: days,
            as_of: as_of.0.map(|at| at.datetime()),
        };
        drop(snapshot);
        let work = async {
            let mut snapshot = self.state.snapshot(&caller, as_of.0).await?;
            let at = snapshot.moment.as_of;
            let from = since(&snapshot, days);
            let rows = figures(snapshot.conn(), at, from, tenant.as_deref(), platform).await?;
            let holds = Holds::of(&snapshot);
            Ok::<_, Problem>((Arc::new(Figures::new(rows, from.into(), &snapshot)?), holds))
        };
        Ok(Json(self.figures.get(key, work).await?))
    }
}
