//! Estimates from many replications, each with its confidence limits.
use poem_openapi::Object;
use study::statistics::Interval;

/// An estimate with its confidence limits: how well so many replications tell it, and nothing about how
/// well the model fits the world outside.
#[derive(Clone, Copy, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Estimate {
    /// The estimate; absent: nothing was seen of it.
    pub(crate) estimate: Option<f64>,
    /// The lower limit; absent: there is none.
    pub(crate) lower: Option<f64>,
    /// The upper limit; absent: there is none.
    pub(crate) upper: Option<f64>,
}

impl From<Interval> for Estimate {
    fn from(of: Interval) -> Self {
        Estimate { estimate: of.estimate, lower: of.lower, upper: of.upper }
    }
}
