//! Cron schedules, evaluated in simulated time alone: no clock is ever read here.
mod grammar;

use super::from_text;
use crate::time::{DAY_MS, SimTime};
use chrono::{DateTime, Datelike};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

const EXPECTED: &str = "a cron schedule in UTC of five fields (minute, hour, day, month, weekday) \
                        such as `0 2 * * *`";

/// The longest pattern.
const MAX_LEN: usize = 200;

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
    /// Milliseconds after midnight, in order, of a schedule that is the same every day.
    daily: Option<Vec<i64>>,
}

/// From when to when the short way is taken, in milliseconds: 1970 to 2200, far inside what a date
/// can be.
const DAILY_MS: std::ops::Range<i64> = 0..7_258_118_400_000;
/// How many times a day at the most are kept: every minute.
const DAILY_MOST: usize = 1_440;

impl CronSchedule {
    /// From a pattern.
    ///
    /// # Errors
    /// Says what was expected when the pattern is malformed or never fires.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split([' ', '\t']).filter(|f| !f.is_empty()).collect();
        if !(5..=6).contains(&fields.len()) || text.len() > MAX_LEN {
            return Err(EXPECTED.to_owned());
        }
        grammar::check(&fields).map_err(|reason| format!("{EXPECTED} ({reason})"))?;
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let cron =
            parser.build().parse(text).map_err(|e| format!("{EXPECTED} ({})", reason(&e)))?;
        let every_day = fields[fields.len() - 3..].iter().all(|field| *field == "*");
        let parsed =
            |cron, daily| CronSchedule(Arc::new(Parsed { text: text.to_owned(), cron, daily }));
        let mut schedule = parsed(cron, None);
        if every_day && let Some(daily) = schedule.times_of_day() {
            schedule = parsed(schedule.0.cron.clone(), Some(daily));
        }
        let soon = schedule.next_after(SimTime(PROBE_MS)).and_then(SimTime::to_datetime);
        match soon {
            Some(at) if at.year() < 2000 + HORIZON_YEARS => Ok(schedule),
            _ => Err(format!("{EXPECTED} that fires at some time; this one never does")),
        }
    }

    /// The first instant strictly after `at` when the schedule fires.
    pub fn next_after(&self, at: SimTime) -> Option<SimTime> {
        if let Some(daily) = &self.0.daily
            && DAILY_MS.contains(&at.0)
        {
            let since_midnight = at.0.rem_euclid(DAY_MS);
            let midnight = at.0 - since_midnight;
            let next = daily.partition_point(|time| *time <= since_midnight);
            let tomorrow = || daily.first().map(|time| SimTime(midnight + DAY_MS + time));
            return daily.get(next).map(|time| SimTime(midnight + time)).or_else(tomorrow);
        }
        // The finest field is the second: whole seconds, so that no fraction is carried along.
        let from = DateTime::from_timestamp(at.0.div_euclid(crate::time::SECOND_MS), 0)?;
        self.0.cron.find_next_occurrence(&from, false).ok().map(SimTime::from_datetime)
    }

    /// When it fires in one day; none when that is more often than is kept.
    fn times_of_day(&self) -> Option<Vec<i64>> {
        let mut times = Vec::new();
        let mut at = SimTime(PROBE_MS - 1);
        while let Some(next) = self.next_after(at).filter(|next| next.0 < PROBE_MS + DAY_MS) {
            if times.len() == DAILY_MOST {
                return None;
            }
            times.push(next.0 - PROBE_MS);
            at = next;
        }
        Some(times).filter(|times| !times.is_empty())
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
                    a sixth field in front is the second. A field is *, or a list of values, ranges \
                    (1-5) and steps (*/4, 8-18/2). Months and weekdays have names (MON-FRI), and 0 \
                    and 7 are Sunday. Of days L is the last one and 15W the weekday nearest to the \
                    15th; of weekdays FRI#2 is the second Friday of the month and FRIL the last one. \
                    Where day and weekday are both given, either is enough.",
    "maxLength": MAX_LEN,
    "pattern": grammar::pattern(),
    "examples": ["0 2 * * *", "0 */4 * * *"]
});

/// A schedule as a field has it: a cron schedule, or `never` (also null).
pub(crate) struct Schedule;

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A cron schedule in UTC, or the word never; null is never too.",
            "anyOf": [
                generator.subschema_for::<CronSchedule>(),
                { "const": "never" },
                { "type": "null" }
            ]
        })
    }
}

impl Schedule {
    /// Reads a schedule that may be `never`.
    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Option<CronSchedule>, D::Error>
    where
        D: Deserializer<'de>,
    {
        struct OrNever;

        impl<'de> Visitor<'de> for OrNever {
            type Value = Option<CronSchedule>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{EXPECTED}, or `never`")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
                inner.deserialize_str(self)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == "never" {
                    return Ok(None);
                }
                let refused = |e: String| E::invalid_value(Unexpected::Str(text), &e.as_str());
                CronSchedule::parse(text).map(Some).map_err(refused)
            }
        }

        deserializer.deserialize_option(OrNever)
    }
}

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

    /// The first three firings after the Monday, as a cron of Vixie's kind or Quartz would have them
    /// (worked out by hand from a calendar of January and February 2026).
    #[test]
    fn what_is_taken_fires_when_it_says() {
        for (text, firings) in [
            ("*/59 * * * *", ["05T00:59", "05T01:00", "05T01:59"]),
            ("5/20 3 * * *", ["05T03:05", "05T03:25", "05T03:45"]),
            ("0 0 * * SAT-SUN", ["10T00:00", "11T00:00", "17T00:00"]),
            ("0 0 * * 6-7", ["10T00:00", "11T00:00", "17T00:00"]),
            ("0 0 * * SUN-MON", ["11T00:00", "12T00:00", "18T00:00"]),
            ("0 0 * * mon,Wed", ["07T00:00", "12T00:00", "14T00:00"]),
            ("0 0 * * */6", ["10T00:00", "11T00:00", "17T00:00"]),
            ("0 9-17/4 * * 1-5", ["05T09:00", "05T13:00", "05T17:00"]),
            ("00 06 * JAN 05", ["09T06:00", "16T06:00", "23T06:00"]),
            ("0 0 15W * *", ["15T00:00", "", ""]),
            ("0 0 L * *", ["31T00:00", "", ""]),
            ("0 0 * * FRI#2", ["09T00:00", "", ""]),
            ("0 0 * * friL", ["30T00:00", "", ""]),
            ("0 0 13 * FRI", ["09T00:00", "13T00:00", "16T00:00"]),
        ] {
            let schedule = CronSchedule::parse(text).expect(text);
            let mut at = MONDAY;
            for firing in firings.iter().filter(|firing| !firing.is_empty()) {
                at = schedule.next_after(at).expect("fires");
                assert_eq!(at.to_string(), format!("2026-01-{firing}:00Z"), "{text}");
            }
        }
    }

    #[test]
    fn what_the_library_would_take_and_nobody_means_is_refused() {
        for (text, why) in [
            ("0 0 * * MON,", "an empty item in the field of the weekday"),
            ("0 0 * * ,MON", "an empty item"),
            ("0,,5 * * * *", "an empty item in the field of the minute"),
            (", * * * *", "an empty item"),
            ("*/61 * * * *", "a step in the field of the minute is 1 to 59"),
            ("*/60 * * * *", "a step"),
            ("* */24 * * *", "a step in the field of the hour is 1 to 23"),
            ("0 0 */31 * *", "a step in the field of the day is 1 to 30"),
            ("0 0 1 */12 *", "a step in the field of the month is 1 to 11"),
            ("0 0 * * */7", "a step in the field of the weekday is 1 to 6"),
            ("*/0 * * * *", "a step"),
            ("*/ * * * *", "a step"),
            ("*/5/5 * * * *", "a step"),
            ("/5 * * * *", "the minute is 0 to 59"),
            ("1-5/99 * * * *", "a step"),
            ("*,5 * * * *", "stands alone"),
            ("30-10 * * * *", "goes upwards"),
            ("0 22-6 * * *", "goes upwards"),
            ("0 0 * * FRI-MON", "goes upwards"),
            ("0 0 * * 0-7", "every weekday"),
            ("0 0 * * SUN-SUN", "every weekday"),
            ("0 0 * * 1MON", "the weekday is 0 to 7 or sun to sat"),
            ("0 0 * * MONTUE", "the weekday"),
            ("0 0 * * MONDAY", "the weekday"),
            ("MON * * * *", "the minute is 0 to 59"),
            ("JAN * * * *", "the minute"),
            ("0 0 MON * *", "the day is 1 to 31"),
            ("0 0 1 MON *", "the month is 1 to 12 or jan to dec"),
            ("0 0 1 1JAN *", "the month"),
            ("007 * * * *", "the minute"),
            ("-5 * * * *", "the minute"),
            ("5- * * * *", "the minute"),
            ("1-2-3 * * * *", "the minute"),
            ("+5 * * * *", "the minute"),
            ("0 0 ? * *", "the day"),
            ("0 0 * * ?", "the weekday"),
            ("0 0 1 * +MON", "the weekday"),
            ("L * * * *", "the minute"),
            ("0 L * * *", "the hour"),
            ("0 0 32W * *", "the day"),
            ("0 0 W * *", "the day"),
            ("0 0 LW * *", "the day"),
            ("0 0 * * L", "the weekday"),
            ("0 0 * * 7L", "the weekday"),
            ("0 0 * * MON#0", "the weekday"),
            ("0 0 * * MON#6", "the weekday"),
            ("0 0 * * MON-FRI#2", "the weekday"),
            ("0 0 1 * *\n", "the weekday"),
            ("60 * * * * *", "the second is 0 to 59"),
            ("0 0 0 0 *", "the day"),
            ("0 0 1 0 *", "the month"),
            ("0 0 1 13 *", "the month"),
            ("0 0 * * 8", "the weekday"),
            ("never", "five fields"),
        ] {
            let refused = CronSchedule::parse(text).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_field_may_say_never() {
        #[derive(Deserialize)]
        struct Said(#[serde(deserialize_with = "Schedule::deserialize")] Option<CronSchedule>);
        let read = |json: &str| serde_json::from_str::<Said>(json).map(|said| said.0);
        assert_eq!(read("\"never\"").expect("a word"), None);
        assert_eq!(read("null").expect("null"), None);
        assert_eq!(read("\"0 2 * * *\"").expect("cron").expect("some").as_str(), "0 2 * * *");
        assert!(read("\"Never\"").expect_err("a word").to_string().contains("five fields"));
        assert!(read("false").is_err());
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
