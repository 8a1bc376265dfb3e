//! Against tables of the sign test, and closed forms.
use super::*;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn ranks(n: u32) -> Vec<f64> {
    (1..=n).map(f64::from).collect()
}

#[test]
fn limits_of_the_median_are_those_of_tables() {
    // Ranks at 95 %: the sign test's critical values (Conover, table A3; Dixon and Massey, table
    //
    for (n, lower, upper) in [(6, 1, 6), (8, 1, 8), (10, 2, 9), (20, 6, 15), (50, 18, 33)] {
        let interval = quantile(&ranks(n), 0.5, level());
        assert_eq!(interval.lower, Some(f64::from(lower)), "{n}");
        assert_eq!(interval.upper, Some(f64::from(upper)), "{n}");
        assert_eq!(interval.estimate, Some(f64::from(n + 1) / 2.0));
        assert_eq!(interval.note, None);
    }
}

#[test]
fn each_limit_errs_with_half_of_alpha_at_most_and_the_next_rank_with_more() {
    for q in [0.05, 0.5, 0.9, 0.95, 0.99] {
        for n in [100_u32, 377, 1000] {
            let interval = quantile(&ranks(n), q, level());
            let count = u64::from(n);
            let below = |k: u64| binomial_cdf(k, count, q);
            if let Some(lower) = interval.lower {
                let rank = super::ceiling(lower);
                assert!(below(rank - 1) <= 0.025 && below(rank) > 0.025, "{q} {n} {rank}");
            }
            if let Some(upper) = interval.upper {
                let rank = super::ceiling(upper);
                let above = 1.0 - below(rank - 1);
                let before = 1.0 - below(rank.saturating_sub(2));
                assert!(above <= 0.025 + 1e-12 && before > 0.025, "{q} {n} {rank}");
            }
        }
    }
}

#[test]
fn limits_exist_from_the_stated_number_on() {
    // 0.95^71 = 0.0262, 0.95^72 = 0.0249; 0.99^367 = 0.02501, 0.99^368 = 0.02476.
    for (q, lower, upper) in [(0.95, 2, 72), (0.99, 1, 368), (0.5, 6, 6)] {
        assert_eq!(quantile_needs(q, level()), (lower, upper), "{q}");
        let n = u32::try_from(upper).unwrap();
        assert!(quantile(&ranks(n), q, level()).upper.is_some());
        let fewer = quantile(&ranks(n - 1), q, level());
        assert_eq!(fewer.upper, None);
        let Some(Note::TooFew { upper_needs, .. }) = fewer.note else { panic!("{fewer:?}") };
        assert_eq!(upper_needs, Some(upper));
    }
}

#[test]
fn degenerate_quantiles_are_said() {
    assert_eq!(quantile(&[], 0.5, level()).note, Some(Note::NoData));
    let one = quantile(&[3.0], 0.5, level());
    assert_eq!((one.estimate, one.lower, one.upper), (Some(3.0), None, None));
    assert_eq!(one.note, Some(Note::TooFew { lower_needs: Some(6), upper_needs: Some(6) }));
    let equal = quantile(&[2.0; 100], 0.9, level());
    assert_eq!((equal.estimate, equal.lower, equal.upper), (Some(2.0), Some(2.0), Some(2.0)));
}

#[test]
fn the_estimate_is_definition_7() {
    // R: quantile(c(1, 2, 4, 8, 16), c(0.1, 0.25, 0.9)) gives 1.4, 2, 12.8.
    let values = [1.0, 2.0, 4.0, 8.0, 16.0];
    for (q, expected) in [(0.1, 1.4), (0.25, 2.0), (0.9, 12.8), (0.5, 4.0)] {
        let estimate = quantile(&values, q, level()).estimate.unwrap();
        assert!((estimate - expected).abs() < 1e-12, "{q}: {estimate}");
    }
}
