//! The SLA engine in SQL: every evaluation looks only at what changed since the one before, so its
//! cost follows what happened and not how many timers exist.
//!
//! The order within an evaluation matters and is the kernel's: open, start, stop, warn, breach.
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use sim::fact::{Clock, SlaCheck, TimerRef};
use sim::ids::{AdvisoryId, CustomerId, ImageId};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

const OPEN: &str = include_str!("sla/open.sql");
const START: &str = include_str!("sla/start.sql");
const STOP: &str = include_str!("sla/stop.sql");
const WARN: &str = include_str!("sla/warn.sql");
const BREACH: &str = include_str!("sla/breach.sql");
const FOUND: &str = include_str!("sla/found.sql");

/// Tells the planner, for this transaction, what it cannot know: every statement here begins with
/// the few rows of one interval, however large the tables are or have grown since they were last
/// analyzed. So it keeps one generic plan a statement, of nested loops over index scans; planning
/// anew for each evaluation would cost more than running it.
pub async fn plan_for_few_rows(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(
        "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;
         SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;
         SET LOCAL enable_mergejoin = off; SET LOCAL max_parallel_workers_per_gather = 0",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Evaluates all timers at `at`, `previous` being the evaluation before, and gives what it found,
/// each list in the order of [`TimerRef`]. Repeating an evaluation changes nothing and gives the
/// same lists.
pub async fn evaluate(
    conn: &mut PgConnection,
    previous: SimTime,
    at: SimTime,
) -> Result<SlaCheck, Error> {
    let (from, to) = (instant(previous)?, instant(at)?);
    for step in [OPEN, START, STOP, WARN, BREACH] {
        sqlx::query(step).bind(from).bind(to).execute(&mut *conn).await?;
    }
    found(conn, previous, at).await
}

/// What the evaluation of `(previous, at]` wrote, as the kernel's fact lists it.
pub async fn found(
    conn: &mut PgConnection,
    previous: SimTime,
    at: SimTime,
) -> Result<SlaCheck, Error> {
    let rows =
        sqlx::query(FOUND).bind(instant(previous)?).bind(instant(at)?).fetch_all(conn).await?;
    let mut check = SlaCheck {
        previous,
        opened: Vec::new(),
        excluded: Vec::new(),
        stopped: Vec::new(),
        at_risk: Vec::new(),
        breached: Vec::new(),
        resolved: Vec::new(),
    };
    for row in rows {
        let timer = TimerRef {
            customer: CustomerId(number::<i64, _>(
                "sla_timers.customer_id",
                row.try_get("customer_id")?,
            )?),
            image: ImageId(number::<i64, _>("sla_timers.image_id", row.try_get("image_id")?)?),
            advisory: AdvisoryId(number::<i64, _>(
                "sla_timers.advisory_id",
                row.try_get("advisory_id")?,
            )?),
            clock: match row.try_get("clock")? {
                "provider" => Clock::Provider,
                "customer" => Clock::Customer,
                other => return Err(Error::unknown("sla_timers.clock", other)),
            },
        };
        match row.try_get("list")? {
            "opened" => check.opened.push(timer),
            "excluded" => check.excluded.push(timer),
            "stopped" => check.stopped.push(timer),
            "at_risk" => check.at_risk.push(timer),
            "breached" => check.breached.push(timer),
            "resolved" => check.resolved.push(timer),
            other => return Err(Error::unknown("the list of an evaluation", other)),
        }
    }
    for list in [
        &mut check.opened,
        &mut check.excluded,
        &mut check.stopped,
        &mut check.at_risk,
        &mut check.breached,
        &mut check.resolved,
    ] {
        list.sort_unstable();
    }
    Ok(check)
}
