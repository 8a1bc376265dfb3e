//! The arithmetic of deadlines: pure, in integer milliseconds, in calendar or in business days.
use crate::scenario::model::Calendar;
use crate::time::{DAY_MS, SimDuration, SimTime};

/// The deadline: `days` after `started`. Business days run from Monday 00:00 to Friday 24:00 UTC;
/// a clock started on a weekend stands until Monday.
pub fn due(started: SimTime, days: u32, calendar: Calendar) -> SimTime {
    after(started, i64::from(days) * DAY_MS, calendar)
}

/// The first instant at which so many thousandths of `days` are used up, in the days of the promise.
pub(super) fn warn(started: SimTime, days: u32, permille: u32, calendar: Calendar) -> SimTime {
    after(started, i64::from(days) * DAY_MS * i64::from(permille) / 1000, calendar)
}

/// The time of the promise between two instants: what is left of it from `at` to `due`, or, negative,
/// by how much it has been missed.
pub fn left(at: SimTime, due: SimTime, calendar: Calendar) -> SimDuration {
    match calendar {
        Calendar::Calendar => due.since(at),
        Calendar::Business => SimDuration(business_ms(due) - business_ms(at)),
    }
}

/// The first instant, not before `started`, with `ms` of the calendar's time behind `started`.
fn after(started: SimTime, ms: i64, calendar: Calendar) -> SimTime {
    match calendar {
        Calendar::Calendar => SimTime(started.0 + ms),
        Calendar::Business => from_business_ms(business_ms(started) + ms).max(started),
    }
}

// The epoch was a Thursday: four days later a week of ours begins.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
const WORK_MS: i64 = 5 * DAY_MS;

/// Business time since the first Monday after the epoch.
fn business_ms(at: SimTime) -> i64 {
    let since = at.0 - FIRST_MONDAY_MS;
    since.div_euclid(WEEK_MS) * WORK_MS + since.rem_euclid(WEEK_MS).min(WORK_MS)
}

/// The first instant with that much business time behind it.
fn from_business_ms(business: i64) -> SimTime {
    let (mut weeks, mut rest) = (business.div_euclid(WORK_MS), business.rem_euclid(WORK_MS));
    if rest == 0 {
        // The end of Friday comes before the beginning of Monday.
        (weeks, rest) = (weeks - 1, WORK_MS);
    }
    SimTime(FIRST_MONDAY_MS + weeks * WEEK_MS + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SimTime {
        SimTime::from_datetime(text.parse().expect("an instant"))
    }

    #[test]
    fn business_days_skip_weekends() {
        let business = |from: &str, days, to: &str| {
            assert_eq!(due(at(from), days, Calendar::Business), at(to), "{from} + {days}");
        };
        business("2026-01-05T10:00:00Z", 2, "2026-01-07T10:00:00Z"); // Monday
        business("2026-01-09T10:00:00Z", 2, "2026-01-13T10:00:00Z"); // Friday to Tuesday
        business("2026-01-10T10:00:00Z", 1, "2026-01-13T00:00:00Z"); // Saturday: Monday's end
        business("2026-01-09T00:00:00Z", 1, "2026-01-10T00:00:00Z"); // all of Friday
        business("2026-01-05T00:00:00Z", 30, "2026-02-14T00:00:00Z");
        let calendar = due(at("2026-01-09T10:00:00Z"), 7, Calendar::Calendar);
        assert_eq!(calendar, at("2026-01-16T10:00:00Z"));
    }

    #[test]
    fn warnings_count_the_days_of_the_promise() {
        let warned = |from: &str, days, permille, to: &str| {
            let found = warn(at(from), days, permille, Calendar::Business);
            assert_eq!(found, at(to), "{permille} thousandths of {days} days from {from}");
        };
        // Friday noon: 12 h of Friday and all of Monday are three quarters of two days.
        warned("2026-01-09T12:00:00Z", 2, 750, "2026-01-13T00:00:00Z");
        warned("2026-01-09T12:00:00Z", 2, 250, "2026-01-10T00:00:00Z");
        warned("2026-01-09T12:00:00Z", 2, 1000, "2026-01-13T12:00:00Z");
        warned("2026-01-10T12:00:00Z", 2, 0, "2026-01-10T12:00:00Z"); // at once, on a Saturday too
        let calendar = warn(at("2026-01-09T12:00:00Z"), 2, 750, Calendar::Calendar);
        assert_eq!(calendar, at("2026-01-11T00:00:00Z"));
    }

    #[test]
    fn what_is_left_counts_the_days_of_the_promise() {
        let hours =
            |from: &str, calendar| left(at(from), at("2026-01-13T12:00:00Z"), calendar).as_hours();
        assert_eq!(hours("2026-01-09T12:00:00Z", Calendar::Business), 48.0);
        assert_eq!(hours("2026-01-11T03:00:00Z", Calendar::Business), 36.0, "on a Sunday");
        assert_eq!(hours("2026-01-14T00:00:00Z", Calendar::Business), -12.0);
        assert_eq!(hours("2026-01-09T12:00:00Z", Calendar::Calendar), 96.0);
    }
}
