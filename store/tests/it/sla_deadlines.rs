//! Deadlines by hand: `sla_due` and `sla_warn`, and that they agree with the kernel.
use super::support::{at, database};
use sim::scenario::model::Calendar;
use sim::time::SimTime;
use sqlx::PgPool;
use store::db::instant;

async fn due(pool: &PgPool, started: SimTime, days: i32, calendar: &str) -> SimTime {
    let ms: i64 = sqlx::query_scalar("SELECT sim_ms(sla_due($1, $2, $3))")
        .bind(instant(started).unwrap())
        .bind(days)
        .bind(calendar)
        .fetch_one(pool)
        .await
        .unwrap();
    SimTime(ms)
}

#[tokio::test]
async fn deadlines_match_values_worked_out_by_hand() {
    let pool = database().await;
    // 2026-01-05 is a Monday.
    for (started, days, calendar, expected) in [
        ("2026-01-05T10:00:00Z", 7, "calendar", "2026-01-12T10:00:00Z"),
        ("2026-03-28T10:00:00.123Z", 2, "calendar", "2026-03-30T10:00:00.123Z"),
        ("2026-01-05T10:00:00Z", 2, "business", "2026-01-07T10:00:00Z"),
        ("2026-01-09T10:00:00Z", 2, "business", "2026-01-13T10:00:00Z"), // Friday to Tuesday
        ("2026-01-10T10:00:00Z", 2, "business", "2026-01-14T00:00:00Z"), // Saturday: Tuesday's end
        ("2026-01-11T23:59:59.999Z", 1, "business", "2026-01-13T00:00:00Z"),
        ("2026-01-09T00:00:00Z", 1, "business", "2026-01-10T00:00:00Z"), // Friday's end
        ("2026-01-05T00:00:00Z", 5, "business", "2026-01-10T00:00:00Z"), // not Monday's beginning
        ("2026-01-05T00:00:00.001Z", 5, "business", "2026-01-12T00:00:00.001Z"),
        ("2026-01-05T00:00:00Z", 30, "business", "2026-02-14T00:00:00Z"),
        ("2026-01-07T08:30:00.250Z", 0, "business", "2026-01-07T08:30:00.250Z"),
        ("2026-01-10T10:00:00Z", 0, "business", "2026-01-10T10:00:00Z"), // never before it starts
        ("1969-12-31T12:00:00Z", 2, "business", "1970-01-02T12:00:00Z"), // Wednesday to Friday
    ] {
        let found = due(&pool, at(started), days, calendar).await;
        assert_eq!(found, at(expected), "{started} + {days} {calendar} days");
    }
}

#[tokio::test]
async fn the_kernel_and_the_database_agree() {
    let pool = database().await;
    let monday = at("2026-01-05T00:00:00Z").0;
    for step in 0..400_i64 {
        // Every third hour or so of two weeks, with odd milliseconds, on and off the boundaries.
        let started = SimTime(monday + step * 3_024_001 + step % 3);
        for days in [1, 2, 7, 30] {
            for (calendar, name) in
                [(Calendar::Calendar, "calendar"), (Calendar::Business, "business")]
            {
                let expected = sim::world::sla_due(started, days, calendar);
                let found = due(&pool, started, days as i32, name).await;
                assert_eq!(found, expected, "{started} + {days} {name} days");
            }
        }
    }
}

async fn warn(
    pool: &PgPool,
    started: SimTime,
    days: i32,
    calendar: &str,
    permille: i32,
) -> SimTime {
    let ms: i64 = sqlx::query_scalar("SELECT sim_ms(sla_warn($1, $2, $3, $4))")
        .bind(instant(started).unwrap())
        .bind(days)
        .bind(calendar)
        .bind(permille)
        .fetch_one(pool)
        .await
        .unwrap();
    SimTime(ms)
}

#[tokio::test]
async fn warnings_match_values_worked_out_by_hand() {
    let pool = database().await;
    // 2026-01-05 is a Monday.
    for (started, days, calendar, permille, expected) in [
        ("2026-01-05T10:00:00.001Z", 7, "calendar", 750, "2026-01-10T16:00:00.001Z"),
        ("2026-01-05T10:00:00.001Z", 1, "calendar", 0, "2026-01-05T10:00:00.001Z"),
        ("2026-01-09T12:00:00Z", 2, "business", 750, "2026-01-13T00:00:00Z"), // Friday noon
        ("2026-01-09T12:00:00Z", 2, "business", 250, "2026-01-10T00:00:00Z"), // Friday's end
        ("2026-01-09T12:00:00Z", 2, "business", 1000, "2026-01-13T12:00:00Z"),
        ("2026-01-10T12:00:00Z", 2, "business", 0, "2026-01-10T12:00:00Z"), // at once
        ("2026-01-10T12:00:00Z", 2, "business", 500, "2026-01-13T00:00:00Z"), // Monday's end
        ("2026-01-05T00:00:00Z", 20, "business", 750, "2026-01-24T00:00:00Z"), // three weeks
        ("2026-01-07T08:00:00Z", 30, "business", 750, "2026-02-06T20:00:00Z"), // 22.5 days
    ] {
        let found = warn(&pool, at(started), days, calendar, permille).await;
        assert_eq!(found, at(expected), "{permille} permille of {days} {calendar} days, {started}");
    }
}

#[tokio::test]
async fn a_warning_at_the_whole_share_is_the_deadline() {
    let pool = database().await;
    let monday = at("2026-01-05T00:00:00Z").0;
    for step in 0..200_i64 {
        let started = SimTime(monday + step * 6_048_002 + step % 3);
        for days in [1, 5, 10, 30] {
            for calendar in ["calendar", "business"] {
                let whole = warn(&pool, started, days, calendar, 1000).await;
                assert_eq!(whole, due(&pool, started, days, calendar).await, "{started} {days}");
            }
        }
    }
}

#[tokio::test]
async fn no_time_zone_changes_a_deadline() {
    let pool = database().await;
    let mut conn = pool.acquire().await.unwrap();
    // Daylight saving begins there on 2026-03-29.
    sqlx::query("SET timezone = 'Europe/Berlin'").execute(&mut *conn).await.unwrap();
    for calendar in ["calendar", "business"] {
        let hours: i64 = sqlx::query_scalar(
            "SELECT (sim_ms(sla_due('2026-03-27T12:00:00Z', 7, $1))
                     - sim_ms('2026-03-27T12:00:00Z')) / 3600000",
        )
        .bind(calendar)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
        assert_eq!(hours, if calendar == "calendar" { 7 * 24 } else { 11 * 24 });
    }
}
