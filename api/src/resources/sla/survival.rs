//! How long exposures last: the Kaplan-Meier estimate.
//!
//! S(t) is the share of exposures that last longer than t. At each time t at which some end, it is
//! multiplied by 1 - d/n: d of the n exposures that had lasted until t end then. An exposure that
//! has not ended (censored) counts in n for as long as it has been seen, so what is still open
//! makes the estimate neither too hopeful, as leaving it out would, nor too dark, as waiting for it
//! would. What is censored at t counts as having lasted until t. (Kaplan and Meier, Nonparametric
//! estimation from incomplete observations, JASA 53, 1958.)
use std::collections::BTreeMap;

/// A time at which exposures ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The time, in hours.
    pub(super) hours: i64,
    /// How many had lasted until then.
    pub(super) at_risk: i64,
    /// How many of them ended then.
    pub(super) ended: i64,
    /// The estimated share that lasts longer.
    pub(super) survival: f64,
}

/// An estimate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Curve {
    /// How many exposures it rests on.
    pub(super) exposures: i64,
    /// How many of them had ended.
    pub(super) ended: i64,
    /// Where it steps down, in order.
    pub(super) steps: Vec<Step>,
    /// The first time at which at most half last longer; none: it is not reached.
    pub(super) median_hours: Option<i64>,
}

/// The estimate from exposures: how long in hours, whether it ended then, and how many such.
pub(super) fn estimate(observations: impl IntoIterator<Item = (i64, bool, i64)>) -> Curve {
    let mut times: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (hours, ended, count) in observations {
        let (ends, all) = times.entry(hours).or_default();
        *ends += if ended { count } else { 0 };
        *all += count;
    }
    let exposures = times.values().map(|(_, all)| all).sum();
    let mut curve = Curve { exposures, ..Curve::default() };
    let (mut at_risk, mut survival) = (exposures, 1.0);
    for (hours, (ended, all)) in times {
        if ended > 0 {
            survival *= (at_risk - ended) as f64 / at_risk as f64;
            curve.steps.push(Step { hours, at_risk, ended, survival });
            curve.ended += ended;
            // Half of the exposures, whatever the last bit of the product says.
            if survival <= 0.5 + 1e-12 && curve.median_hours.is_none() {
                curve.median_hours = Some(hours);
            }
        }
        at_risk -= all;
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weeks of remission under 6-mercaptopurine, the textbook example (Freireich et al., Blood
    /// 21, 1963; in Cox and Oakes, Analysis of Survival Data, and in Collett): 21 patients with
    /// ties and censoring. By hand: 18/21, then x 16/17, 14/15, 11/12, 10/11, 6/7, 5/6.
    #[test]
    fn the_textbook_example() {
        let ended = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
        let all = ended.map(|t| (t, true, 1)).into_iter();
        let curve = estimate(all.chain(censored.map(|t| (t, false, 1))));
        assert_eq!((curve.exposures, curve.ended, curve.median_hours), (21, 9, Some(23)));
        let steps: Vec<_> = curve.steps.iter().map(|s| (s.hours, s.at_risk, s.ended)).collect();
        let by_hand =
            [(6, 21, 3), (7, 17, 1), (10, 15, 1), (13, 12, 1), (16, 11, 1), (22, 7, 1), (23, 6, 1)];
        assert_eq!(steps, by_hand);
        let expected =
            [0.857_143, 0.806_723, 0.752_941, 0.690_196, 0.627_451, 0.537_815, 0.448_179];
        for (step, expected) in curve.steps.iter().zip(expected) {
            assert!((step.survival - expected).abs() < 1e-6, "{step:?}");
        }
    }

    #[test]
    fn without_censoring_it_is_the_share_that_lasts_longer() {
        let curve = estimate([(1, true, 2), (3, true, 1), (4, true, 1)]);
        let shares: Vec<f64> = curve.steps.iter().map(|step| step.survival).collect();
        assert_eq!(shares, [0.5, 0.25, 0.0]);
        assert_eq!(curve.median_hours, Some(1));
    }

    #[test]
    fn a_median_that_is_not_reached_is_none() {
        assert_eq!(estimate([]), Curve::default());
        assert_eq!(estimate([(5, false, 3)]).median_hours, None);
        let curve = estimate([(5, true, 1), (6, false, 3)]);
        assert_eq!((curve.median_hours, curve.steps[0].survival), (None, 0.75));
    }
}
