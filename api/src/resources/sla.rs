//! The SLA: what is promised, what is owed, what was missed, and how fast exposures end.
mod model;
mod survival;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::schemas::exposure::{SlaClock, TimerState};
use crate::http::lookup as filter;
use crate::http::single_flight::{self as kept, Holds, Kept};
use crate::http::order::{ByRecorded, direction};
use crate::http::pages::{self as page, Turn};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::schemas::severity::Severity;
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{self, Instant, example_as_of};
use chrono::TimeDelta;
use model::{
    ForecastPage, SlaPolicies, SlaPolicy, Remediation, Timer, TimerPage, Violation, ViolationPage, ViolationState,
};
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use std::sync::Arc;
use store::read::Page;
use store::read::sla::{
    TimerFilter, TimerPlace, TimerRow, ViolationFilter, durations, open_timers, open_total,
    policies, stopped_timers, violations, violations_total,
};

/// How many days' advisories the remediation curve is about when the caller does not say.
const DEFAULT_DAYS: u32 = 30;

pub(crate) struct SlaApi {
    state: ApiState,
    /// Answers about remediation that still hold.
    remediation: Kept<Arc<Remediation>>,
}

failures! {
    /// A list.
    ListSla: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// What has no pages.
    ReadSla: InvalidParameter, UnknownParameter, AsOfInFuture
}

/// Deadline or end (milliseconds), customer, image, advisory, clock.
type Key = (Option<i64>, i64, i64, i64, String);

fn key(row: &TimerRow) -> Key {
    let place = row.place();
    let at = place.at.map(|at| at.timestamp_millis());
    (at, place.customer_id, place.image_id, place.advisory_id, place.clock)
}

fn place((ms, customer_id, image_id, advisory_id, clock): Key) -> Result<TimerPlace, Problem> {
    let at = ms.map(page::instant).transpose()?;
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

impl Resource for SlaApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listSlaPolicies", Access::Read),
        ("listSlaTimers", Access::Read),
        ("listSlaViolations", Access::Read),
        ("forecastSla", Access::Read),
        ("getRemediation", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        SlaApi { state: state.clone(), remediation: Kept::default() }
    }
}

#[OpenApi(tag = "Tag::Sla")]
impl SlaApi {
    /// List SLA policies
    ///
    /// What is promised: days by severity, what starts the clock, and what it waits for.
    #[oai(path = "/v1/sla/policies", method = "get", operation_id = "listSlaPolicies")]
    async fn policies(&self, caller: Caller) -> Result<Json<SlaPolicies>, Failure<ReadSla>> {
        let mut view = self.state.view(&caller, None).await?;
        let rows = policies(view.conn()).await?;
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
        /// Only timers of this customer: its namespace.
        #[oai(validator(min_length = 1, max_length = 128))]
        tenant: Query<Option<String>>,
        /// Only timers of this clock.
        clock: Query<Option<SlaClock>>,
        /// Only timers for advisories of this severity.
        severity: Query<Option<Severity>>,
        /// Only timers that stood so at that instant.
        state: Query<Option<TimerState>>,
        /// Only timers for this image: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        image: Query<Option<String>>,
        /// Only timers for this advisory: its CVE id.
        #[oai(validator(min_length = 1, max_length = 63))]
        cve: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many timers a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<TimerPage>, Failure<ListSla>> {
        let (clock, severity) = (clock.0.map(SlaClock::as_str), severity.0.map(Severity::as_str));
        let filters = (&tenant.0, clock, severity, state.0.map(|s| s as u8), &image.0, &cve.0);
        let list = ("timers", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.state, &caller, list, as_of.0, turning).await?;
        let tenant = filter::tenant(&mut turn.view, tenant.as_deref()).await?;
        let filter = TimerFilter {
            tenant_namespace: tenant.as_deref().or(caller.tenant()),
            clock,
            severity,
            image_id: filter::image(&mut turn.view, image.as_deref()).await?,
            advisory_id: filter::cve(&mut turn.view, cve.as_deref()).await?,
            state: state.0.and_then(stored),
            due_by: None,
        };
        let (moment, limit) = (turn.moment, turn.limit());
        let after = turn.after.clone().map(place).transpose()?;
        let conn = turn.view.conn();
        let Page { mut rows, total } = if state.0 == Some(TimerState::Stopped) {
            stopped_timers(conn, moment, &filter, after.as_ref(), limit).await?
        } else {
            open_timers(conn, moment, &filter, after.as_ref(), limit).await?
        };
        let next = turn.end(&mut rows, key)?;
        let items = rows.into_iter().map(|row| Timer::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(TimerPage::new(items, total, next, &turn.view)))
    }

    /// List SLA violations
    ///
    /// Deadlines that passed, by when an evaluation recorded it.
    #[oai(path = "/v1/sla/violations", method = "get", operation_id = "listSlaViolations")]
    async fn violations(
        &self,
        caller: Caller,
        /// Only violations towards this customer: its namespace.
        #[oai(validator(min_length = 1, max_length = 128))]
        tenant: Query<Option<String>>,
        /// Only violations of this clock.
        clock: Query<Option<SlaClock>>,
        /// Only violations for advisories of this severity.
        severity: Query<Option<Severity>>,
        /// Only violations that stood so at that instant.
        state: Query<Option<ViolationState>>,
        /// The order; `-recorded_at` when absent.
        order_by: Query<Option<ByRecorded>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many violations a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ViolationPage>, Failure<ListSla>> {
        let (clock, severity) = (clock.0.map(SlaClock::as_str), severity.0.map(Severity::as_str));
        let open = state.0.map(|state| state == ViolationState::Open);
        let direction = direction(order_by.0);
        let filters = (&tenant.0, clock, severity, open, direction.is_ascending());
        let list = ("violations", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.state, &caller, list, as_of.0, turning).await?;
        let tenant = filter::tenant(&mut turn.view, tenant.as_deref()).await?;
        let tenant_namespace = tenant.as_deref().or(caller.tenant());
        let filter = ViolationFilter { tenant_namespace, clock, severity, open, direction };
        let (moment, limit) = (turn.moment, turn.limit());
        let after = match turn.after.clone() {
            Some((ms, customer, image, advisory, clock)) => {
                let recorded = page::instant(ms.unwrap_or(i64::MAX))?;
                Some((recorded, customer, image, advisory, clock))
            }
            None => None,
        };
        let conn = turn.view.conn();
        let total = violations_total(conn, moment, &filter).await?;
        let mut rows = violations(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = turn.end(&mut rows, |row| {
            let ms = Some(row.recorded_at.timestamp_millis());
            (ms, row.customer_id, row.image_id, row.advisory_id, row.clock.clone())
        })?;
        let items = rows.into_iter().map(Violation::new).collect::<Result<_, _>>()?;
        Ok(Json(ViolationPage::new(items, total, next, &turn.view)))
    }

    /// Forecast overdue SLAs
    ///
    /// Timers that will be overdue by an instant if nothing changes, those that are already
    /// included, by deadline. Timers that stand still for want of a fix are not among them.
    #[oai(path = "/v1/sla/forecast", method = "get", operation_id = "forecastSla")]
    async fn forecast(
        &self,
        caller: Caller,
        /// By when.
        #[oai(example = "example_by")]
        by: Query<Instant>,
        /// Only timers of this customer: its namespace.
        #[oai(validator(min_length = 1, max_length = 128))]
        tenant: Query<Option<String>>,
        /// Only timers of this clock.
        clock: Query<Option<SlaClock>>,
        /// Only timers for advisories of this severity.
        severity: Query<Option<Severity>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many timers a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ForecastPage>, Failure<ListSla>> {
        let (clock, severity) = (clock.0.map(SlaClock::as_str), severity.0.map(Severity::as_str));
        let filters = (by.0.datetime().timestamp_millis(), &tenant.0, clock, severity);
        let list = ("forecast", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.state, &caller, list, as_of.0, turning).await?;
        let (moment, limit) = (turn.moment, turn.limit());
        if by.0.datetime() < moment.as_of {
            let detail = "The parameter `by` is wrong: it is earlier than the instant asked about.";
            return Err(Problem::new(Code::InvalidParameter, detail).into());
        }
        let tenant = filter::tenant(&mut turn.view, tenant.as_deref()).await?;
        let filter = TimerFilter {
            tenant_namespace: tenant.as_deref().or(caller.tenant()),
            clock,
            severity,
            due_by: Some(by.0.datetime()),
            ..TimerFilter::default()
        };
        let after = turn.after.clone().map(place).transpose()?;
        let conn = turn.view.conn();
        let due_by = Some(moment.as_of);
        let overdue = open_total(conn, moment, &TimerFilter { due_by, ..filter.clone() }).await?;
        let Page { mut rows, total } =
            open_timers(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = turn.end(&mut rows, key)?;
        let items = rows.into_iter().map(|row| Timer::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(ForecastPage::new(items, by.0, (total, overdue), next, &turn.view)))
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
        /// Only advisories published in so many days before that instant, 30 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "3650")))]
        days: Query<Option<u32>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<Arc<Remediation>>, Failure<ReadSla>> {
        let days = days.unwrap_or(DEFAULT_DAYS);
        let key = kept::Key {
            generation: self.state.view(&caller, as_of.0).await?.position.generation,
            tenant: caller.tenant().map(str::to_owned),
            days,
            as_of: as_of.0.map(|at| at.datetime()),
        };
        let work = async {
            let mut view = self.state.view(&caller, as_of.0).await?;
            let at = view.moment.as_of;
            let from = at - TimeDelta::days(i64::from(days));
            let rows = durations(view.conn(), at, from).await?;
            let holds = match (view.moment.newest, view.settled()) {
                (true, _) => Holds::AWhile,
                (false, true) => Holds::Ever,
                (false, false) => Holds::Once,
            };
            Ok::<_, Problem>((Arc::new(Remediation::new(rows, from.into(), &view)?), holds))
        };
        Ok(Json(self.remediation.get(key, work).await?))
    }
}

fn example_by() -> Instant {
    time::example(24 * 24)
}
