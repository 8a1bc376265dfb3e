//! Counts of what was right, missed and wrong, and the ratios that follow.
use serde::Serialize;
use study::statistics::{Level, wilson};

/// The confidence of the intervals of ratios.
const CONFIDENCE: f64 = 0.95;

/// How often a report and the truth agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Expected and reported.
    pub right: u64,
    /// Expected and not reported.
    pub missed: u64,
    /// Reported and not expected.
    pub wrong: u64,
    /// Reported, and there, but not to be known yet: it counts for nothing.
    pub early: u64,
}

/// A ratio with its confidence limits (Wilson, 95 %). All three are none where there is nothing to
/// take a share of: that is neither 0 nor 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio.
    pub estimate: Option<f64>,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// Counts with what follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// right / (right + wrong); none where nothing was reported that could be either.
    pub precision: Ratio,
    /// right / (right + missed); none where nothing was expected.
    pub recall: Ratio,
    /// 2 right / (2 right + wrong + missed), the harmonic mean of both; none where nothing was
    /// expected and nothing reported. With something wrong or missed and nothing right it is 0.
    pub f1: Option<f64>,
}

impl Counts {
    /// Adds others.
    pub(crate) fn add(&mut self, other: Counts) {
        self.right += other.right;
        self.missed += other.missed;
        self.wrong += other.wrong;
        self.early += other.early;
    }
}

impl From<Counts> for Figures {
    fn from(counts: Counts) -> Self {
        let Counts { right, missed, wrong, .. } = counts;
        let all = 2 * right + wrong + missed;
        Figures {
            counts,
            precision: ratio(right, right + wrong),
            recall: ratio(right, right + missed),
            f1: (all > 0).then(|| 2.0 * right as f64 / all as f64),
        }
    }
}

fn ratio(part: u64, of: u64) -> Ratio {
    let Ok(level) = Level::new(CONFIDENCE) else { return Ratio::default() };
    let interval = wilson(part, of, level);
    Ratio { estimate: interval.estimate, lower: interval.lower, upper: interval.upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(right: u64, missed: u64, wrong: u64) -> Figures {
        Counts { right, missed, wrong, early: 0 }.into()
    }

    #[test]
    fn ratios_that_are_not_defined_are_none() {
        let of =
            |figures: Figures| (figures.precision.estimate, figures.recall.estimate, figures.f1);
        // Nothing true, nothing reported; nothing reported of two; nothing true of two reported.
        assert_eq!(of(figures(0, 0, 0)), (None, None, None));
        assert_eq!(of(figures(0, 2, 0)), (None, Some(0.0), Some(0.0)));
        assert_eq!(of(figures(0, 0, 2)), (Some(0.0), None, Some(0.0)));
        assert_eq!(of(figures(0, 1, 1)), (Some(0.0), Some(0.0), Some(0.0)));
        assert_eq!(of(figures(3, 0, 0)), (Some(1.0), Some(1.0), Some(1.0)));
        // 8 right, 2 missed, 4 wrong: 8/12, 8/10, 16/22.
        assert_eq!(of(figures(8, 2, 4)), (Some(8.0 / 12.0), Some(0.8), Some(16.0 / 22.0)));
    }

    #[test]
    fn limits_are_those_of_wilson() {
        // 8 of 10 at 95 %: 0.4902 to 0.9433 (Brown, Cai, DasGupta 2001, formula 4).
        let recall = figures(8, 2, 0).recall;
        assert!((recall.lower.unwrap() - 0.4902).abs() < 5e-5, "{recall:?}");
        assert!((recall.upper.unwrap() - 0.9433).abs() < 5e-5, "{recall:?}");
        let nothing = figures(0, 0, 0).recall;
        assert_eq!(nothing, Ratio::default());
    }
}
