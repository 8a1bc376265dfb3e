//! Intervals hold what they promise: 1,000 experiments on models whose answer is known, so that a
//! 95 % interval has to hold it in 93 to 97 % of them (the binomial error of 1,000 is 0.7 points).
//! The numbers of replications are such that a method's own error for few is not the cause.
use super::*;
use sim::random::{Purpose, RandomStreams, Sampler, count};

const EXPERIMENTS: u32 = 1000;
const FIXED: std::ops::RangeInclusive<f64> = 0.93..=0.97;
const SEQUENTIAL: std::ops::RangeInclusive<f64> = 0.92..=0.97;

/// The draws of one experiment, in order.
struct Draws {
    streams: RandomStreams,
    experiment: u64,
    index: u32,
}

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.index += 1;
        self.streams.uniform(Purpose::Incident, self.experiment, self.index)
    }

    fn lognormal(&mut self, sigma: f64) -> f64 {
        let uniform = self.uniform();
        Sampler::Lognormal { mu: 0.0, sigma }.value(uniform)
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        let uniform = self.uniform();
        Sampler::Exponential { mean }.value(uniform)
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        f64::from(count(mean, 0.0, self.uniform()))
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

fn level() -> Level {
    Level::new(0.95).unwrap()
}

/// The share of experiments in which something holds.
fn share_of(seed: u64, experiments: u32, holds: impl Fn(&mut Draws) -> bool) -> f64 {
    let streams = RandomStreams::new(seed);
    let draws = |experiment| Draws { streams, experiment, index: 0 };
    let held = (0..experiments).filter(|n| holds(&mut draws(u64::from(*n)))).count();
    held as f64 / f64::from(experiments)
}

fn covers(
    what: &str,
    within: std::ops::RangeInclusive<f64>,
    truth: f64,
    interval: impl Fn(&mut Draws) -> Interval,
) {
    let coverage = share_of(18, EXPERIMENTS, |draws| interval(draws).contains(truth));
    println!("{what}: {coverage}");
    assert!(within.contains(&coverage), "{what}: {coverage}, seed 18");
}

#[test]
fn means() {
    covers("lognormal", FIXED, (0.5_f64 * 0.5 / 2.0).exp(), |draws| {
        t_mean(&(0..100).map(|_| draws.lognormal(0.5)).collect(), level())
    });
    covers("Poisson", FIXED, 3.0, |draws| {
        t_mean(&(0..40).map(|_| draws.poisson(3.0)).collect(), level())
    });
}

#[test]
fn proportions() {
    for (p, n) in [(0.3, 200), (0.05, 400)] {
        covers("proportion", FIXED, p, |draws| {
            wilson((0..n).filter(|_| draws.happens(p)).count() as u64, n, level())
        });
    }
}

/// Of about twenty timers, those missed: the days of a replication are all good or all bad.
fn replication(draws: &mut Draws) -> (f64, f64) {
    let timers = 10.0 + draws.poisson(10.0);
    let bad = if draws.happens(0.5) { 0.05 } else { 0.25 };
    let missed = (0..timers as u32).filter(|_| draws.happens(bad)).count();
    (missed as f64, timers)
}

#[test]
fn ratios_and_shares() {
    let moments = |draws: &mut Draws| {
        let mut moments = RatioMoments::default();
        for _ in 0..60 {
            let (missed, timers) = replication(draws);
            moments.push(missed, timers);
        }
        moments
    };
    covers("ratio", FIXED, 0.15, |draws| ratio(&moments(draws), level()));
    covers("share", FIXED, 0.15, |draws| share(&moments(draws), level()));
    // With the timer as the unit, in place of the replication, the interval is too narrow.
    let naive = share_of(18, EXPERIMENTS, |draws| {
        let moments = moments(draws);
        let sum = |mean: f64| (mean * 60.0).round() as u64;
        wilson(sum(moments.mean_y), sum(moments.mean_x), level()).contains(0.15)
    });
    println!("share, by timers: {naive}");
    assert!(naive < 0.93, "{naive}");
}

#[test]
fn quantiles() {
    for q in [0.5, 0.9_f64] {
        covers("quantile", FIXED, -(1.0 - q).ln(), |draws| {
            let mut values: Vec<f64> = (0..1000).map(|_| draws.exponential(1.0)).collect();
            values.sort_by(f64::total_cmp);
            quantile(&values, q, level())
        });
    }
}

/// Steps of the grid in a unit of time.
const STEPS: f64 = 100.0;

/// A replication of ten subjects on average: it is fast or slow as a whole (exponential lifetimes
/// of mean 1/2 or 2), and ends for all of them at one time of the grid.
fn lifetimes(draws: &mut Draws) -> Section {
    let mean = if draws.happens(0.5) { 0.5 } else { 2.0 };
    let end = (STEPS * (0.5 + 1.5 * draws.uniform())).ceil();
    let mut section = Section::default();
    for _ in 0..5 + draws.poisson(5.0) as u32 {
        let lasts = (STEPS * draws.exponential(mean)).ceil();
        if lasts <= end { section.event(lasts as u32) } else { section.censored(end as u32) }
    }
    section
}

#[test]
fn survival_curves() {
    let truth = |step: u32| {
        let time = f64::from(step) / STEPS;
        f64::midpoint((-time / 0.5).exp(), (-time / 2.0).exp())
    };
    let streams = RandomStreams::new(18);
    let curves: Vec<Curve> = (0..u64::from(EXPERIMENTS))
        .map(|experiment| {
            let mut draws = Draws { streams, experiment, index: 0 };
            Curve::of(&(0..50).map(|_| lifetimes(&mut draws)).collect::<Vec<_>>())
        })
        .collect();
    let share = |what: &str, covers: &dyn Fn(&Curve) -> bool| {
        let covered = curves.iter().filter(|curve| covers(curve)).count();
        let share = covered as f64 / curves.len() as f64;
        println!("{what}: {share}");
        share
    };
    for step in [25, 100] {
        let at = |curve: &Curve, variance| curve.at(step, level(), variance);
        let clustered =
            share("survival", &|curve| at(curve, Variance::Clustered).contains(truth(step)));
        assert!(FIXED.contains(&clustered), "{step}: {clustered}");
        // Greenwood takes each subject for a unit of its own, and promises too much.
        let naive = share("survival, after Greenwood", &|curve| {
            at(curve, Variance::Greenwood).contains(truth(step))
        });
        assert!(naive < 0.93, "{step}: {naive}");
    }
    let median = (1..).find(|step| truth(*step) <= 0.5).unwrap();
    let medians = share("median", &|curve| {
        curve.quantile(0.5, level(), Variance::Clustered).contains(f64::from(median))
    });
    assert!(FIXED.contains(&medians), "{medians}");
}

#[test]
fn paired_differences() {
    covers("difference", FIXED, 1.0, |draws| {
        let mut paired = Paired::default();
        for _ in 0..40 {
            let common = draws.poisson(20.0);
            paired.push(common + draws.poisson(2.0), common + draws.poisson(1.0));
        }
        paired.interval(level())
    });
}

#[test]
fn simultaneous_differences() {
    let all = share_of(18, EXPERIMENTS, |draws| {
        let mut pairs = [Paired::default(); 4];
        for _ in 0..40 {
            let common = draws.poisson(20.0);
            for pair in &mut pairs {
                pair.push(common + draws.poisson(3.0), common);
            }
        }
        let comparisons = compare(&pairs, level());
        comparisons.iter().all(|comparison| comparison.interval.contains(3.0))
    });
    println!("four differences at once: {all}");
    assert!(FIXED.contains(&all), "{all}");
}

#[test]
fn sequential_stopping() {
    let run = |rule: Rule, draws: &mut Draws, value: fn(&mut Draws) -> f64| {
        let mut sequential = Sequential::new(rule).unwrap();
        while sequential.feed(value(draws)) == Progress::Continue {}
        assert!(matches!(sequential.progress(), Progress::Stop { .. }), "{sequential:?}");
        sequential.interval()
    };
    let relative = Rule::new(Precision::Relative(0.075), level(), 10_000);
    covers("sequential, lognormal", SEQUENTIAL, (0.5_f64 * 0.5 / 2.0).exp(), |draws| {
        run(relative, draws, |draws| draws.lognormal(0.5))
    });
    covers("sequential, Poisson", SEQUENTIAL, 3.0, |draws| {
        run(relative, draws, |draws| draws.poisson(3.0))
    });
    let proportion = Rule::new(Precision::Proportion(0.05), level(), 10_000);
    covers("sequential, proportion", SEQUENTIAL, 0.2, |draws| {
        run(proportion, draws, |draws| f64::from(u8::from(draws.happens(0.2))))
    });
}

#[test]
fn the_best_arm_is_chosen_as_often_as_promised() {
    // The least favourable case: all others exactly the indifference zone worse.
    let selection = Selection { better: Better::Lower, delta: 1.0, level: level(), first: 10 };
    let right = share_of(18, 400, |draws| {
        let mut selector = Selector::new(selection, 5).unwrap();
        while selector.chosen().is_none() {
            let common = draws.poisson(20.0);
            let values: Vec<f64> = selector
                .survivors()
                .iter()
                .map(|arm| common + draws.poisson(if *arm == 3 { 4.0 } else { 5.0 }))
                .collect();
            selector.feed(&values);
        }
        selector.chosen() == Some(3)
    });
    println!("correct selections: {right}");
    assert!(right >= 0.95, "{right}");
}
