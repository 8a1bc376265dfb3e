//! The SLA engine in SQL: every evaluation looks only at what changed since the one before, so its
//! cost follows what happened and not how many timers exist.
//!
//! The order within an evaluation matters and is the kernel's: open, start, stop (and what opens and
//! stops again after that), warn, breach, decide.
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use sim::fact::{Clock, MassEventDecision, SlaCheck, TimerRef};
use sim::ids::{AdvisoryId, CustomerId, ImageId, PolicyId};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

const OPEN: &str = include_str!("sla/open.sql");
const START: &str = include_str!("sla/start.sql");
const BEGUN_ANEW: &str = include_str!("sla/begun_anew.sql");
const STOP: &str = include_str!("sla/stop.sql");
const WARN: &str = include_str!("sla/warn.sql");
const BREACH: &str = include_str!("sla/breach.sql");
const DECIDE: &str = include_str!("sla/decide.sql");
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
    for step in [OPEN, START, STOP] {
        sqlx::query(step).bind(from).bind(to).execute(&mut *conn).await?;
    }
    // An exposure that ended may have begun anew, even more than once between two evaluations.
    while sqlx::query_scalar(BEGUN_ANEW).bind(from).bind(to).fetch_one(&mut *conn).await?
        && sqlx::query(OPEN).bind(from).bind(to).execute(&mut *conn).await?.rows_affected() > 0
    {
        sqlx::query(STOP).bind(from).bind(to).execute(&mut *conn).await?;
    }
    for step in [WARN, BREACH, DECIDE] {
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
    let rows = sqlx::query(FOUND)
        .bind(instant(previous)?)
        .bind(instant(at)?)
        .fetch_all(&mut *conn)
        .await?;
    let mut check = SlaCheck {
        previous,
        opened: Vec::new(),
        decided: decisions(conn, at).await?,
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
            episode: number::<i32, _>("sla_timers.episode", row.try_get("episode")?)?,
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

/// What the evaluation at `at` decided about mass events, by advisory and policy.
async fn decisions(conn: &mut PgConnection, at: SimTime) -> Result<Vec<MassEventDecision>, Error> {
    let rows = sqlx::query(
        "SELECT advisory_id, policy_id, images_hit, images, excluded FROM mass_event_decisions
         WHERE decided_at = $1 ORDER BY advisory_id, policy_id",
    )
    .bind(instant(at)?)
    .fetch_all(conn)
    .await?;
    let decision = |row: &sqlx::postgres::PgRow| {
        let id = |column: &'static str| Ok::<_, Error>(row.try_get::<i64, _>(column)?);
        let count = |column: &'static str| Ok::<_, Error>(row.try_get::<i32, _>(column)?);
        Ok(MassEventDecision {
            advisory: AdvisoryId(number("mass_event_decisions.advisory_id", id("advisory_id")?)?),
            policy: PolicyId(number("mass_event_decisions.policy_id", id("policy_id")?)?),
            images_hit: number("mass_event_decisions.images_hit", count("images_hit")?)?,
            images: number("mass_event_decisions.images", count("images")?)?,
            excluded: row.try_get("excluded")?,
        })
    };
    rows.iter().map(decision).collect()
}
