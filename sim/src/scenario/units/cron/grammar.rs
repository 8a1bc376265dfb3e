//! What may stand in the fields of a cron schedule. The library that computes firings is lenient
//! (`MON,`, `*/61` and `1MON` mean something to it), so what it is given is checked here first; the
//! pattern of the JSON Schema is made from the same table.
use std::fmt::Write;

/// One field of a schedule.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Names of values, the first one's number being `names_from`.
    names: &'static [&'static str],
    names_from: u32,
    /// A value, as a regular expression.
    value: &'static str,
    /// A step: from 1 to the distance between the least and the largest value.
    step: &'static str,
    /// What else a list may hold, as a regular expression; empty: nothing.
    special: &'static str,
    is_special: fn(&Field, &str) -> bool,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const SECOND: Field = Field { name: "second", ..MINUTE };
const MINUTE: Field = Field {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
    names_from: 0,
    value: "[0-5]?[0-9]",
    step: "(?:0?[1-9]|[1-5][0-9])",
    special: "",
    is_special: |_, _| false,
};
const HOUR: Field = Field {
    name: "hour",
    max: 23,
    value: "(?:[01]?[0-9]|2[0-3])",
    step: "(?:0?[1-9]|1[0-9]|2[0-3])",
    ..MINUTE
};
const DAY: Field = Field {
    name: "day",
    min: 1,
    max: 31,
    value: "(?:0?[1-9]|[12][0-9]|3[01])",
    step: "(?:0?[1-9]|[12][0-9]|30)",
    // The last day of the month; the weekday nearest to a day.
    special: "[Ll]|(?:0?[1-9]|[12][0-9]|3[01])[Ww]",
    is_special: |field, item| {
        item.eq_ignore_ascii_case("l")
            || item.strip_suffix(['w', 'W']).is_some_and(|day| field.number(day).is_some())
    },
    ..MINUTE
};
const MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &MONTHS,
    names_from: 1,
    value: "(?:0?[1-9]|1[0-2]|NAMES)",
    step: "(?:0?[1-9]|1[01])",
    ..MINUTE
};
const WEEKDAY: Field = Field {
    name: "weekday",
    min: 0,
    max: 7,
    names: &WEEKDAYS,
    names_from: 0,
    value: "(?:0?[0-7]|NAMES)",
    step: "0?[1-6]",
    // The n-th such weekday of the month; the last one.
    special: "(?:0?[0-7]|NAMES)#[1-5]|(?:0?[0-6]|NAMES)[Ll]",
    is_special: |field, item| {
        if let Some((day, nth)) = item.split_once('#') {
            return field.value_of(day).is_some() && matches!(nth, "1" | "2" | "3" | "4" | "5");
        }
        let last = item.strip_suffix(['l', 'L']).and_then(|day| field.value_of(day));
        last.is_some_and(|day| day < 7)
    },
};
const FIELDS: [&Field; 6] = [&SECOND, &MINUTE, &HOUR, &DAY, &MONTH, &WEEKDAY];

/// Checks the fields of a schedule, five or six.
///
/// # Errors
/// Says what was expected in which field.
pub(super) fn check(fields: &[&str]) -> Result<(), String> {
    let known = &FIELDS[FIELDS.len().saturating_sub(fields.len())..];
    known.iter().zip(fields).try_for_each(|(field, text)| field.check(text))
}

/// The regular expression of a schedule, as far as one can say it: that a range goes upwards and
/// that the schedule ever fires it cannot.
pub(super) fn pattern() -> String {
    let mut pattern = format!(r"^[ \t]*(?:{}[ \t]+)?", SECOND.pattern());
    for (place, field) in FIELDS[1..].iter().enumerate() {
        let blank = if place == 0 { "" } else { r"[ \t]+" };
        let _ = write!(pattern, "{blank}{}", field.pattern());
    }
    pattern + r"[ \t]*$"
}

impl Field {
    fn check(&self, text: &str) -> Result<(), String> {
        if text == "*" {
            return Ok(());
        }
        text.split(',').try_for_each(|item| self.check_item(item))
    }

    fn check_item(&self, item: &str) -> Result<(), String> {
        let Field { name, min, max, .. } = self;
        if item.is_empty() {
            return Err(format!("an empty item in the field of the {name}"));
        }
        if (self.is_special)(self, item) {
            return Ok(());
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let longest = self.longest_step();
        let steps = |step: &str| digits(step).is_some_and(|step| (1..=longest).contains(&step));
        if step.is_some_and(|step| !steps(step)) {
            return Err(format!("a step in the field of the {name} is 1 to {longest}"));
        }
        if range == "*" {
            let alone = format!("`*` in the field of the {name} stands alone or has a step");
            return if step.is_some() { Ok(()) } else { Err(alone) };
        }
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let known = format!("the {name} is {min} to {max}{}", self.or_names());
        let (Some(from), Some(mut to)) = (self.value_of(from), self.value_of(to)) else {
            return Err(known);
        };
        // A range that ends on Sunday ends on day 7.
        if range.to_ascii_lowercase().ends_with("-sun") {
            to = 7;
        }
        if from > to {
            return Err(format!("a range in the field of the {name} goes upwards"));
        }
        if self.max == 7 && to - from == 7 {
            return Err("every weekday is `*`".to_owned());
        }
        Ok(())
    }

    /// A day more would be the same day: Sunday has two numbers.
    fn longest_step(&self) -> u32 {
        if self.max == 7 { 6 } else { self.max - self.min }
    }

    fn or_names(&self) -> String {
        match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(" or {first} to {last}"),
            _ => String::new(),
        }
    }

    /// The number of a value, which may have a name.
    fn value_of(&self, text: &str) -> Option<u32> {
        let named = (self.names_from..).zip(self.names);
        let named = named.filter(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(n, _)| n);
        self.number(text).or_else(|| named.min())
    }

    fn number(&self, text: &str) -> Option<u32> {
        digits(text).filter(|value| (self.min..=self.max).contains(value))
    }

    fn pattern(&self) -> String {
        let names = self.names.iter().map(|name| any_case(name)).collect::<Vec<_>>().join("|");
        let value = self.value.replace("NAMES", &names);
        let special = match self.special {
            "" => String::new(),
            special => format!("|{}", special.replace("NAMES", &names)),
        };
        let step = self.step;
        let item = format!("(?:\\*/{step}|{value}(?:-{value})?(?:/{step})?{special})");
        format!(r"(?:\*|{item}(?:,{item})*)")
    }
}

/// One or two digits, nothing else.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// `mon` as `[Mm][Oo][Nn]`.
fn any_case(name: &str) -> String {
    name.chars().map(|c| format!("[{}{c}]", c.to_ascii_uppercase())).collect()
}
