//! From values to places: linear, or logarithmic over hours; with ticks at round values.
use super::super::figures;

/// Round hours that a logarithmic axis is marked with.
const HOURS: [(f64, &str); 11] = [
    (1.0, "1 h"),
    (3.0, "3 h"),
    (6.0, "6 h"),
    (12.0, "12 h"),
    (24.0, "1 d"),
    (72.0, "3 d"),
    (168.0, "7 d"),
    (720.0, "30 d"),
    (2_160.0, "90 d"),
    (8_760.0, "1 y"),
    (87_600.0, "10 y"),
];

/// A scale between two places.
#[derive(Clone)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    ticks: Vec<(f64, String)>,
    log: bool,
}

impl Scale {
    /// A linear scale over all values and a little more, with about so many ticks at round values.
    /// What is not finite is left out.
    pub(crate) fn over(
        values: impl IntoIterator<Item = f64>,
        start: f64,
        end: f64,
        about: f64,
    ) -> Self {
        let mut range: Option<(f64, f64)> = None;
        for value in values.into_iter().filter(|value| value.is_finite()) {
            let (low, high) = range.unwrap_or((value, value));
            range = Some((low.min(value), high.max(value)));
        }
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let least = (low.abs().max(high.abs()) * 1e-6).max(1e-9);
        let (low, high) = match high - low < least {
            // One value: room around it, from 0 where that is near.
            true if low == 0.0 => (0.0, 1.0),
            true => (low - low.abs() / 2.0, high + high.abs() / 2.0),
            false => (low, high),
        };
        let step = step((high - low) / about);
        let (low, high) = (libm::floor(low / step) * step, libm::ceil(high / step) * step);
        Scale { low, high, start, end, ticks: ticks(low, high, step), log: false }
    }

    /// A linear scale between two values, with ticks every so much.
    pub(crate) fn between((low, high): (f64, f64), start: f64, end: f64, step: f64) -> Self {
        Scale { low, high, start, end, ticks: ticks(low, high, step), log: false }
    }

    /// A logarithmic scale of hours, from one hour on: what is shorter stands at its beginning.
    pub(crate) fn hours(longest: f64, start: f64, end: f64) -> Self {
        let high = longest.clamp(12.0, 1e6);
        let all = HOURS.iter().filter(|(hours, _)| *hours <= high);
        // Three hours and twelve only where there is room for them.
        let skipped = |hours: f64| high > 1_000.0 && (hours == 3.0 || hours == 12.0);
        let ticks = all.filter(|(hours, _)| !skipped(*hours));
        let ticks = ticks.map(|(hours, label)| (*hours, (*label).to_owned())).collect();
        Scale { low: 1.0, high, start, end, ticks, log: true }
    }

    /// The place of a value; of what lies outside, the nearer end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = match self.log {
            true => libm::log(value / self.low) / libm::log(self.high / self.low),
            false => (value - self.low) / (self.high - self.low),
        };
        self.start + share * (self.end - self.start)
    }

    /// The values at which it is marked, with what stands there.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        self.ticks.clone()
    }

    /// Where it starts.
    pub(crate) fn start(&self) -> f64 {
        self.start
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> f64 {
        self.end
    }
}

/// The next of 1, 2 and 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    let times = least / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| times <= round * (1.0 + 1e-9));
    power * round.unwrap_or(10.0)
}

fn ticks(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let rounding = figures::Rounding::to_step(step);
    let first = libm::ceil(low / step - 1e-6) * step;
    (0..40_u32)
        .map(|place| first + f64::from(place) * step)
        .take_while(|value| *value <= high + step * 1e-6)
        .map(|value| (value, rounding.number(value)))
        .collect()
}
