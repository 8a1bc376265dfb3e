//! The procedure by its formulas, and its degenerate cases. How often it is right is in `statistics::tests`.
use super::*;

fn selection(better: Better, delta: f64) -> Selection {
    Selection { better, delta, level: Level::new(0.95).unwrap(), first: 10 }
}

/// Feeds rounds until an arm is chosen; all rounds with someone left behind, and the last one.
fn run(selector: &mut Selector, value: impl Fn(usize, u32) -> f64) -> Vec<Round> {
    let mut rounds = Vec::new();
    for replication in 0..100_000 {
        let values: Vec<f64> =
            selector.survivors().iter().map(|arm| value(*arm, replication)).collect();
        let round = selector.feed(&values);
        let is_over = round.chosen.is_some();
        if is_over || !round.eliminated.is_empty() {
            rounds.push(round);
        }
        if is_over {
            return rounds;
        }
    }
    panic!("no arm is chosen: {selector:?}")
}

/// Noise that arms share only in part.
fn noise(arm: usize, replication: u32) -> f64 {
    let mixed = (arm as u32 + 1).wrapping_mul(0x9E37_79B9) ^ replication.wrapping_mul(0x85EB_CA6B);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
    f64::from((mixed >> 12) & 0xFFF) / 4096.0 - 0.5
}

#[test]
fn the_constants_are_those_of_the_paper() {
    // Two arms, alpha 0.05, n0 = 10: eta = (0.1^(-2/9) - 1)/2, h^2 = 2 eta 9.
    let mut selector = Selector::new(selection(Better::Higher, 0.5), 2).unwrap();
    let differences: Vec<f64> = (0..10).map(|r| noise(1, r) - noise(0, r)).collect();
    for replication in 0..10 {
        assert_eq!(selector.at_most(), None);
        selector.feed(&[noise(0, replication), noise(1, replication)]);
    }
    let mean = differences.iter().sum::<f64>() / 10.0;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 9.0;
    let eta = (0.1_f64.powf(-2.0 / 9.0) - 1.0) / 2.0;
    let spread = 2.0 * eta * 9.0 * variance;
    assert!((selector.spread(0, 1) / spread - 1.0).abs() < 1e-12);
    assert_eq!(selector.spread(0, 1), selector.spread(1, 0));
    let most = (spread / 0.25).floor() as u64;
    assert_eq!(selector.at_most_of(&[0, 1]), most);
}

#[test]
fn an_arm_is_left_behind_at_the_edge_of_the_continuation_region() {
    // One arm without noise against one with: the edge is delta/(2r) (h^2 S^2/delta^2 - r).
    let mut selector = Selector::new(selection(Better::Higher, 0.05), 2).unwrap();
    let value = |arm: usize, r: u32| if arm == 0 { 0.1 } else { noise(1, r) };
    let rounds = run(&mut selector, value);
    let n = rounds.last().unwrap().n;
    let gap = |n: u64| {
        let sum: f64 = (0..n as u32).map(|r| value(0, r) - value(1, r)).sum();
        sum / n as f64
    };
    let width = |n: u64| 0.05 / (2.0 * n as f64) * (selector.spread(0, 1) / 0.0025 - n as f64);
    assert_eq!(selector.chosen(), Some(0));
    assert!(n > 10 && gap(n) > width(n).max(0.0), "{n}");
    assert!((10..n).all(|n| gap(n).abs() <= width(n)), "and not before");
}

#[test]
fn the_best_of_many_is_chosen_and_the_others_leave_one_by_one() {
    for (better, best) in [(Better::Higher, 4), (Better::Lower, 0)] {
        let mut selector = Selector::new(selection(better, 0.05), 5).unwrap();
        let rounds = run(&mut selector, |arm, r| arm as f64 * 0.1 + noise(arm, r));
        assert_eq!(selector.chosen(), Some(best));
        assert_eq!(selector.best(), Some(best));
        assert!(rounds.len() > 2, "all at once: {rounds:?}");
        let mut left: Vec<usize> = rounds.iter().flat_map(|r| r.eliminated.clone()).collect();
        left.sort_unstable();
        left.dedup();
        assert!(!left.contains(&best), "{rounds:?}");
        let after = selector.clone();
        selector.feed(&[]);
        assert_eq!(selector, after, "nothing changes once an arm is chosen");
    }
}

#[test]
fn arms_that_are_equal_end_with_the_first() {
    let mut selector = Selector::new(selection(Better::Lower, 1.0), 3).unwrap();
    let rounds = run(&mut selector, |_, replication| f64::from(replication));
    let last = rounds.last().unwrap();
    assert_eq!((last.n, last.chosen), (10, Some(0)));
    assert_eq!(last.survivors, [0, 1, 2], "none is left behind, for none is worse");
}

#[test]
fn nearly_equal_arms_end_at_the_stated_number() {
    let mut selector = Selector::new(selection(Better::Higher, 0.2), 3).unwrap();
    for r in 0..10 {
        selector.feed(&[noise(0, r), noise(1, r), noise(2, r)]);
    }
    let most = selector.at_most().unwrap();
    let mut n = 10;
    while selector.chosen().is_none() {
        let values: Vec<f64> = selector.survivors().iter().map(|arm| noise(*arm, n)).collect();
        n += 1;
        assert_eq!(selector.feed(&values).n, u64::from(n));
        assert!(u64::from(n) <= most, "{n} {most}");
    }
    assert!(n > 10);
}

#[test]
fn one_arm_is_the_best_and_none_is_refused() {
    let one = Selector::new(selection(Better::Higher, 1.0), 1).unwrap();
    assert_eq!((one.chosen(), one.best(), one.at_most()), (Some(0), Some(0), Some(0)));
    let good = selection(Better::Higher, 1.0);
    assert_eq!(Selector::new(good, 0), Err(Error::NoArms));
    assert!(Selector::new(Selection { delta: 0.0, ..good }, 2).is_err());
    assert!(Selector::new(Selection { first: 1, ..good }, 2).is_err());
}

#[test]
fn the_guarantee_is_one_sentence() {
    let text = selection(Better::Lower, 0.5).guarantee();
    assert!(text.contains("95 %") && text.contains("0.5 or more below"), "{text}");
}
