//! Against the published comparison of Newcombe (1998), and closed forms.
use super::*;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

#[test]
fn the_score_interval_is_that_of_newcombe() {
    // "Two-sided confidence intervals for the single proportion", table I, method 3.
    for (successes, n, lower, upper) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)]
    {
        let interval = wilson(successes, n, level());
        assert!((interval.lower.unwrap() - lower).abs() < 5e-5, "{interval:?}");
        assert!((interval.upper.unwrap() - upper).abs() < 5e-5, "{interval:?}");
        assert_eq!(interval.estimate, Some(successes as f64 / n as f64));
        assert_eq!((interval.n, interval.note), (n, None));
    }
}

#[test]
fn limits_of_the_score_interval_solve_its_equation() {
    // |p̂ - p| = z sqrt(p(1 - p)/n) at both limits.
    let z = normal_upper(0.025);
    for (successes, n) in [(1_u64, 2_u64), (3, 7), (499, 500), (1, 100_000)] {
        let interval = wilson(successes, n, level());
        let estimate = interval.estimate.unwrap();
        for limit in [interval.lower.unwrap(), interval.upper.unwrap()] {
            let error = z * (limit * (1.0 - limit) / n as f64).sqrt();
            assert!(((estimate - limit).abs() / error - 1.0).abs() < 1e-8, "{interval:?}");
        }
    }
}

#[test]
fn no_event_has_the_exact_one_sided_bound() {
    for n in [1, 2, 20, 300, 1_000_000] {
        let interval = wilson(0, n, level());
        let upper = interval.upper.unwrap();
        // The probability of no event in n trials at the bound is alpha.
        assert!(((1.0 - upper).powf(n as f64) / 0.05 - 1.0).abs() < 1e-9, "{n}: {upper}");
        assert_eq!((interval.estimate, interval.lower), (Some(0.0), Some(0.0)));
        assert_eq!(interval.note, Some(Note::NoEvents));
        let all = wilson(n, n, level());
        assert_eq!(all.lower, Some(1.0 - upper));
        assert_eq!((all.estimate, all.upper), (Some(1.0), Some(1.0)));
        assert_eq!(all.note, Some(Note::AllEvents));
    }
    let one = wilson(0, 1, level()).upper.unwrap();
    assert!((one - 0.95).abs() < 1e-15, "one trial: {one}");
    // The rule of three.
    assert!((no_event_bound(1000, level()) - 0.003).abs() < 1e-5);
    assert_eq!(no_event_bound(0, level()), 1.0);
}

#[test]
fn no_trial_has_no_interval() {
    let interval = wilson(0, 0, level());
    assert_eq!(interval, Interval { note: Some(Note::NoData), ..Interval::default() });
    assert!(interval.contains(0.3), "everything is possible");
}

#[test]
fn successes_and_failures_mirror_each_other() {
    for (successes, n) in [(0, 9), (2, 9), (4, 9)] {
        let (one, other) = (wilson(successes, n, level()), wilson(n - successes, n, level()));
        assert!((one.lower.unwrap() - (1.0 - other.upper.unwrap())).abs() < 1e-15);
        assert!((one.upper.unwrap() - (1.0 - other.lower.unwrap())).abs() < 1e-15);
    }
}

#[test]
fn a_level_lies_between_0_and_1() {
    for wrong in [0.0, 1.0, -0.5, 95.0, f64::NAN, f64::INFINITY] {
        assert!(Level::new(wrong).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<Level>("95").unwrap_err().to_string().contains("0.95"));
    assert_eq!(serde_json::to_string(&level()).unwrap(), "0.95");
    assert_eq!(serde_json::from_str::<Level>("0.95").unwrap(), level());
}

#[test]
fn a_level_is_shared_among_comparisons() {
    assert!((level().bonferroni(10).alpha() - 0.005).abs() < 1e-15);
    assert_eq!(level().bonferroni(0), level().bonferroni(1));
    let many = level().bonferroni(usize::MAX);
    assert!(many.confidence() < 1.0 && many.alpha() > 0.0);
}

#[test]
fn notes_are_sentences() {
    let few = Note::TooFew { lower_needs: None, upper_needs: Some(72) };
    assert_eq!(few.to_string(), "no upper limit below 72 replications");
    let both = Note::TooFew { lower_needs: Some(6), upper_needs: Some(6) };
    assert_eq!(
        both.to_string(),
        "no lower limit below 6 replications, no upper limit below 6 replications"
    );
    let never = Note::NeverDiffer { differs_at_most: 0.029_51 };
    assert!(never.to_string().ends_with("with probability 0.03 at most"), "{never}");
}
