//! Closed forms of the linearised ratio, and its degenerate cases.
use super::*;
use crate::statistics::{Moments, t_mean};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn of(pairs: &[(f64, f64)]) -> RatioMoments {
    let mut moments = RatioMoments::default();
    pairs.iter().for_each(|(y, x)| moments.push(*y, *x));
    moments
}

#[test]
fn with_a_constant_denominator_it_is_the_interval_of_the_mean() {
    let values = [3.0, 0.0, 7.0, 2.0, 4.0, 1.0];
    let pairs: Vec<_> = values.iter().map(|y| (*y, 8.0)).collect();
    let (got, mean) = (ratio(&of(&pairs), level()), values.iter().map(|y| y / 8.0));
    let expected = t_mean(&mean.collect::<Moments>(), level());
    assert!((got.estimate.unwrap() - expected.estimate.unwrap()).abs() < 1e-15);
    assert!((got.upper.unwrap() - expected.upper.unwrap()).abs() < 1e-14);
    // Neither numbers of events nor times are negative.
    assert_eq!(got.lower, Some(expected.lower.unwrap().max(0.0)));
}

#[test]
fn the_variance_is_that_of_the_residuals() {
    let pairs = [(2.0, 10.0), (5.0, 14.0), (0.0, 3.0), (4.0, 9.0), (6.0, 30.0)];
    let n = 5.0;
    let (y, x) = pairs.iter().fold((0.0, 0.0), |(sy, sx), (y, x)| (sy + y, sx + x));
    let r = y / x;
    let squares: f64 = pairs.iter().map(|(y, x)| (y - r * x) * (y - r * x)).sum();
    let variance = squares / (n - 1.0) / n / (x / n * (x / n));
    let got = of(&pairs);
    assert!((got.variance().unwrap() / variance - 1.0).abs() < 1e-12);
    assert!((got.ratio().unwrap() - r).abs() < 1e-15);
    let half = ratio(&got, level()).half_width().unwrap();
    assert!((half / (t_upper(0.025, 4.0) * variance.sqrt()) - 1.0).abs() < 1e-12);
}

#[test]
fn merged_parts_are_the_whole() {
    let pairs: Vec<(f64, f64)> =
        (0..200).map(|i| (f64::from(i % 7), 10.0 + f64::from(i % 11))).collect();
    let (whole, mut merged) = (of(&pairs), RatioMoments::default());
    for part in pairs.chunks(13) {
        merged.merge(&of(part));
        merged.merge(&RatioMoments::default());
    }
    assert_eq!((merged.n, merged.max_x), (whole.n, whole.max_x));
    assert!((merged.variance().unwrap() / whole.variance().unwrap() - 1.0).abs() < 1e-12);
    assert!((merged.ratio().unwrap() / whole.ratio().unwrap() - 1.0).abs() < 1e-13);
}

#[test]
fn no_event_in_any_replication_is_bounded_by_replications() {
    // Ten thousand timers in twenty replications are twenty units.
    let interval = ratio(&of(&[(0.0, 500.0); 20]), level());
    assert_eq!((interval.estimate, interval.lower), (Some(0.0), Some(0.0)));
    assert_eq!(interval.note, Some(Note::NoEvents));
    let upper = interval.upper.unwrap();
    assert!(((1.0 - upper).powi(20) / 0.05 - 1.0).abs() < 1e-12, "{upper}");
    // One with three times the timers could have them all.
    let mut uneven = [(0.0, 100.0); 20];
    uneven[0].1 = 300.0;
    let uneven = ratio(&of(&uneven), level()).upper.unwrap();
    assert!((uneven / (upper * 300.0 / 110.0) - 1.0).abs() < 1e-12, "{uneven}");
    let one = share(&of(&[(0.0, 5.0)]), level());
    assert!((one.upper.unwrap() - 0.95).abs() < 1e-15);
}

#[test]
fn degenerate_ratios_are_said() {
    assert_eq!(ratio(&of(&[]), level()).note, Some(Note::NoData));
    let nothing = ratio(&of(&[(0.0, 0.0); 3]), level());
    assert_eq!((nothing.estimate, nothing.n), (None, 3));
    assert_eq!(nothing.note, Some(Note::NothingAtRisk));
    let one = ratio(&of(&[(2.0, 5.0)]), level());
    assert_eq!((one.estimate, one.lower, one.upper), (Some(0.4), None, None));
    assert_eq!(one.note, Some(Note::OneValue));
    let same = ratio(&of(&[(1.0, 3.0), (2.0, 6.0), (7.0, 21.0)]), level());
    assert_eq!(same.note, Some(Note::AllEqual));
    assert!(same.half_width().unwrap() == 0.0, "{same:?}");
}

#[test]
fn a_share_stays_within_its_bounds() {
    let low = share(&of(&[(1.0, 40.0), (0.0, 50.0), (0.0, 30.0), (0.0, 44.0)]), level());
    assert!(low.lower.unwrap() > 0.0 && low.upper.unwrap() < 1.0, "{low:?}");
    let all = share(&of(&[(40.0, 40.0), (50.0, 50.0), (30.0, 30.0)]), level());
    assert_eq!((all.estimate, all.upper), (Some(1.0), Some(1.0)));
    assert_eq!(all.note, Some(Note::AllEvents));
    let bound = 1.0 - (1.0 - 0.05_f64.powf(1.0 / 3.0)) * 50.0 / 40.0;
    assert!((all.lower.unwrap() - bound.max(0.0)).abs() < 1e-12, "{all:?}");
    let none = share(&of(&[(0.0, 1.0), (0.0, 100.0)]), level());
    assert_eq!(none.upper, Some(1.0));
}

#[test]
fn a_share_of_single_trials_is_the_score_interval_with_t() {
    let mut pairs = vec![(0.0, 1.0); 30];
    pairs[..9].fill((1.0, 1.0));
    let interval = share(&of(&pairs), level());
    // p(1 - p)/variance is n - 1.
    let (lower, upper) = score(0.3, 29.0, t_upper(0.025, 29.0));
    assert!((interval.lower.unwrap() - lower).abs() < 1e-12);
    assert!((interval.upper.unwrap() - upper).abs() < 1e-12);
}
