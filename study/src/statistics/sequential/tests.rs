//! The rule of Hoad, Robinson and Davies, step by step, and where it must not stop.
use super::*;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn relative(precision: f64, cap: u64) -> Sequential {
    Sequential::new(Rule::new(Precision::Relative(precision), level(), cap)).unwrap()
}

/// Feeds values until it ends; how many were taken.
fn run(sequential: &mut Sequential, values: impl IntoIterator<Item = f64>) -> u64 {
    for (value, n) in values.into_iter().zip(1..) {
        if sequential.feed(value) != Progress::Continue {
            return n;
        }
    }
    panic!("it goes on: {sequential:?}")
}

/// 10 plus and minus 1 in turn.
fn alternating() -> impl Iterator<Item = f64> {
    (0..).map(|i| if i % 2 == 0 { 11.0 } else { 9.0 })
}

#[test]
fn it_stops_when_the_half_width_has_held_through_the_look_ahead() {
    // By hand: the first n from 3 on with t s/(sqrt(n) mean) at or below 10 %, then 5 more.
    let is_precise = |n: usize| {
        let values: Vec<f64> = alternating().take(n).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let m2: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        let error = (m2 / (n - 1) as f64 / n as f64).sqrt();
        t_upper(0.025, (n - 1) as f64) * error / mean <= 0.1
    };
    let first = (3..).find(|n| (*n..=n + 5).all(is_precise)).unwrap() as u64;
    let mut sequential = relative(0.1, 1000);
    assert_eq!(run(&mut sequential, alternating()), first + 5);
    assert_eq!(sequential.progress(), Progress::Stop { n: first });
    assert_eq!(sequential.needed(), Some(0));
    assert_eq!(sequential.interval().n, first + 5, "the look-ahead is in the estimate");
    let ended = sequential.clone();
    assert_eq!(sequential.feed(1e9), Progress::Stop { n: first });
    assert_eq!(sequential, ended, "nothing changes any more");
}

#[test]
fn a_precision_that_does_not_hold_is_forgotten() {
    // Precise at once, and spoilt within the look-ahead.
    let mut sequential = relative(0.1, 1000);
    let values = [10.0, 10.1, 9.9, 10.0, 30.0];
    for value in values {
        assert_eq!(sequential.feed(value), Progress::Continue);
    }
    assert!(sequential.achieved().unwrap() > 0.1);
    let n = run(&mut sequential, (0..).map(|_| 10.0)) + values.len() as u64;
    let Progress::Stop { n: reached } = sequential.progress() else { panic!() };
    assert!(reached > 5 && n >= reached + 5, "{reached} {n}");
}

#[test]
fn the_look_ahead_grows_above_a_hundred() {
    let rule = Rule::new(Precision::Relative(0.1), level(), 1000);
    assert_eq!([3, 100, 101, 200, 1000].map(|n| rule.ahead(n)), [5, 5, 6, 10, 50]);
}

#[test]
fn it_never_stops_on_no_events_yet() {
    let mut sequential = relative(0.5, 400);
    for _ in 0..399 {
        assert_eq!(sequential.feed(0.0), Progress::Continue);
    }
    assert_eq!((sequential.achieved(), sequential.needed()), (None, None));
    assert_eq!(sequential.feed(0.0), Progress::Capped { n: 400 });
    let rule = Rule::new(Precision::Proportion(0.2), level(), 400);
    for value in [0.0, 1.0] {
        let mut sequential = Sequential::new(rule).unwrap();
        assert_eq!(run(&mut sequential, (0..).map(|_| value)), 400);
        assert_eq!(sequential.progress(), Progress::Capped { n: 400 });
        assert_eq!(sequential.needed(), None);
    }
}

#[test]
fn equal_values_need_a_bound_of_their_own() {
    // 0.95^58 > 0.05 >= 0.95^59.
    let mut sequential = relative(0.1, 1000);
    for _ in 0..10 {
        sequential.feed(7.0);
    }
    assert_eq!(sequential.needed(), Some(59 + 5 - 10));
    assert_eq!(run(&mut sequential, (0..).map(|_| 7.0)), 59 + 5 - 10);
    assert_eq!(sequential.progress(), Progress::Stop { n: 59 });
}

#[test]
fn the_cap_ends_it_and_is_said() {
    let mut sequential = relative(0.001, 50);
    assert_eq!(run(&mut sequential, alternating()), 50);
    assert_eq!(sequential.progress(), Progress::Capped { n: 50 });
    // (1.96 * 1/(0.001 * 10))^2 is about 38,000.
    let needed = sequential.needed().unwrap();
    assert!((38_000..50_000).contains(&needed), "{needed}");
    // The cap counts before the end of the look-ahead.
    let mut sequential = relative(0.5, 6);
    assert_eq!(run(&mut sequential, alternating()), 6);
    assert_eq!(sequential.progress(), Progress::Capped { n: 6 });
}

#[test]
fn a_proportion_stops_by_its_score_interval() {
    let rule = Rule::new(Precision::Proportion(0.05), level(), 10_000);
    let mut sequential = Sequential::new(rule).unwrap();
    let every_fifth = (0..).map(|i| f64::from(u8::from(i % 5 == 4)));
    let n = run(&mut sequential, every_fifth);
    let Progress::Stop { n: reached } = sequential.progress() else { panic!() };
    // 1.96^2 * 0.2 * 0.8/0.05^2 = 246, and about 12 more in the look-ahead.
    assert!((238..=252).contains(&reached), "{reached}");
    assert_eq!(n, reached + rule.ahead(reached));
    assert!(sequential.achieved().unwrap() <= 0.05);
    assert_eq!(sequential.interval().n, n);
}

#[test]
fn what_is_needed_is_about_what_is_then_taken() {
    let mut sequential = relative(0.02, 10_000);
    for value in alternating().take(40) {
        sequential.feed(value);
    }
    let needed = sequential.needed().unwrap();
    let taken = run(&mut sequential, alternating());
    assert!((needed as f64 / taken as f64 - 1.0).abs() < 0.1, "{needed} {taken}");
}

#[test]
fn impossible_rules_are_refused() {
    let rule = Rule::new(Precision::Relative(0.1), level(), 100);
    for precision in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let precision = Precision::Relative(precision);
        assert!(Sequential::new(Rule { precision, ..rule }).is_err());
    }
    assert!(Sequential::new(Rule { minimum: 1, ..rule }).is_err());
    assert!(Sequential::new(Rule { cap: 2, ..rule }).is_err());
}
