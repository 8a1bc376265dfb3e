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
    /// It was longer than this: the end has not come yet.
    After(f64),
}

impl Seen {
    /// Whether the end was seen, however exactly.
    pub fn is_event(self) -> bool {
        !matches!(self, Seen::After(_))
    }

    /// The length, or the middle of what it can be, in hours.
    pub fn middle(self) -> f64 {
        match self {
            Seen::At(t) | Seen::After(t) => t,
            Seen::Between(low, high) => (low + high) / 2.0,
        }
    }
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
