//! What the program has written, and what the oracle expects there, both as named values by key: so
//! that they are compared row by row, and a difference is told whole.
use super::calendar::shown;
use super::history::{FOREVER, World};
use super::inputs::{ms, rows};
use super::rules::{Clock, Decisions, Timer, TimerKey, Timers};
use super::told::{Notifications, PLATFORM};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// A row: its values by column.
pub(super) type Row = Vec<(&'static str, String)>;

/// A table: its rows by what names them.
pub(super) type Table = BTreeMap<String, Row>;

type At = DateTime<Utc>;

/// How many differences a message shows of each table.
const SHOWN: usize = 5;

/// Each row of which the two do not say the same.
pub(super) fn differences(world: &World, table: &str, oracle: &Table, program: &Table) -> String {
    let keys: BTreeSet<&String> = oracle.keys().chain(program.keys()).collect();
    let all = keys.len();
    let wrong: Vec<&String> =
        keys.into_iter().filter(|key| oracle.get(*key) != program.get(*key)).collect();
    let mut said = String::new();
    for key in wrong.iter().take(SHOWN) {
        let (expected, found) = (oracle.get(*key), program.get(*key));
        let columns = match (expected, found) {
            (Some(expected), Some(found)) => {
                let pairs = expected.iter().zip(found).filter(|(one, other)| one != other);
                pairs.map(|(one, _)| one.0).collect::<Vec<_>>().join(", ")
            }
            (Some(_), None) => "the program does not have it".to_owned(),
            _ => "the oracle does not have it".to_owned(),
        };
        said += &format!("\n{table} {key}: {columns}");
        said += &format!("\n  oracle:  {}\n  program: {}", line(expected), line(found));
    }
    if !wrong.is_empty() {
        let (scenario, seed) = (&world.name, world.seed);
        let differ = format!("{} of {all} rows of {table} differ", wrong.len());
        said = format!("\n{scenario}, seed {seed}: {differ}{said}");
    }
    said
}

fn line(row: Option<&Row>) -> String {
    let Some(row) = row else { return "-".to_owned() };
    let values = row.iter().map(|(column, value)| format!("{column}={value}"));
    values.collect::<Vec<_>>().join(" ")
}

fn optional(at: Option<i64>) -> String {
    at.map_or("-".to_owned(), shown)
}

fn column(at: Option<At>) -> String {
    optional(at.map(ms))
}

fn named(customer: i64, image: i64, advisory: i64, clock: &str, episode: usize) -> String {
    format!("customer {customer}, image {image}, advisory {advisory}, {clock}, episode {episode}")
}

fn key(key: &TimerKey) -> String {
    let clock = match key.clock {
        Clock::Customer => "customer",
        Clock::Provider => "provider",
    };
    named(key.customer, key.image, key.advisory, clock, key.episode)
}

fn decided(excluded: Option<bool>) -> String {
    excluded.map_or("undecided".to_owned(), |excluded| excluded.to_string())
}

pub(super) fn expected_timers(world: &World, timers: &Timers) -> Table {
    let row = |(named, timer): (&TimerKey, &Timer)| {
        let row = vec![
            ("tenant", world.customers[&named.customer].tenant.clone()),
            ("policy", timer.policy.to_string()),
            ("severity", timer.severity.clone()),
            ("opened_at", shown(timer.opened)),
            ("counts_from", shown(timer.counts_from)),
            ("started_at", optional(timer.started)),
            ("warn_at", optional(timer.warn)),
            ("due_at", optional(timer.due)),
            ("stopped_at", optional(timer.stopped.map(|(at, _)| at))),
            ("stop_reason", timer.stopped.map_or("-", |(_, why)| why).to_owned()),
            ("excluded", decided(timer.excluded)),
            ("warned_at", optional(timer.warned)),
            ("breached_at", optional(timer.breached)),
        ];
        (key(named), row)
    };
    timers.timers.iter().map(row).collect()
}

pub(super) async fn timers(conn: &mut PgConnection) -> Table {
    #[derive(sqlx::FromRow)]
    struct Columns {
        customer_id: i64,
        image_id: i64,
        advisory_id: i64,
        clock: String,
        episode: i32,
        tenant_namespace: String,
        policy_id: i64,
        severity: String,
        opened_at: At,
        counts_from: At,
        started_at: Option<At>,
        warn_at: Option<At>,
        due_at: Option<At>,
        stopped_at: Option<At>,
        stop_reason: Option<String>,
        excluded: bool,
        undecided: bool,
        warned_at: Option<At>,
        breached_at: Option<At>,
    }
    let sql = "SELECT * FROM sla_timers";
    let row = |timer: Columns| {
        let (customer, image, advisory) = (timer.customer_id, timer.image_id, timer.advisory_id);
        let key = named(customer, image, advisory, &timer.clock, episode_number(timer.episode));
        let row = vec![
            ("tenant", timer.tenant_namespace),
            ("policy", timer.policy_id.to_string()),
            ("severity", timer.severity),
            ("opened_at", shown(ms(timer.opened_at))),
            ("counts_from", shown(ms(timer.counts_from))),
            ("started_at", column(timer.started_at)),
            ("warn_at", column(timer.warn_at)),
            ("due_at", column(timer.due_at)),
            ("stopped_at", column(timer.stopped_at)),
            ("stop_reason", timer.stop_reason.unwrap_or("-".to_owned())),
            ("excluded", decided((!timer.undecided).then_some(timer.excluded))),
            ("warned_at", column(timer.warned_at)),
            ("breached_at", column(timer.breached_at)),
        ];
        (key, row)
    };
    rows::<Columns>(conn, sql).await.into_iter().map(row).collect()
}

fn episode_number(episode: i32) -> usize {
    usize::try_from(episode).expect("a number of an episode")
}

pub(super) fn expected_violations(world: &World, timers: &Timers) -> Table {
    let row = |(named, timer): (&TimerKey, &Timer)| {
        let recorded = timer.breached?;
        let resolved = timer.resolved(world);
        let row = vec![
            ("tenant", world.customers[&named.customer].tenant.clone()),
            ("severity", timer.severity.clone()),
            ("due_at", optional(timer.due)),
            ("recorded_at", shown(recorded)),
            ("resolved_at", optional(resolved.map(|(at, _)| at))),
            ("resolution_recorded_at", optional(resolved.map(|(_, seen)| seen))),
        ];
        Some((key(named), row))
    };
    timers.timers.iter().filter_map(row).collect()
}

pub(super) async fn violations(conn: &mut PgConnection) -> Table {
    type Columns = (i64, i64, i64, String, i32, String, String, At, At, Option<At>, Option<At>);
    let sql =
        "SELECT customer_id, image_id, advisory_id, clock, episode, tenant_namespace, severity,
                      due_at, recorded_at, resolved_at, resolution_recorded_at
               FROM sla_violations";
    let row = |columns: Columns| {
        let (customer, image, advisory, clock, episode, tenant, severity, ..) = columns;
        let (.., due, recorded, resolved, seen) = columns;
        let row = vec![
            ("tenant", tenant),
            ("severity", severity),
            ("due_at", shown(ms(due))),
            ("recorded_at", shown(ms(recorded))),
            ("resolved_at", column(resolved)),
            ("resolution_recorded_at", column(seen)),
        ];
        (named(customer, image, advisory, &clock, episode_number(episode)), row)
    };
    rows::<Columns>(conn, sql).await.into_iter().map(row).collect()
}

pub(super) fn expected_notifications(world: &World, told: &Notifications) -> Table {
    let ids = world.customers.iter().map(|(id, customer)| (customer.tenant.as_str(), *id));
    let ids: BTreeMap<&str, i64> = ids.collect();
    let row = |((at, receiver, kind), items): (&(i64, String, &str), &usize)| {
        let customer = ids.get(receiver.as_str()).map(i64::to_string);
        assert!(customer.is_some() || receiver == PLATFORM, "{receiver} is nobody");
        let row = vec![
            ("customer", customer.unwrap_or("-".to_owned())),
            ("items", items.to_string()),
            ("count", items.to_string()),
        ];
        (format!("{} {receiver} {kind}", shown(*at)), row)
    };
    told.iter().map(row).collect()
}

/// Two of one instant, receiver and kind are told apart, so that neither hides the other.
pub(super) async fn notifications(conn: &mut PgConnection) -> Table {
    type Columns = (At, String, String, Option<i64>, i32, Option<String>);
    let sql = "SELECT at, tenant_namespace, kind, customer_id, items, body ->> 'count'
               FROM notifications ORDER BY id";
    let mut table = Table::new();
    for (at, receiver, kind, customer, items, count) in rows::<Columns>(conn, sql).await {
        let row = vec![
            ("customer", customer.map_or("-".to_owned(), |customer| customer.to_string())),
            ("items", items.to_string()),
            ("count", count.unwrap_or("-".to_owned())),
        ];
        let mut key = format!("{} {receiver} {kind}", shown(ms(at)));
        while table.contains_key(&key) {
            key += " again";
        }
        table.insert(key, row);
    }
    table
}

/// Of what any timer hangs on: about others nothing has to be written down.
pub(super) fn expected_decisions(timers: &Timers, decisions: &Decisions, also: &Table) -> Table {
    let hangs = |(key, timer): (&TimerKey, &Timer)| (key.advisory, timer.policy);
    let needed: BTreeSet<(i64, i64)> = timers.timers.iter().map(hangs).collect();
    let mut table = Table::new();
    for (about, decision) in decisions {
        let key = format!("advisory {}, policy {}", about.0, about.1);
        if needed.contains(about) || also.contains_key(&key) {
            let row = vec![
                ("decided_at", shown(decision.at)),
                ("images_hit", decision.images_hit.to_string()),
                ("images", decision.images.to_string()),
                ("excluded", decision.excluded.to_string()),
            ];
            table.insert(key, row);
        }
    }
    table
}

pub(super) async fn decisions(conn: &mut PgConnection) -> Table {
    let sql = "SELECT advisory_id, policy_id, decided_at, images_hit::bigint, images::bigint,
                      excluded FROM mass_event_decisions";
    let row = |(advisory, policy, at, hit, images, excluded): (i64, i64, At, i64, i64, bool)| {
        let row = vec![
            ("decided_at", shown(ms(at))),
            ("images_hit", hit.to_string()),
            ("images", images.to_string()),
            ("excluded", excluded.to_string()),
        ];
        (format!("advisory {advisory}, policy {policy}"), row)
    };
    rows(conn, sql).await.into_iter().map(row).collect()
}

/// When findings were resolved: what the contents of versions say, and what the column says, of
/// findings that nobody had judged by then. Of what was found after a version without it was out, the
/// document does not say which of these versions counts: only that one came before.
pub(super) fn resolutions(world: &World) -> (Table, Table) {
    let (mut oracle, mut program) = (Table::new(), Table::new());
    for (id, image) in &world.images {
        for finding in &image.findings {
            let judged = image.judged.get(&finding.advisory).copied().unwrap_or(FOREVER);
            if judged <= finding.found || judged <= finding.resolved && judged < FOREVER {
                continue;
            }
            let told = |at: Option<i64>| match at {
                Some(at) if at <= finding.found => "before it was found".to_owned(),
                at => optional(at),
            };
            let resolved = (finding.resolved < FOREVER).then_some(finding.resolved);
            let (version, package) = (finding.version, finding.package);
            let key =
                format!("image {id}:{version}, advisory {}, package {package}", finding.advisory);
            oracle.insert(key.clone(), vec![("resolved_at", told(resolved))]);
            program.insert(key, vec![("resolved_at", told(finding.resolved_column))]);
        }
    }
    (oracle, program)
}

#[cfg(test)]
pub(super) fn table(rows: &[(&str, &str)]) -> Table {
    rows.iter()
        .map(|(key, value)| ((*key).to_owned(), vec![("value", (*value).to_owned())]))
        .collect()
}
