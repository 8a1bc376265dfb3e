//! 95 % intervals of studies hold what they promise where the answer is known: rows 5, 11, 15 and 18 of
//! docs/model.md ("Validation"), each as a study, in 1,000 experiments. Worlds are played once; an
//! experiment is a campaign of its own that is given its share of them. The binomial error of a
//! coverage over 1,000 experiments is 0.7 points.
#[path = "support/studies.rs"]
mod studies;

use libm::{erfc, exp, log};
use sim::fact::Clock;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use study::arms::Compiled;
use study::campaign::{Batch, Campaign, Played, play};
use study::file::{Measure, Selection};
use study::measure::Outcome;
use study::result::{CurveKind, StudyResult};
use study::statistics::Interval;

const EXPERIMENTS: u32 = 1_000;
const FIXED: RangeInclusive<f64> = 0.93..=0.97;
const SEQUENTIAL: RangeInclusive<f64> = 0.92..=0.97;

/// Played replications by number, of all arms, on all cores.
struct Pool<'a> {
    compiled: &'a Arc<Compiled>,
    outcomes: Vec<Vec<Outcome>>,
}

impl<'a> Pool<'a> {
    fn new(compiled: &'a Arc<Compiled>) -> Self {
        Pool { compiled, outcomes: Vec::new() }
    }

    /// The replications from one on.
    fn get(&mut self, first: usize, count: usize) -> &[Vec<Outcome>] {
        const STEP: u32 = 2_000;
        while self.outcomes.len() < first + count {
            let played = self.outcomes.len();
            let from = u32::try_from(played).expect("not so many");
            self.play(from, STEP);
            assert!(self.outcomes.len() > played, "replications are played");
        }
        &self.outcomes[first..first + count]
    }

    fn play(&mut self, from: u32, count: u32) {
        const SIZE: u32 = 20;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicU32::new(from);
        let (done, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let first = next.fetch_add(SIZE, Ordering::Relaxed);
                        if first >= from + count {
                            return;
                        }
                        let batch = Batch { round: 0, place: 0, variation: 0, first, count: SIZE };
                        let played = play(self.compiled, &batch, &stop).expect("not stopped");
                        done.lock().expect("a lock").push((first, played.outcomes));
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("a lock");
        done.sort_by_key(|(first, _)| *first);
        self.outcomes.extend(done.into_iter().flat_map(|(_, outcomes)| outcomes));
    }

    /// A study of its own with the replications from one on: the result.
    fn experiment(&mut self, first: usize) -> StudyResult {
        let mut campaign = Campaign::new(Arc::clone(self.compiled));
        loop {
            let round = campaign.next_round();
            if round.is_empty() {
                return campaign.finish();
            }
            for batch in round {
                let (own, count) = (first + batch.first as usize, batch.count as usize);
                let played = Played { outcomes: self.get(own, count).to_vec() };
                campaign.absorb(&batch, &played, &mut |_| ());
            }
        }
    }
}

/// In how many of 1,000 experiments the interval holds the exact value, and how many replications
/// one has.
fn coverage(
    what: &str,
    compiled: &Arc<Compiled>,
    exact: f64,
    within: &RangeInclusive<f64>,
    of: impl Fn(&StudyResult) -> Interval,
) {
    covers(compiled, &[(what, exact, within, &of)]);
}

type Known<'a> = (&'a str, f64, &'a RangeInclusive<f64>, &'a dyn Fn(&StudyResult) -> Interval);

fn covers(compiled: &Arc<Compiled>, known: &[Known<'_>]) {
    let mut pool = Pool::new(compiled);
    let mut first = 0;
    let mut held = vec![0_u32; known.len()];
    let mut sums = vec![0.0; known.len()];
    for _ in 0..EXPERIMENTS {
        let result = pool.experiment(first);
        // Those that were played and did not count are as good as new.
        first += usize::try_from(result.replications).expect("not so many");
        for (place, (what, exact, _, of)) in known.iter().enumerate() {
            let interval = of(&result);
            let Interval { estimate: Some(estimate), lower: Some(_), upper: Some(_), .. } =
                interval
            else {
                panic!("{what}: {interval:?}");
            };
            held[place] += u32::from(interval.contains(*exact));
            sums[place] += estimate;
        }
    }
    let mean = first as f64 / f64::from(EXPERIMENTS);
    for (place, (what, exact, within, _)) in known.iter().enumerate() {
        let coverage = f64::from(held[place]) / f64::from(EXPERIMENTS);
        let estimate = sums[place] / f64::from(EXPERIMENTS);
        let seed = compiled.study.seed;
        let said = format!(
            "{what}: {coverage} of the intervals hold {exact:.5} (mean estimate {estimate:.5}), {mean} \
             replications each, from seed {seed}"
        );
        println!("{said}");
        assert!(within.contains(&coverage), "{said}");
    }
}

fn measure(result: &StudyResult, of: &Selection) -> Interval {
    let measures = &result.arms[0].measures;
    measures.iter().find(|measure| measure.of == *of).expect("it is measured").interval.clone()
}

fn ready(times: &str, scenario: &str) -> Arc<Compiled> {
    let text = format!(
        "name: known\ntitle: Known\nscenario: known\n{times}\narms: [{{name: as it is}}]\n"
    );
    studies::ready(&text, &[("known", scenario)]).unwrap_or_else(|error| panic!("{error}"))
}

/// M/M/4 with 3.2 arrivals an hour and services of an hour in the mean.
const QUEUE: &str = "name: queue\ntitle: A queue\nstart: 2026-01-05T00:00:00Z\nduration: 365d\n\
    distribution: {packages: 1, end_of_life: 1}\nvulnerabilities: {per_day: 0}\n\
    images: [{name: only, packages: 1}]\n\
    builders: {count: 4, duration: {exponential: {mean: 1h}}, flake: 0, breakage: 0, \
    queue: {merge: false}}\n\
    triggers:\n  upstream: false\n  base_change: false\n  \
    arrivals: [{trigger: manual, gap: {exponential: {mean: 1125s}}}]\n\
    scanner: {schedule: never}\nsla: {check: never}\n";

/// Row 5: the mean wait of Erlang's C, C(4, 3.2) / (4 - 3.2) = 0.745541 h. The warm-up is five times
/// the time in which the queue forgets, 1 / (4 (1 - sqrt 0.8)^2) = 22 h. A replication's mean is a ratio
/// of two sums that depend on each other, which leaves a bias of about 0.1 %, a fiftieth of the
/// interval's half width.
#[test]
fn row_5_the_wait_of_four_servers() {
    let compiled = ready("horizon: 65d\nwarm_up: 5d\nreplications: 10", QUEUE);
    let of = Selection::all(Measure::QueueWaitMean);
    coverage("row 5", &compiled, 0.745_541, &FIXED, |result| measure(result, &of));
}

/// One image of one package, whose fixes are built at once. LN(-0.307, 1.405) days from disclosure to
/// fix: the median is exp(-0.307) d.
fn remediation(per_day: f64, severity: &str, scans: &str, rest: &str) -> String {
    format!(
        "name: one\ntitle: One image\nstart: 2026-01-05T00:00:00Z\nduration: 3650d\n\
         distribution: {{packages: 1, end_of_life: 0, \
         releases_per_year: {{lognormal_number: {{mu: -10, sigma: 0}}}}}}\n\
         vulnerabilities:\n  per_day: {per_day}\n  dispersion: 0\n  weekdays: [1, 1, 1, 1, 1, 1, 1]\n  \
         single_package: 1\n  fixed_at_disclosure: 1\n  detection_lag: {{constant: 0s}}\n  \
         severity: {severity}\n  \
         package_fix: {{lognormal: {{median: 63562119ms, sigma: 1.405}}}}\n\
         images: [{{name: only, packages: 1}}]\n\
         builders: {{count: 10, duration: {{constant: 1ms}}, flake: 0, breakage: 0}}\n\
         triggers: {{upstream: false, cve_fix: low}}\n\
         scanner: {{schedule: {scans}, false_positives: 0}}\nsla: {{check: never}}\n{rest}"
    )
}

const MU: f64 = -0.307;
const SIGMA: f64 = 1.405;
const MS_IN_DAYS: f64 = 1.0 / 86_400_000.0;

/// P(Z > z).
fn normal_above(z: f64) -> f64 {
    0.5 * erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// S(t) = P(X > t), t in days.
fn longer(t: f64) -> f64 {
    normal_above((log(t) - MU) / SIGMA)
}

/// The integral of S up to t, E min(X, t) = E[X; X <= t] + t S(t), days.
fn lasts_until(t: f64) -> f64 {
    let mean = exp(MU + SIGMA * SIGMA / 2.0);
    mean * (1.0 - normal_above((log(t) - MU - SIGMA * SIGMA) / SIGMA)) + t * longer(t)
}

/// The mean of a function over [0, width] by Simpson's rule.
fn mean_over(width: f64, of: impl Fn(f64) -> f64) -> f64 {
    const PARTS: u32 = 200;
    let weight = |n: u32| match n {
        0 | PARTS => 1.0,
        odd if odd % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let at = |n: u32| width * f64::from(n) / f64::from(PARTS);
    (0..=PARTS).map(|n| weight(n) * of(at(n))).sum::<f64>() / (3.0 * f64::from(PARTS))
}

/// How many findings are open after `horizon` days, with a scan every `scans` days and one at the very
/// end. CVEs come as a Poisson process and go independently, so their number is Poisson (M/G/inf), with
/// a mean of rate x (the integral of S from 0 to the horizon): 5.9217 for ever. Two things are added.
/// What was disclosed since the scan before the last is found by the last one, whether or not it is
/// fixed by then, and its rebuild ends only after the horizon: the integral of S up to `scans` is
/// replaced by `scans` itself. And a build takes a millisecond. (A build in that last hour is scanned as
/// it is pushed, which finds some of these earlier: less than 0.001 of a finding.)
fn open_at_end(per_day: f64, horizon: f64, scans: f64) -> f64 {
    per_day * (scans + lasts_until(horizon) - lasts_until(scans) + MS_IN_DAYS)
}

#[test]
fn the_closed_forms_are_those_of_the_document() {
    assert!((3.0 * lasts_until(1e9) - 5.9217).abs() < 5e-5);
    for (days, exact) in [(1.0, 0.413_518), (7.0, 0.054_413), (14.0, 0.018_004), (30.0, 0.004_154)]
    {
        assert!((longer(days) - exact).abs() < 5e-7, "{days}");
    }
    // A year's violations of 0.24 a day that are kept within 7 days with this probability.
    assert!((0.24 * 365.0 * longer(7.0) - 4.7666).abs() < 5e-4);
    assert!((mean_over(2.0, |t| t * t) - 4.0 / 3.0).abs() < 1e-12);
}

/// Row 11: findings open at the end. Row 15: the curve at 7 d. It counts from the detection, by an
/// hourly scan, which is D, uniform in an hour, after the disclosure; the fix is published a
/// millisecond after it came; times are rounded up to the hour. So it is P(X + 1 ms - D > 7 d), the mean
/// of S(7 d + D - 1 ms) over D.
#[test]
fn rows_11_and_15_open_findings_and_the_time_to_fix() {
    let medium = "{critical: 0, high: 0, medium: 1, low: 0}";
    let scenario = remediation(3.0, medium, "0 * * * *", "");
    let compiled = ready("horizon: 40d\nwarm_up: 1d\nreplications: 10", &scenario);
    let open = Selection::all(Measure::OpenAtEnd);
    let hour = 1.0 / 24.0;
    let exact = mean_over(hour, |later| longer(7.0 + later - MS_IN_DAYS));
    let open_at_end = open_at_end(3.0, 40.0, hour);
    let open: Known<'_> = ("row 11", open_at_end, &FIXED, &|result| measure(result, &open));
    covers(&compiled, &[open, ("row 15", exact, &FIXED, &after_a_week)]);
}

/// The curve at 168 hours.
fn after_a_week(result: &StudyResult) -> Interval {
    let curve = result.arms[0].curves.iter().find(|curve| curve.of == CurveKind::TimeToFix);
    let points = &curve.expect("a curve").points;
    let point = points.iter().rfind(|point| point.hours <= 168).expect("a point");
    let (estimate, n) = (Some(point.survival), result.replications);
    Interval { estimate, lower: point.lower, upper: point.upper, n, note: None }
}

const WEEK: &str = "policies:\n  - {name: week, days: {critical: 7}, clock_start: published, \
    pause_without_fix: false}\n\
    customers:\n  - {name: one, policy: week, images: 1, pinned: 0}\n";

/// Row 18: missed deadlines of the provider's clock. Such a timer counts if it opened, D after the
/// disclosure, D uniform between two scans, after the warm-up, and if the deadline, 7 d after the
/// disclosure, lies before the end: so disclosures of `measured - 7 d + E D` count, each with
/// P(X > 7 d).
fn violations(measured: f64, scans: f64) -> f64 {
    0.24 * (measured - 7.0 + scans / 2.0) * longer(7.0 - MS_IN_DAYS)
}

#[test]
fn row_18_violations_of_a_year() {
    let critical = "{critical: 1, high: 0, medium: 0, low: 0}";
    let scenario = remediation(0.24, critical, "0 */6 * * *", WEEK);
    let compiled = ready("horizon: 375d\nwarm_up: 10d\nreplications: 10", &scenario);
    let of = Selection { clock: Some(Clock::Provider), ..Selection::all(Measure::Violations) };
    let exact = violations(365.0, 0.25);
    coverage("row 18", &compiled, exact, &FIXED, |result| measure(result, &of));
}

/// Row 11 in a short world, until the mean is known within 15 %: about 45 replications.
#[test]
fn row_11_until_it_is_known_well_enough() {
    let medium = "{critical: 0, high: 0, medium: 1, low: 0}";
    let scenario = remediation(3.0, medium, "0 * * * *", "");
    let times = "horizon: 10d\nwarm_up: 1d\n\
        precision: {of: {measure: open_at_end}, within: 15%, budget: 1000}";
    let compiled = ready(times, &scenario);
    let of = Selection::all(Measure::OpenAtEnd);
    let exact = open_at_end(3.0, 10.0, 1.0 / 24.0);
    coverage("row 11, sequential", &compiled, exact, &SEQUENTIAL, |result| {
        assert!(!result.capped, "{}", result.stopping);
        measure(result, &of)
    });
}
