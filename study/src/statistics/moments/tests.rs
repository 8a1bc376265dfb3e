//! Against a textbook, and against the two-pass formula.
use super::*;

fn level(confidence: f64) -> Level {
    Level::new(confidence).unwrap()
}

#[test]
fn the_t_interval_is_that_of_law() {
    // Law, "Simulation Modeling and Analysis" (5th ed.), example 4.26: 1.34 ± 0.24 at 90 %.
    let values = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09];
    let moments: Moments = values.into_iter().collect();
    let interval = t_mean(&moments, level(0.9));
    assert!((interval.estimate.unwrap() - 1.343).abs() < 1e-12);
    assert!((interval.half_width().unwrap() - 0.24).abs() < 0.005, "{interval:?}");
    // With t(9, 0.95) = 1.833113.
    let variance = values.iter().map(|x| (x - 1.343_f64).powi(2)).sum::<f64>() / 9.0;
    let half = 1.833_112_932_656_237 * (variance / 10.0).sqrt();
    assert!((interval.half_width().unwrap() - half).abs() < 1e-12);
    assert_eq!((interval.n, interval.note), (10, None));
}

#[test]
fn degenerate_means_are_said() {
    let none = t_mean(&Moments::default(), level(0.95));
    assert_eq!(none, Interval { note: Some(Note::NoData), ..Interval::default() });
    let one = t_mean(&[7.0].into_iter().collect(), level(0.95));
    assert_eq!((one.estimate, one.lower, one.upper), (Some(7.0), None, None));
    assert_eq!((one.n, one.note), (1, Some(Note::OneValue)));
    let equal = t_mean(&[0.1; 10].into_iter().collect(), level(0.95));
    assert_eq!((equal.estimate, equal.lower, equal.upper), (Some(0.1), Some(0.1), Some(0.1)));
    assert_eq!(equal.note, Some(Note::AllEqual));
}

#[test]
fn merged_parts_are_the_whole() {
    let values: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 97) + 1e6).collect();
    let whole: Moments = values.iter().copied().collect();
    for size in [1, 7, 100, 999, 1000] {
        let mut merged = Moments::default();
        for part in values.chunks(size) {
            merged.merge(&part.iter().copied().collect());
            merged.merge(&Moments::default());
        }
        assert_eq!(merged.n, whole.n);
        assert!((merged.mean / whole.mean - 1.0).abs() < 1e-14);
        assert!((merged.m2 / whole.m2 - 1.0).abs() < 1e-10, "{merged:?} {whole:?}");
    }
    let mean = values.iter().sum::<f64>() / 1000.0;
    let m2: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    assert!((whole.m2 / m2 - 1.0).abs() < 1e-10);
    // Equal values stay exactly equal.
    let mut equal: Moments = [0.1; 3].into_iter().collect();
    equal.merge(&[0.1; 4].into_iter().collect());
    assert_eq!((equal.mean, equal.m2), (0.1, 0.0));
}
