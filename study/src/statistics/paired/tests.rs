//! Against textbooks and closed forms.
use super::*;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn of(pairs: &[(f64, f64)]) -> Paired {
    let mut paired = Paired::default();
    pairs.iter().for_each(|(a, b)| paired.push(*a, *b));
    paired
}

/// Hours of sleep gained by ten patients with two drugs (Student 1908; R's `sleep`).
const SLEEP: [(f64, f64); 10] = [
    (0.7, 1.9),
    (-1.6, 0.8),
    (-0.2, 1.1),
    (-1.2, 0.1),
    (-0.1, -0.1),
    (3.4, 4.4),
    (3.7, 5.5),
    (0.8, 1.6),
    (0.0, 4.6),
    (2.0, 3.4),
];

#[test]
fn the_difference_is_that_of_student() {
    // t.test(extra ~ group, paired): t = -4.0621, df = 9, p-value = 0.002833, -2.4598858 to
    // -0.7001142.
    let paired = of(&SLEEP);
    let interval = paired.interval(level());
    assert!((interval.estimate.unwrap() + 1.58).abs() < 1e-12);
    assert!((interval.lower.unwrap() + 2.459_885_8).abs() < 5e-8, "{interval:?}");
    assert!((interval.upper.unwrap() + 0.700_114_2).abs() < 5e-8, "{interval:?}");
    assert!((paired.p_value().unwrap() - 0.002_833).abs() < 5e-7);
    assert_eq!(paired.differ, 9);
    let differs = paired.differs(level());
    assert_eq!(differs, wilson(9, 10, level()));
}

#[test]
fn the_variance_ratio_tells_what_common_random_numbers_bring() {
    // var(a - b) = var a + var b - 2 cov.
    let ratio = of(&SLEEP).variance_ratio().unwrap();
    let (a, b): (Vec<f64>, Vec<f64>) = SLEEP.into_iter().unzip();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / 10.0;
    let product = |x: &[f64], y: &[f64]| {
        x.iter().zip(y).map(|(p, q)| (p - mean(x)) * (q - mean(y))).sum::<f64>()
    };
    let expected = 1.0 - 2.0 * product(&a, &b) / (product(&a, &a) + product(&b, &b));
    assert!((ratio - expected).abs() < 1e-12, "{ratio}");
    let shifted = of(&[(1.0, 3.0), (4.0, 6.0), (2.0, 4.0)]);
    assert_eq!(shifted.variance_ratio(), Some(0.0));
    assert_eq!(of(&[(1.0, 2.0)]).variance_ratio(), None);
    assert_eq!(of(&[(1.0, 2.0), (1.0, 2.0)]).variance_ratio(), None, "neither varies");
}

#[test]
fn arms_that_never_differ_say_so() {
    let paired = of(&[(4.0, 4.0); 59]);
    let interval = paired.interval(level());
    assert_eq!(interval.estimate, Some(0.0));
    assert_eq!(interval.half_width(), Some(0.0));
    let Some(Note::NeverDiffer { differs_at_most }) = interval.note else { panic!() };
    assert!(((1.0 - differs_at_most).powi(59) / 0.05 - 1.0).abs() < 1e-12);
    assert!(differs_at_most < 0.05);
    assert_eq!(paired.p_value(), Some(1.0));
    assert_eq!(paired.differs(level()).upper, Some(differs_at_most));
}

#[test]
fn degenerate_differences_are_said() {
    assert_eq!(of(&[]).interval(level()).note, Some(Note::NoData));
    assert_eq!(of(&[]).p_value(), None);
    let one = of(&[(3.0, 1.0)]);
    assert_eq!(one.interval(level()).note, Some(Note::OneValue));
    assert_eq!(one.p_value(), None);
    let equal = of(&[(3.0, 1.0); 5]);
    assert_eq!(equal.interval(level()).note, Some(Note::AllEqual));
    // Five signs alike of five: 2/2^5.
    assert_eq!(equal.p_value(), Some(1.0 / 16.0));
}

#[test]
fn merged_parts_are_the_whole() {
    let whole = of(&SLEEP);
    let mut merged = of(&SLEEP[..3]);
    merged.merge(&of(&SLEEP[3..]));
    assert_eq!(merged.differ, whole.differ);
    assert!((merged.p_value().unwrap() / whole.p_value().unwrap() - 1.0).abs() < 1e-9);
    assert!((merged.variance_ratio().unwrap() - whole.variance_ratio().unwrap()).abs() < 1e-12);
}

#[test]
fn p_values_are_adjusted_as_by_r() {
    // p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and of c(0.04, 0.001, 0.6, 0.01).
    let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
    for (p_values, expected) in [
        (some(&[0.01, 0.02, 0.03, 0.04, 0.05]), some(&[0.05, 0.08, 0.09, 0.09, 0.09])),
        (some(&[0.04, 0.001, 0.6, 0.01]), some(&[0.08, 0.004, 0.6, 0.03])),
        (vec![Some(0.02), None, Some(0.5)], vec![Some(0.06), None, Some(1.0)]),
    ] {
        for (got, expected) in holm(&p_values).into_iter().zip(expected) {
            assert_eq!(got.is_some(), expected.is_some());
            assert!((got.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-15, "{got:?}");
        }
    }
}

#[test]
fn comparisons_hold_all_at_once() {
    let flat = of(&[(1.0, 2.0), (2.0, 1.0), (1.0, 1.5), (2.0, 1.6)]);
    let equal = of(&[(4.0, 4.0); 30]);
    let comparisons = compare(&[of(&SLEEP), flat, equal], level());
    let sleep = &comparisons[0];
    let each = Level::new(1.0 - 0.05 / 3.0).unwrap();
    let alone = of(&SLEEP).interval(each);
    assert!((sleep.interval.upper.unwrap() - alone.upper.unwrap()).abs() < 1e-12);
    assert!((sleep.adjusted.unwrap() / (3.0 * sleep.p_value.unwrap()) - 1.0).abs() < 1e-12);
    let decisions: Vec<bool> = comparisons.iter().map(|each| each.differs).collect();
    assert_eq!(decisions, [true, false, false]);
    let Some(Note::NeverDiffer { differs_at_most }) = comparisons[2].interval.note else {
        panic!()
    };
    assert!((differs_at_most - (1.0 - (0.05_f64 / 3.0).powf(1.0 / 30.0))).abs() < 1e-12);
}
