//! The rules of the SLA engine, each on rows made by hand.
use super::fixture::{Fixture, day, timer};
use super::support::database;
use chrono::{DateTime, Utc};
use sim::fact::Clock::{Customer, Provider};
use sim::fact::{SlaCheck, TimerRef};
use sim::time::SimTime;
use store::sla::{evaluate, plan_for_few_rows};

/// Evaluates at an instant, `hours` after the evaluation before (without a gap where it matters);
/// twice, which must not differ.
async fn check(fixture: &Fixture, at: DateTime<Utc>, hours: i64) -> SlaCheck {
    let to = SimTime::from_datetime(at);
    let from = SimTime(to.0 - hours * 3_600_000);
    let mut tx = fixture.pool.begin().await.unwrap();
    plan_for_few_rows(&mut tx).await.unwrap();
    let first = evaluate(&mut tx, from, to).await.unwrap();
    let second = evaluate(&mut tx, from, to).await.unwrap();
    assert_eq!(first, second, "repeating an evaluation changes nothing");
    tx.commit().await.unwrap();
    first
}

const NONE: [TimerRef; 0] = [];

async fn column(fixture: &Fixture, column: &str, clock: &str) -> Option<DateTime<Utc>> {
    let sql = format!("SELECT {column} FROM sla_timers WHERE clock = '{clock}'");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&fixture.pool).await.unwrap()
}

async fn reason(fixture: &Fixture, clock: &str) -> Option<String> {
    sqlx::query_scalar("SELECT stop_reason FROM sla_timers WHERE clock = $1")
        .bind(clock)
        .fetch_one(&fixture.pool)
        .await
        .unwrap()
}

/// Image 0 has version 1, which customer 0 runs since day 1 at 08:00; advisory 0 (critical) was
/// published on day 2 at 06:00, its fix on day 2 at 09:00, and found on day 2 at 10:00.
async fn found() -> Fixture {
    let mut fixture = Fixture::new(database().await).await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.uses(0, 0, 1, day(1, "08:00")).await;
    fixture.advisory(0, "critical", day(2, "06:00"), Some(day(2, "09:00"))).await;
    fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
    fixture
}

#[tokio::test]
async fn both_timers_open_warn_and_breach() {
    let fixture = found().await;
    let both = [timer(0, 0, 0, Provider), timer(0, 0, 0, Customer)];
    assert_eq!(check(&fixture, day(2, "09:59"), 1).await.opened, NONE, "not found yet");
    let opened = check(&fixture, day(2, "10:00"), 1).await;
    assert_eq!(opened.opened, both, "found at exactly that instant");
    assert_eq!(column(&fixture, "started_at", "provider").await, Some(day(2, "09:00")));
    assert_eq!(column(&fixture, "due_at", "provider").await, Some(day(9, "09:00")));
    // Three quarters of 7 days: 5 days and 6 hours.
    assert_eq!(column(&fixture, "warn_at", "customer").await, Some(day(7, "15:00")));
    let warned = check(&fixture, day(7, "15:00"), 1).await;
    assert_eq!((&warned.at_risk[..], &warned.breached[..]), (&both[..], &NONE[..]));
    let late = check(&fixture, day(9, "09:30"), 1).await;
    assert_eq!((&late.breached[..], &late.at_risk[..]), (&both[..], &NONE[..]));
    let after = check(&fixture, day(9, "10:30"), 1).await;
    assert_eq!((after.breached, after.at_risk), (vec![], vec![]), "said once");
}

#[tokio::test]
async fn the_provider_timer_stops_when_every_finding_is_fixed() {
    let mut fixture = found().await;
    fixture.finding(0, 1, 0, 1, day(2, "10:00")).await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(3, "10:00")).await;
    fixture.resolve(0, 0, 0, 2, day(3, "10:00")).await;
    assert_eq!(check(&fixture, day(3, "11:00"), 24).await.stopped, NONE, "package 1 is left");
    fixture.version(0, 3, day(3, "12:00")).await;
    fixture.resolve(0, 0, 1, 3, day(3, "12:00")).await;
    let stopped = check(&fixture, day(3, "13:00"), 2).await;
    assert_eq!(stopped.stopped, [timer(0, 0, 0, Provider)], "the customer runs version 1 still");
    assert_eq!(column(&fixture, "stopped_at", "provider").await, Some(day(3, "12:00")));
    assert_eq!(reason(&fixture, "provider").await.as_deref(), Some("fixed"));
    assert_eq!(stopped.resolved, NONE, "nothing was breached");
}

#[tokio::test]
async fn a_fix_that_adds_another_finding_stops_no_timer() {
    let mut fixture = found().await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(3, "10:00")).await;
    fixture.resolve(0, 0, 0, 2, day(3, "10:00")).await;
    fixture.finding(0, 2, 0, 1, day(3, "10:00")).await;
    assert_eq!(check(&fixture, day(3, "11:00"), 24).await.stopped, NONE);
    fixture.version(0, 3, day(4, "10:00")).await;
    fixture.resolve(0, 0, 1, 3, day(4, "10:00")).await;
    assert_eq!(check(&fixture, day(4, "11:00"), 24).await.stopped, [timer(0, 0, 0, Provider)]);
    assert_eq!(column(&fixture, "stopped_at", "provider").await, Some(day(4, "10:00")));
}

#[tokio::test]
async fn a_stopped_timer_stays_stopped_and_a_new_exposure_is_an_episode() {
    let mut fixture = found().await;
    fixture.sql("UPDATE sla_policies SET on_reexposure = 'restart'").await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(3, "10:00")).await;
    fixture.resolve(0, 0, 0, 2, day(3, "10:00")).await;
    fixture.uses(0, 0, 2, day(3, "10:20")).await;
    // Within the hour another version brings it back: the stop counts all the same.
    fixture.version(0, 3, day(3, "10:30")).await;
    fixture.finding(0, 3, 0, 0, day(3, "10:30")).await;
    fixture.uses(0, 0, 3, day(3, "10:40")).await;
    let both = [timer(0, 0, 0, Provider), timer(0, 0, 0, Customer)];
    let found = check(&fixture, day(3, "11:00"), 24).await;
    assert_eq!(found.stopped, both);
    assert_eq!(found.opened, [later(timer(0, 0, 0, Provider)), later(timer(0, 0, 0, Customer))]);
    assert_eq!(column(&fixture, "stopped_at", "customer").await, Some(day(3, "10:20")));
    assert_eq!(reason(&fixture, "customer").await.as_deref(), Some("adopted"));
}

#[tokio::test]
async fn a_not_affected_decision_stops_both_timers() {
    let fixture = found().await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.judge(0, 0, day(2, "15:00")).await;
    let both = [timer(0, 0, 0, Provider), timer(0, 0, 0, Customer)];
    assert_eq!(check(&fixture, day(2, "14:59"), 4).await.stopped, NONE);
    assert_eq!(check(&fixture, day(2, "16:00"), 2).await.stopped, both);
    for clock in ["provider", "customer"] {
        assert_eq!(reason(&fixture, clock).await.as_deref(), Some("not_affected"));
        assert_eq!(column(&fixture, "stopped_at", clock).await, Some(day(2, "15:00")));
    }
}

#[tokio::test]
async fn not_affected_findings_open_no_timer() {
    let mut fixture = found().await;
    fixture.judge(0, 0, day(2, "10:00")).await;
    assert_eq!(check(&fixture, day(2, "11:00"), 2).await.opened, NONE, "decided at that instant");
    fixture.version(0, 2, day(3, "00:00")).await;
    fixture.finding(0, 2, 0, 0, day(3, "00:00")).await;
    fixture.uses(0, 0, 2, day(3, "01:00")).await;
    assert_eq!(check(&fixture, day(3, "02:00"), 15).await.opened, NONE, "for every version");
}

#[tokio::test]
async fn a_late_fix_breaches_and_resolves_at_once() {
    let mut fixture = found().await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(9, "09:20")).await;
    fixture.resolve(0, 0, 0, 2, day(9, "09:20")).await;
    let late = check(&fixture, day(9, "10:00"), 167).await;
    assert_eq!(late.stopped, [timer(0, 0, 0, Provider)]);
    assert_eq!(late.breached, [timer(0, 0, 0, Provider), timer(0, 0, 0, Customer)]);
    assert_eq!(late.resolved, [timer(0, 0, 0, Provider)]);
    assert_eq!(late.at_risk, NONE, "what stopped is not at risk, and a breach says it all");
    fixture.uses(0, 0, 2, day(9, "12:00")).await;
    let later = check(&fixture, day(9, "13:00"), 3).await;
    assert_eq!(later.stopped, [timer(0, 0, 0, Customer)]);
    assert_eq!(later.resolved, [timer(0, 0, 0, Customer)]);
    assert_eq!(later.breached, NONE);
    let resolved: Vec<DateTime<Utc>> =
        sqlx::query_scalar("SELECT resolved_at FROM sla_violations ORDER BY 1")
            .fetch_all(&fixture.pool)
            .await
            .unwrap();
    assert_eq!(resolved, [day(9, "09:20"), day(9, "12:00")]);
}

#[tokio::test]
async fn a_fix_at_the_deadline_meets_it() {
    let mut fixture = found().await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(9, "09:00")).await;
    fixture.resolve(0, 0, 0, 2, day(9, "09:00")).await;
    let found = check(&fixture, day(9, "09:00"), 24).await;
    assert_eq!(found.stopped, [timer(0, 0, 0, Provider)]);
    assert_eq!(found.breached, [timer(0, 0, 0, Customer)]);
}

#[tokio::test]
async fn a_timer_is_paused_until_there_is_a_fix() {
    let mut fixture = Fixture::new(database().await).await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.uses(0, 0, 1, day(1, "08:00")).await;
    fixture.advisory(0, "high", day(2, "06:00"), Some(day(4, "09:00"))).await;
    fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
    assert_eq!(check(&fixture, day(2, "11:00"), 2).await.opened.len(), 2);
    assert_eq!(column(&fixture, "started_at", "provider").await, None, "the fix is not out yet");
    check(&fixture, day(4, "09:00"), 48).await;
    assert_eq!(column(&fixture, "started_at", "provider").await, Some(day(4, "09:00")));
    assert_eq!(column(&fixture, "due_at", "customer").await, Some(day(11, "09:00")));
}

#[tokio::test]
async fn a_timer_stopped_before_its_fix_never_runs() {
    let mut fixture = Fixture::new(database().await).await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.uses(0, 0, 1, day(1, "08:00")).await;
    fixture.advisory(0, "high", day(2, "06:00"), Some(day(2, "14:00"))).await;
    fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
    fixture.judge(0, 0, day(2, "12:00")).await;
    let all = check(&fixture, day(2, "15:00"), 6).await;
    assert_eq!((all.opened.len(), all.stopped.len()), (2, 2));
    assert_eq!(column(&fixture, "started_at", "provider").await, None);
    assert_eq!(check(&fixture, day(20, "00:00"), 24).await.breached, NONE);
}

#[tokio::test]
async fn each_clock_start_policy() {
    for (start, pause, fix, expected) in [
        ("published", false, None, Some(day(2, "06:00"))),
        ("published", true, None, None),
        ("published", true, Some(day(2, "09:00")), Some(day(2, "09:00"))),
        ("detected", false, None, Some(day(2, "10:00"))),
        ("detected", true, Some(day(2, "09:00")), Some(day(2, "10:00"))),
        ("fix_available", false, Some(day(2, "06:30")), Some(day(2, "06:30"))),
        ("fix_available", false, None, None),
    ] {
        let mut fixture = Fixture::new(database().await).await;
        fixture
            .sql(&format!(
                "UPDATE sla_policies SET clock_start = '{start}', pause_without_fix = {pause}"
            ))
            .await;
        fixture.version(0, 1, day(1, "00:00")).await;
        fixture.uses(0, 0, 1, day(1, "08:00")).await;
        fixture.advisory(0, "high", day(2, "06:00"), fix).await;
        fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
        check(&fixture, day(2, "11:00"), 2).await;
        for clock in ["provider", "customer"] {
            let started = column(&fixture, "started_at", clock).await;
            assert_eq!(started, expected, "{start}, pause {pause}, {clock}");
        }
    }
}

#[tokio::test]
async fn a_later_customers_timers_start_with_its_usage() {
    let mut fixture = found().await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.uses(1, 0, 1, day(3, "10:00")).await;
    let new = check(&fixture, day(3, "11:00"), 24).await;
    assert_eq!(new.opened, [timer(1, 0, 0, Provider), timer(1, 0, 0, Customer)]);
    let started: Vec<DateTime<Utc>> =
        sqlx::query_scalar("SELECT started_at FROM sla_timers WHERE customer_id = 1")
            .fetch_all(&fixture.pool)
            .await
            .unwrap();
    assert_eq!(started, [day(3, "10:00"); 2]);
    // A version that is fixed already is the customer's own affair.
    fixture.version(1, 1, day(1, "00:00")).await;
    fixture.version(1, 2, day(2, "00:00")).await;
    fixture.finding(1, 1, 0, 0, day(2, "10:00")).await;
    fixture
        .sql(
            "UPDATE cve_findings SET resolved_at = '2026-01-06Z', resolved_version = 2
              WHERE image_id = 1",
        )
        .await;
    fixture.uses(0, 1, 1, day(3, "12:00")).await;
    assert_eq!(check(&fixture, day(3, "13:00"), 2).await.opened, [timer(0, 1, 0, Customer)]);
}

#[tokio::test]
async fn severities_without_a_time_limit_have_no_timer() {
    let mut fixture = Fixture::new(database().await).await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.uses(0, 0, 1, day(1, "08:00")).await;
    fixture.advisory(0, "low", day(2, "06:00"), Some(day(2, "09:00"))).await;
    fixture.finding(0, 1, 0, 0, day(2, "10:00")).await;
    assert_eq!(check(&fixture, day(2, "11:00"), 2).await.opened, NONE);
}

/// The next episode of a timer.
fn later(timer: TimerRef) -> TimerRef {
    TimerRef { episode: timer.episode + 1, ..timer }
}

/// What a customer is owed that goes back to the affected version 1 on day 5 at 00:00, having run the
/// fixed version 2 since day 4: the timers that open, and when they started and are due.
async fn back_again(on_reexposure: &str) -> (Fixture, Vec<TimerRef>) {
    let mut fixture = found().await;
    fixture.sql(&format!("UPDATE sla_policies SET on_reexposure = '{on_reexposure}'")).await;
    check(&fixture, day(2, "11:00"), 2).await;
    fixture.version(0, 2, day(3, "10:00")).await;
    fixture.resolve(0, 0, 0, 2, day(3, "10:00")).await;
    fixture.uses(0, 0, 2, day(4, "00:00")).await;
    assert_eq!(check(&fixture, day(4, "01:00"), 38).await.stopped.len(), 2);
    fixture.uses(0, 0, 1, day(5, "00:00")).await;
    let opened = check(&fixture, day(5, "01:00"), 24).await.opened;
    (fixture, opened)
}

async fn of_episode(fixture: &Fixture, column: &str, episode: i32) -> Option<DateTime<Utc>> {
    let sql = format!("SELECT {column} FROM sla_timers WHERE clock = 'customer' AND episode = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(episode)
        .fetch_one(&fixture.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_episode_continues_the_clock_of_the_one_before() {
    let (fixture, opened) = back_again("continue").await;
    assert_eq!(opened, [later(timer(0, 0, 0, Customer))], "the provider has published its fix");
    assert_eq!(of_episode(&fixture, "opened_at", 2).await, Some(day(5, "00:00")));
    assert_eq!(of_episode(&fixture, "started_at", 2).await, Some(day(2, "09:00")));
    assert_eq!(of_episode(&fixture, "due_at", 2).await, Some(day(9, "09:00")));
    assert_eq!(of_episode(&fixture, "stopped_at", 1).await, Some(day(4, "00:00")), "as it was");
    let late = check(&fixture, day(9, "10:00"), 105).await;
    assert_eq!(late.breached, [later(timer(0, 0, 0, Customer))]);
}

#[tokio::test]
async fn a_new_episode_restarts_the_clock() {
    let (fixture, opened) = back_again("restart").await;
    assert_eq!(opened, [later(timer(0, 0, 0, Customer))]);
    assert_eq!(of_episode(&fixture, "started_at", 2).await, Some(day(5, "00:00")));
    assert_eq!(of_episode(&fixture, "due_at", 2).await, Some(day(12, "00:00")));
}

#[tokio::test]
async fn a_policy_may_owe_no_second_episode() {
    let (_, opened) = back_again("ignore").await;
    assert_eq!(opened, NONE);
}

#[tokio::test]
async fn episodes_between_two_evaluations_are_all_seen() {
    let mut fixture = found().await;
    fixture.sql("UPDATE sla_policies SET on_reexposure = 'restart'").await;
    fixture.version(0, 2, day(3, "10:00")).await;
    fixture.resolve(0, 0, 0, 2, day(3, "10:00")).await;
    for (n, version) in [2, 1, 2, 1].into_iter().enumerate() {
        fixture.uses(0, 0, version, day(4 + n as u32, "00:00")).await;
    }
    let all = check(&fixture, day(8, "00:00"), 200).await;
    let first = timer(0, 0, 0, Customer);
    let episodes = [first, later(first), later(later(first))];
    let provider = timer(0, 0, 0, Provider);
    assert_eq!(all.opened, [&[provider][..], &episodes[..]].concat());
    assert_eq!(all.stopped, [&[provider][..], &episodes[..2]].concat());
    assert_eq!(of_episode(&fixture, "opened_at", 3).await, Some(day(7, "00:00")));
    let again = check(&fixture, day(8, "00:00"), 200).await;
    assert_eq!(again.opened, all.opened, "a repeated evaluation opens nothing more");
    assert_eq!(again.stopped, all.stopped);
}

#[tokio::test]
async fn a_timer_that_opens_overdue_is_breached_and_not_at_risk() {
    let mut fixture = Fixture::new(database().await).await;
    fixture.sql("UPDATE sla_policies SET clock_start = 'published', critical_days = 1").await;
    fixture.version(0, 1, day(1, "00:00")).await;
    fixture.uses(0, 0, 1, day(1, "00:00")).await;
    fixture.advisory(0, "critical", day(2, "00:00"), None).await;
    fixture.finding(0, 1, 0, 0, day(12, "00:00")).await;
    let found = check(&fixture, day(12, "00:00"), 1).await;
    let both = [timer(0, 0, 0, Provider), timer(0, 0, 0, Customer)];
    assert_eq!((&found.breached[..], &found.at_risk[..]), (&both[..], &NONE[..]));
    assert_eq!(column(&fixture, "due_at", "customer").await, Some(day(3, "00:00")));
}

#[tokio::test]
async fn a_mass_event_is_decided_once_for_all_timers_of_a_policy() {
    for (permille, excluded) in [(500, false), (499, true)] {
        // One of two images is 500 permille: over 499, not over 500.
        let mut fixture = found().await;
        fixture.version(1, 1, day(1, "00:00")).await;
        let policy = format!(
            "UPDATE sla_policies SET exclude_over_permille = {permille}, critical_days = 1"
        );
        fixture.sql(&policy).await;
        let opened = check(&fixture, day(2, "10:00"), 1).await;
        assert_eq!((opened.decided.len(), &opened.excluded[..]), (0, &NONE[..]), "too early");
        // The deadline is day 3 at 09:00: nothing is said of it before it is decided.
        let due = check(&fixture, day(3, "09:59"), 23).await;
        let said = [due.decided.len(), due.excluded.len(), due.breached.len(), due.at_risk.len()];
        assert_eq!(said, [0; 4]);
        // A day after the first detection, with what has opened meanwhile and what stopped late.
        fixture.uses(1, 0, 1, day(3, "09:30")).await;
        fixture.version(0, 2, day(3, "09:45")).await;
        fixture.resolve(0, 0, 0, 2, day(3, "09:45")).await;
        check(&fixture, day(3, "09:59"), 1).await;
        let decided = check(&fixture, day(3, "10:00"), 1).await;
        assert_eq!(decided.decided.len(), 1);
        let decision = decided.decided[0];
        assert_eq!((decision.images_hit, decision.images, decision.excluded), (1, 2, excluded));
        let of = |customer| [timer(customer, 0, 0, Provider), timer(customer, 0, 0, Customer)];
        let all = [of(0), of(1)].concat();
        if excluded {
            assert_eq!((&decided.excluded[..], &decided.breached[..]), (&all[..], &NONE[..]));
        } else {
            // Of customer 0 both clocks are late, the provider's stopped late; customer 1 began later.
            assert_eq!(decided.breached, of(0));
            assert_eq!(decided.resolved, [timer(0, 0, 0, Provider)]);
        }
        // Both images are hit later: what is decided stays, also for what opens after it.
        fixture.finding(1, 1, 0, 0, day(4, "00:00")).await;
        fixture.uses(1, 1, 1, day(4, "01:00")).await;
        let after = check(&fixture, day(4, "02:00"), 16).await;
        assert_eq!(after.opened, [timer(1, 1, 0, Provider), timer(1, 1, 0, Customer)]);
        assert_eq!((after.decided.len(), after.excluded.len()), (0, 2 * usize::from(excluded)));
    }
}
