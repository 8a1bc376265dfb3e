//! The statistics of studies: intervals with the replication as the unit of analysis, survival
//! curves, comparisons under common random numbers, when to stop, and which arm is best.
//!
//! All of it is pure and on the pinned `libm`, and every sum has a stated order, so that the same
//! values give the same bits on every machine. What is degenerate (no event, one value, all values
//! equal, two arms that never differ, a curve that never reaches one half) has a defined answer
//! with a [`Note`] that says so. Values that come in are finite.

mod error;
mod interval;
mod moments;
mod paired;
mod quantile;
mod ratio;
mod select;
mod sequential;
pub mod special;
mod survival;

pub use error::Error;
pub use interval::{Interval, Level, Note, no_event_bound, wilson};
pub use moments::{Moments, t_mean};
pub use paired::{Comparison, Paired, bonferroni, compare, holm};
pub use quantile::{quantile, quantile_needs};
pub use ratio::{RatioMoments, ratio, share};
pub use select::{Better, Round, Selection, Selector};
pub use sequential::{Precision, Progress, Rule, Sequential};
pub use survival::{Band, Curve, Point, Section, Tally, Variance};

#[cfg(test)]
mod tests;
