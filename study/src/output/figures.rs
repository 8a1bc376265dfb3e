//! Numbers as people read them: rounded to what their interval leaves of them, by fixed rules.
use crate::statistics::{Interval, Note};

/// An estimate and its limits, in words and digits.
pub(super) struct Shown {
    /// The estimate, or why there is none.
    pub(crate) estimate: String,
    /// The limits in brackets, or why there are none; may be empty.
    pub(crate) limits: String,
}

impl Shown {
    /// Both on one line.
    pub(crate) fn line(&self) -> String {
        match self.limits.as_str() {
            "" => self.estimate.clone(),
            limits => format!("{} {limits}", self.estimate),
        }
    }
}

/// By which factor values of a unit are multiplied to be shown: shares are shown in per cent.
pub(super) fn factor(unit: &str) -> f64 {
    if unit == "%" { 100.0 } else { 1.0 }
}

/// The digits to which a number is rounded.
#[derive(Clone, Copy)]
pub(super) struct Rounding {
    decimals: usize,
    step: f64,
    trim: bool,
}

impl Rounding {
    /// To two significant digits of half a width, of a large one to three.
    pub(crate) fn to_width(half: f64) -> Self {
        let (mut decimals, mut rest) = (0, half.abs());
        while rest < 10.0 && decimals < 8 {
            rest *= 10.0;
            decimals += 1;
        }
        let mut step = 1.0;
        while rest.is_finite() && rest / step >= 1_000.0 {
            step *= 10.0;
        }
        Rounding { decimals, step, trim: false }
    }

    /// To three significant digits of a number that has no interval.
    pub(crate) fn to_digits(value: f64) -> Self {
        let (mut decimals, mut rest) = (0, value.abs());
        while rest > 0.0 && rest < 100.0 && decimals < 9 {
            rest *= 10.0;
            decimals += 1;
        }
        Rounding { decimals, step: 1.0, trim: true }
    }

    /// To the digits that tell multiples of a step apart.
    pub(crate) fn to_step(step: f64) -> Self {
        let (mut decimals, mut rest) = (0, step.abs());
        while rest < 1.0 - 1e-9 && decimals < 9 {
            rest *= 10.0;
            decimals += 1;
        }
        Rounding { decimals, step: 1.0, trim: false }
    }

    /// What suits an interval, whose values have been multiplied.
    fn of(interval: &Interval, factor: f64) -> Self {
        let distance = match (interval.lower, interval.upper, interval.estimate) {
            (Some(lower), Some(upper), _) => (upper - lower) / 2.0,
            (Some(limit), None, Some(estimate)) | (None, Some(limit), Some(estimate)) => {
                limit - estimate
            }
            _ => 0.0,
        };
        if distance != 0.0 {
            return Rounding::to_width(distance * factor);
        }
        let value = interval.estimate.or(interval.lower).or(interval.upper).unwrap_or(0.0);
        Rounding::to_digits(value * factor)
    }

    /// The number to these digits, with commas between thousands.
    pub(crate) fn number(self, value: f64) -> String {
        if !value.is_finite() {
            return "not a number".to_owned();
        }
        if value.abs() >= 1e15 {
            return format!("{value:.2e}");
        }
        let rounded = libm::round(value / self.step) * self.step;
        let value = if self.step > 1.0 { rounded } else { value };
        let mut digits = format!("{:.*}", self.decimals, value.abs());
        if self.trim && digits.contains('.') {
            digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
        }
        let zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let sign = if value < 0.0 && !zero { "-" } else { "" };
        format!("{sign}{}", grouped(&digits))
    }

    /// The number, never below it.
    fn up(self, value: f64) -> String {
        self.number(libm::ceil(value / self.last() - 1e-9) * self.last())
    }

    /// The number, never above it.
    fn down(self, value: f64) -> String {
        self.number(libm::floor(value / self.last() + 1e-9) * self.last())
    }

    /// The value of the last digit that is shown.
    fn last(self) -> f64 {
        (0..self.decimals).fold(self.step, |last, _| last / 10.0)
    }
}

/// Digits with a comma after each thousand.
fn grouped(digits: &str) -> String {
    let (whole, fraction) = match digits.find('.') {
        Some(dot) => digits.split_at(dot),
        None => (digits, ""),
    };
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    text
}

/// A whole number, with commas between thousands.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number that has no interval, to three significant digits.
pub(super) fn alone(value: f64) -> String {
    Rounding::to_digits(value).number(value)
}

/// A share in per cent, to three significant digits.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", alone(share * 100.0))
}

/// A p-value: three decimals, and never 0.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// An interval of values in that unit, without the unit.
pub(super) fn shown(interval: &Interval, unit: &str) -> Shown {
    let factor = factor(unit);
    let rounding = Rounding::of(interval, factor);
    let estimate = match (interval.estimate, &interval.note) {
        (Some(value), _) => rounding.number(value * factor),
        (None, Some(Note::NothingAtRisk)) => "none at risk".to_owned(),
        (None, Some(Note::NeverReached)) => "not reached".to_owned(),
        (None, Some(Note::BeyondObservation)) => "not observed".to_owned(),
        (None, _) => "no data".to_owned(),
    };
    let (lower, upper) = (interval.lower.map(|v| v * factor), interval.upper.map(|v| v * factor));
    let limits = match (&interval.note, lower, upper) {
        (Some(Note::OneValue), ..) => "(no interval)".to_owned(),
        (Some(Note::AllEqual), ..) => "(all equal)".to_owned(),
        (Some(Note::NeverDiffer { .. }), ..) => "(never differ)".to_owned(),
        (Some(Note::NoEvents), _, Some(upper)) => format!("(at most {})", rounding.up(upper)),
        (Some(Note::AllEvents), Some(lower), _) => format!("(at least {})", rounding.down(lower)),
        (_, Some(lower), Some(upper)) => {
            format!("({} to {})", rounding.number(lower), rounding.number(upper))
        }
        (_, Some(lower), None) => format!("({} or more)", rounding.number(lower)),
        (_, None, Some(upper)) => format!("({} or less)", rounding.number(upper)),
        (_, None, None) if interval.estimate.is_some() => "(no limits)".to_owned(),
        (_, None, None) => String::new(),
    };
    Shown { estimate, limits }
}
