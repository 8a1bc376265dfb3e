//! Deadlines by hand: time is counted day by day, as somebody with a wall calendar would.
use chrono::{DateTime, Datelike, SecondsFormat, Utc, Weekday};

/// Simulated milliseconds since 1970.
pub(super) type Ms = i64;

pub(super) const HOUR: Ms = 3_600_000;
pub(super) const DAY: Ms = 24 * HOUR;

/// The first instant at which `counted` milliseconds have passed since `start`; with `business`,
/// only those of Monday to Friday, in UTC, are counted.
pub(super) fn after(start: Ms, counted: Ms, business: bool) -> Ms {
    if !business {
        return start + counted;
    }
    let (mut at, mut left) = (start, counted);
    while left > 0 {
        let midnight = (at.div_euclid(DAY) + 1) * DAY;
        if !matches!(instant(at).weekday(), Weekday::Sat | Weekday::Sun) {
            let today = left.min(midnight - at);
            left -= today;
            if left == 0 {
                return at + today;
            }
        }
        at = midnight;
    }
    at
}

/// So many thousandths of so many days, rounded down to the millisecond.
pub(super) fn share(days: i64, permille: i64) -> Ms {
    days * DAY * permille / 1000
}

pub(super) fn instant(at: Ms) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at).expect("an instant")
}

/// As it stands in a message.
pub(super) fn shown(at: Ms) -> String {
    instant(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The milliseconds of an instant as it is written.
#[cfg(test)]
pub(super) fn ms(text: &str) -> Ms {
    let text = format!("{text}:00Z");
    DateTime::parse_from_rfc3339(&text).expect("an instant").timestamp_millis()
}

/// The examples of docs/model.md, and what follows from "the first instant". 2 March 2026 is a
/// Monday.
#[test]
fn business_days_end_where_the_document_says() {
    for (start, days, due) in [
        // From a Friday at noon over the weekend.
        ("2026-03-06T12:00", 2, "2026-03-10T12:00"),
        // The whole working week ends with its last instant, not on the Monday after.
        ("2026-03-02T00:00", 5, "2026-03-07T00:00"),
        ("2026-03-06T00:00", 1, "2026-03-07T00:00"),
        // What starts on a weekend has used nothing up by Monday.
        ("2026-03-07T10:00", 2, "2026-03-11T00:00"),
        ("2026-03-08T23:59", 1, "2026-03-10T00:00"),
        // Two weekends.
        ("2026-03-04T18:30", 10, "2026-03-18T18:30"),
    ] {
        let (start, due) = (ms(start), ms(due));
        assert_eq!(shown(after(start, days * DAY, true)), shown(due), "{days} from {start}");
    }
    assert_eq!(shown(after(ms("2026-03-06T12:00"), 2 * DAY, false)), "2026-03-08T12:00:00.000Z");
}

#[test]
fn a_warning_counts_the_days_of_its_deadline() {
    for (start, days, permille, warn) in [
        ("2026-03-06T12:00", 2, 750, "2026-03-10T00:00"),
        // Half of two days from a Friday: with Friday's last instant and the Monday's first half.
        ("2026-03-06T12:00", 2, 500, "2026-03-09T12:00"),
        ("2026-03-06T00:00", 2, 500, "2026-03-07T00:00"),
        // Nothing has to be used up.
        ("2026-03-07T10:00", 2, 0, "2026-03-07T10:00"),
        ("2026-03-07T10:00", 2, 1000, "2026-03-11T00:00"),
    ] {
        let warned = after(ms(start), share(days, permille), true);
        assert_eq!(shown(warned), shown(ms(warn)), "{permille} of {days} from {start}");
    }
    let calendar = after(ms("2026-03-06T12:00"), share(2, 750), false);
    assert_eq!(shown(calendar), "2026-03-08T00:00:00.000Z");
}
