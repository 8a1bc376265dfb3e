//! Cron schedules, evaluated in simulated time alone: no clock is ever read here.
use super::from_text;
use crate::time::SimTime;
use chrono::{DateTime, Datelike};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;

const EXPECTED: &str = "a cron schedule in UTC of five fields (minute, hour, day, month, weekday) \
                        such as `0 2 * * *`";

/// From which instant a schedule must fire within [`HORIZON_YEARS`]: 2000-01-01. The calendar
/// repeats every 400 years and every schedule that fires at all fires within eight leap years of
/// this one.
const PROBE_MS: i64 = 946_684_800_000;
/// How long a schedule may take to fire before it counts as one that never does.
const HORIZON_YEARS: i32 = 50;

/// A cron schedule in UTC: five fields, or six with seconds in front. Cheap to clone.
#[derive(Clone)]
pub struct CronSchedule(Arc<Parsed>);

struct Parsed {
    text: String,
    cron: Cron,
}

impl CronSchedule {
    /// From a pattern.
    ///
    /// # Errors
    /// Says what was expected when the pattern is malformed or never fires.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields = text.split_whitespace().count();
        if !(5..=6).contains(&fields) || text.len() > 200 {
            return Err(EXPECTED.to_owned());
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let cron =
            parser.build().parse(text).map_err(|e| format!("{EXPECTED} ({})", reason(&e)))?;
        let schedule = CronSchedule(Arc::new(Parsed { text: text.to_owned(), cron }));
        let soon = schedule.next_after(SimTime(PROBE_MS)).and_then(SimTime::to_datetime);
        match soon {
            Some(at) if at.year() < 2000 + HORIZON_YEARS => Ok(schedule),
            _ => Err(format!("{EXPECTED} that fires at some time; this one never does")),
        }
    }

    /// The first instant strictly after `at` when the schedule fires.
    pub fn next_after(&self, at: SimTime) -> Option<SimTime> {
        // The finest field is the second: whole seconds, so that no fraction is carried along.
        let from = DateTime::from_timestamp(at.0.div_euclid(crate::time::SECOND_MS), 0)?;
        self.0.cron.find_next_occurrence(&from, false).ok().map(SimTime::from_datetime)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

/// The parser's reason without its own prefix.
fn reason(error: &croner::errors::CronError) -> String {
    let text = error.to_string();
    let text = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
    text.trim_end_matches('.').to_owned()
}

schema_of!(CronSchedule, {
    "type": "string",
    "description": "A cron schedule in UTC: minute, hour, day of the month, month, weekday; \
                    a sixth field in front is the second.",
    "pattern": r"^\s*\S+(\s+\S+){4,5}\s*$",
    "examples": ["0 2 * * *", "0 */4 * * *"]
});

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for CronSchedule {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for CronSchedule {}

impl<'de> Deserialize<'de> for CronSchedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, EXPECTED, CronSchedule::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

    /// 2026-01-05T00:00:00Z, a Monday.
    const MONDAY: SimTime = SimTime(1_767_571_200_000);

    fn next(pattern: &str, after: SimTime) -> i64 {
        let schedule = CronSchedule::parse(pattern).expect(pattern);
        schedule.next_after(after).expect("fires").0 - MONDAY.0
    }

    #[test]
    fn the_next_firing_is_strictly_later() {
        assert_eq!(next("0 0 * * *", MONDAY), DAY_MS);
        assert_eq!(next("0 0 * * *", SimTime(MONDAY.0 - 1)), 0);
        assert_eq!(next("0 0 * * *", SimTime(MONDAY.0 + 1)), DAY_MS);
        assert_eq!(next("0 2 * * *", MONDAY), 2 * HOUR_MS);
        assert_eq!(next("0 */4 * * *", MONDAY), 4 * HOUR_MS);
        assert_eq!(next("*/15 * * * *", MONDAY), 15 * MINUTE_MS);
        assert_eq!(next("40 18 * * FRI", MONDAY), 4 * DAY_MS + 18 * HOUR_MS + 40 * MINUTE_MS);
        assert_eq!(next("30 0 0 * * *", MONDAY), 30_000);
        assert_eq!(next("* * * * * *", SimTime(MONDAY.0 + 500)), 1_000);
        assert_eq!(next("* * * * * *", SimTime(MONDAY.0 - 500)), 0);
    }

    #[test]
    fn a_leap_day_fires() {
        let schedule = CronSchedule::parse("0 0 29 2 *").expect("fires");
        let at = schedule.next_after(MONDAY).expect("fires");
        assert_eq!(at.to_string(), "2028-02-29T00:00:00Z");
    }

    #[test]
    fn other_schedules_are_refused_with_the_reason() {
        for (text, why) in [
            ("", "five fields"),
            ("nightly", "five fields"),
            ("@daily", "five fields"),
            ("0 2 * *", "five fields"),
            ("0 0 2 * * * 2026", "five fields"),
            ("61 * * * *", "five fields"),
            ("0 25 * * *", "five fields"),
            ("a b c d e", "five fields"),
            ("0 0 30 2 *", "never does"),
            ("0 0 31 4 *", "never does"),
        ] {
            let refused = CronSchedule::parse(text).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
