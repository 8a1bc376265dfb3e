//! Fits by maximum likelihood, with what is known of the truth where it is censored: lags, arrivals
//! and shares, each with a 95 % interval from the profile of its likelihood (Venzon and Moolgavkar,
//! "A Method for Computing Profile-Likelihood-Based Confidence Intervals", 1988).
mod arrivals;
mod family;
mod goodness;
mod lag;
mod optimum;
mod uniform;

pub use arrivals::{Arrivals, Day, arrivals};
pub use family::Family;
pub use goodness::{Goodness, GoodnessPoint};
pub use lag::{LagFit, fit_family, lags};

use serde::Serialize;

/// What is known of a length of time, in hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// It was this.
    At(f64),
    /// It was longer than the first and at most the second.
    Between(f64, f64),
    /// Both ends are rounded down to the same unit, such as dates are: their difference, and the
    /// unit.
    Rounded(f64, f64),
    /// It was longer than this: the end has not come yet.
    After(f64),
}

/// Places within a unit at which the beginning can lie, for [`Seen::Rounded`].
const PLACES: u32 = 12;

impl Seen {
    /// Whether the end was seen, however exactly.
    pub fn is_event(self) -> bool {
        !matches!(self, Seen::After(_))
    }

    /// The length, or the middle of what it can be, in hours.
    pub fn middle(self) -> f64 {
        match self {
            Seen::At(t) | Seen::After(t) | Seen::Rounded(t, _) => t,
            Seen::Between(low, high) => (low + high) / 2.0,
        }
    }

    /// The least and the most that it can have been.
    fn range(self) -> (f64, f64) {
        match self {
            Seen::At(t) => (t, t),
            Seen::Between(low, high) => (low, high),
            Seen::Rounded(t, unit) => ((t - unit).max(0.0), t + unit),
            Seen::After(t) => (t, f64::INFINITY),
        }
    }
}

/// What is known of a rounded length for each of some places at which its beginning can lie.
fn within(difference: f64, unit: f64) -> impl Iterator<Item = (f64, f64)> {
    (0..PLACES).map(move |place| {
        let begin = (f64::from(place) + 0.5) / f64::from(PLACES) * unit;
        ((difference - begin).max(0.0), difference - begin + unit)
    })
}

/// The same values once, with how often they are there, in ascending order.
fn weighed(mut values: Vec<(Seen, f64)>) -> Vec<(Seen, f64, f64)> {
    values.sort_by(|a, b| {
        let (a_range, b_range) = (a.0.range(), b.0.range());
        let by_range = a_range.0.total_cmp(&b_range.0).then(a_range.1.total_cmp(&b_range.1));
        by_range.then(a.1.total_cmp(&b.1))
    });
    let runs = values.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0].0, run[0].1, run.len() as f64)).collect()
}

/// One subject of a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// What is known of it.
    pub seen: Seen,
    /// Whether it has the spread of one package around its advisory besides.
    pub spread: bool,
    /// Subjects of one group end all or never: those of one package. None: it stands alone and ends
    /// for certain, sooner or later.
    pub group: Option<u32>,
}

impl Observation {
    /// Of a subject that stands alone.
    pub fn alone(seen: Seen) -> Self {
        Observation { seen, spread: false, group: None }
    }
}

/// A fitted number with its 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// What it is, such as `median`.
    pub name: String,
    /// Its unit; empty for a number without one.
    pub unit: &'static str,
    /// The estimate.
    pub estimate: f64,
    /// The lower limit; none: the data set none.
    pub lower: Option<f64>,
    /// The upper limit; none: the data set none.
    pub upper: Option<f64>,
}

impl Parameter {
    /// Whether a value lies within the interval.
    pub fn contains(&self, value: f64) -> bool {
        self.lower.is_none_or(|low| low <= value) && self.upper.is_none_or(|high| value <= high)
    }
}

/// What a fit of a lag comes to.
struct Fitted {
    parameters: Vec<Parameter>,
    never: Option<Parameter>,
    /// Where the maximum is, and its standard errors.
    optimum: Vec<(f64, f64)>,
    log_likelihood: f64,
    /// Parameters as `Family::log_survival` takes them.
    at: Vec<f64>,
}

/// By how much the logarithm of the likelihood falls at the limits of a 95 % interval: half of the
/// quantile of chi square with one degree of freedom, 3.841459.
const DROP: f64 = 1.920_729_4;
