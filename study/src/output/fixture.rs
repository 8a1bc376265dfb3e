//! Results made by hand, like those of a real study and unlike any.
use crate::file::{Measure, Selection};
use crate::result::{
    Answer, ArmResult, ComparisonResult, ConvergencePoint, CurveKind, CurvePoint, CurveResult,
    DeadlineResult, InputEffect, MeasureResult, ScenarioText, Statistic, StudyResult, UncertainArm,
    UncertaintyResult,
};
use crate::statistics::{Interval, Note};
use sim::fact::Clock;
use sim::severity::Severity;

/// An interval around a value.
pub(super) fn around(estimate: f64, half: f64) -> Interval {
    Interval {
        estimate: Some(estimate),
        lower: Some(estimate - half),
        upper: Some(estimate + half),
        n: 200,
        note: None,
    }
}

/// Nothing known of anything.
pub(super) fn empty(arms: usize) -> StudyResult {
    let arm = |place: usize| ArmResult {
        name: format!("builders.count={place}"),
        settings: Vec::new(),
        builders: 1,
        measures: Vec::new(),
        curves: Vec::new(),
        deadlines: Vec::new(),
        convergence: Vec::new(),
    };
    StudyResult {
        format: 1,
        name: "empty".to_owned(),
        title: "Nothing".to_owned(),
        description: String::new(),
        kernel: "0.1.0".to_owned(),
        seed: 1,
        confidence: 0.95,
        horizon_days: 91.0,
        warm_up_days: 14.0,
        replications: 1,
        stopping: "as many replications as the study asks for".to_owned(),
        capped: false,
        currency: None,
        main: Selection::all(Measure::Violations),
        tiers: Vec::new(),
        arms: (0..arms).map(arm).collect(),
        comparisons: Vec::new(),
        answers: Vec::new(),
        uncertainty: None,
        study_text: String::new(),
        scenarios: Vec::new(),
    }
}

/// A measure of a clock.
pub(super) fn of_clock(measure: Measure, clock: Clock) -> Selection {
    Selection { clock: Some(clock), ..Selection::all(measure) }
}

fn measure(of: Selection, unit: &str, statistic: Statistic, interval: Interval) -> MeasureResult {
    MeasureResult { of, unit: unit.to_owned(), statistic, interval }
}

/// The measures of an arm that is so much worse than the best one.
pub(super) fn measures(worse: f64, currency: &str) -> Vec<MeasureResult> {
    let mut all = Vec::new();
    for (clock, more) in [(Clock::Provider, 1.0), (Clock::Customer, 1.6)] {
        let violations = 14.2 * worse * more;
        let kept = 1.0 - 0.012 * worse * more;
        let any = (0.61 + 0.12 * worse * more).min(0.96);
        for (of, unit, statistic, interval) in [
            (Measure::Violations, "", Statistic::Mean, around(violations, 1.9 * worse)),
            (Measure::AnyViolation, "", Statistic::Proportion, around(any, 0.034)),
            (Measure::Kept, "%", Statistic::Ratio, around(kept, 0.0019 * worse)),
        ] {
            all.push(measure(of_clock(of, clock), unit, statistic, interval));
        }
        let critical = Selection {
            severity: Some(Severity::Critical),
            tier: Some("gold".to_owned()),
            ..of_clock(Measure::Violations, clock)
        };
        let none = Interval {
            estimate: Some(0.0),
            lower: Some(0.0),
            upper: Some(0.0149),
            n: 200,
            note: Some(Note::NoEvents),
        };
        all.push(measure(critical, "", Statistic::Proportion, none));
    }
    let longest = Interval {
        estimate: Some(94.0 * worse),
        lower: Some(70.0 * worse),
        upper: None,
        n: 200,
        note: Some(Note::TooFew { lower_needs: None, upper_needs: Some(294) }),
    };
    for (of, unit, statistic, interval) in [
        (Measure::ExposureDays, "d", Statistic::Mean, around(48_210.0 * worse, 1_310.0)),
        (Measure::BuilderHours, "h", Statistic::Mean, around(7_392.0, 0.0)),
        (Measure::Utilization, "%", Statistic::Ratio, around(0.62 / worse, 0.008)),
        (Measure::QueueWaitMean, "h", Statistic::Mean, around(0.41 * worse, 0.03)),
        (Measure::QueueWaitP50, "h", Statistic::Mean, around(0.12 * worse, 0.011)),
        (Measure::QueueWaitP95, "h", Statistic::Mean, around(2.31 * worse, 0.22)),
        (Measure::QueueWaitP99, "h", Statistic::Mean, around(7.5 * worse, 0.9)),
        (Measure::Drained50, "h", Statistic::Median, around(11.0 * worse, 1.0)),
        (Measure::Drained90, "h", Statistic::Median, around(41.0 * worse, 4.0)),
        (Measure::Drained90, "h", Statistic::P90, longest),
        (Measure::Cost, currency, Statistic::Mean, around(61_200.0 / worse, 2_450.0 * worse)),
    ] {
        all.push(measure(Selection::all(of), unit, statistic, interval));
    }
    all
}

/// A curve that falls to half within so many hours, and ends at a share above nothing.
fn curve(of: CurveKind, severity: Severity, half_hours: f64, worse: f64) -> CurveResult {
    let last = 0.06 * worse;
    let mut points = Vec::new();
    for hours in (1_u32..2_184).filter(|hours| *hours < 200 || hours % 7 == 0) {
        let slow = f64::from(hours) / (half_hours * worse);
        let survival = last + (1.0 - last) / (1.0 + slow * libm::sqrt(slow));
        let half = 0.035 * worse * libm::sqrt(survival * (1.0 - survival)) * 2.0 + 0.004;
        points.push(CurvePoint {
            hours,
            at_risk: u64::from(9_000 - hours * 4),
            survival,
            lower: Some((survival - half).max(0.0)),
            upper: Some((survival + half).min(1.0)),
        });
    }
    let never = Interval { n: 200, note: Some(Note::NeverReached), ..Interval::default() };
    let p90 = half_hours * worse * 4.4;
    let deadline_days = match severity {
        Severity::Critical => vec![3, 7],
        Severity::High => vec![14, 30],
        _ => vec![90],
    };
    CurveResult {
        of,
        severity,
        subjects: 9_000,
        ended: 8_423,
        points,
        median: around(half_hours * worse, half_hours * 0.04),
        p90: if p90 > 1_000.0 { never } else { around(p90, p90 * 0.08) },
        deadline_days,
    }
}

fn deadlines(worse: f64) -> Vec<DeadlineResult> {
    let mut all = Vec::new();
    for clock in [Clock::Provider, Clock::Customer] {
        for severity in Severity::ALL.into_iter().rev() {
            let slow = if clock == Clock::Customer { 2.3 } else { 1.2 };
            let kept = (1_u32..=45).map(|day| {
                let missed = libm::exp(-f64::from(day) / (slow * worse)) + 0.004 * worse;
                around(1.0 - missed.min(0.6), 0.03 * missed.min(0.6) + 0.001)
            });
            let required = (clock == Clock::Provider).then_some(0.99);
            all.push(DeadlineResult {
                clock,
                severity,
                tier: None,
                required,
                kept: kept.collect(),
            });
        }
    }
    all
}

fn arm(name: &str, worse: f64, setting: (&str, &str)) -> ArmResult {
    let mut curves = Vec::new();
    for (kind, factor) in [(CurveKind::TimeToFix, 1.0), (CurveKind::TimeToAdopt, 2.4)] {
        for (severity, hours) in Severity::ALL.into_iter().zip([160.0, 96.0, 40.0, 22.0]) {
            curves.push(curve(kind, severity, hours * factor, worse));
        }
    }
    let convergence = (10_u32..=200).map(|n| {
        let left = libm::sqrt(1.0 / f64::from(n));
        let mean = 61_200.0 / worse + 9_000.0 * left * libm::sin(f64::from(n) / 7.0);
        let half = 34_000.0 * left * worse;
        let limits = (Some(mean - half), Some(mean + half));
        ConvergencePoint { n: u64::from(n), mean, lower: limits.0, upper: limits.1 }
    });
    ArmResult {
        name: name.to_owned(),
        settings: vec![(setting.0.to_owned(), setting.1.to_owned())],
        builders: 4,
        measures: measures(worse, "EUR"),
        curves,
        deadlines: deadlines(worse),
        convergence: convergence.collect(),
    }
}

fn comparison(arm: &str, measure: Measure, difference: f64, half: f64) -> ComparisonResult {
    let differs = difference.abs() > half;
    ComparisonResult {
        arm: arm.to_owned(),
        than: "nightly".to_owned(),
        of: match measure.is_of_timers() {
            true => of_clock(measure, Clock::Provider),
            false => Selection::all(measure),
        },
        difference: around(difference, half),
        p_value: Some(if differs { 0.00002 } else { 0.34 }),
        differs,
        variance_ratio: Some(0.183),
        differ: around(0.93, 0.03),
    }
}

fn uncertainty() -> UncertaintyResult {
    let inputs = [
        ("builders.duration.median", "4m", "11m", 49_100.0, 88_400.0, Some(0.58)),
        ("cves.package_fix.sigma", "1.2", "2.4", 55_200.0, 71_000.0, Some(0.21)),
        ("customers.adoption_lag.median", "6h", "1d", 60_000.0, 66_300.0, Some(0.071)),
        ("builders.flake", "1%", "4%", 60_900.0, 63_100.0, Some(0.012)),
        ("cves.detection_lag.max", "2d", "5d", 61_900.0, 60_400.0, None),
    ];
    let inputs = inputs.map(|(path, low, high, at_low, at_high, variance_share)| InputEffect {
        path: path.to_owned(),
        low: low.to_owned(),
        high: high.to_owned(),
        at_low,
        at_high,
        variance_share,
    });
    let arm = |name: &str, at: f64| UncertainArm {
        arm: name.to_owned(),
        by_chance: around(at, 2_450.0),
        by_inputs: around(at + 1_900.0, 19_800.0),
        inputs: inputs.to_vec(),
    };
    UncertaintyResult {
        of: Selection::all(Measure::Cost),
        draws: 40,
        replications: 10,
        arms: vec![arm("nightly", 61_200.0), arm("weekly", 45_300.0)],
    }
}

fn answer(question: &str, answer: &str, basis: &str, more: Option<u64>) -> Answer {
    Answer {
        question: question.to_owned(),
        answer: answer.to_owned(),
        basis: basis.to_owned(),
        told: more.is_none(),
        more_replications: more,
    }
}

/// A study of rebuild cadences, as it may well come out.
pub(super) fn realistic() -> StudyResult {
    let arms = vec![
        arm("nightly", 1.0, ("triggers.rebuild", "\"0 2 * * *\"")),
        arm("weekly", 1.35, ("triggers.rebuild", "\"0 2 * * 0\"")),
        arm("only when a fix is out", 1.1, ("triggers.rebuild", "null")),
    ];
    StudyResult {
        name: "nightly-or-weekly".to_owned(),
        title: "Rebuild nightly, weekly, or only when a fix is out?".to_owned(),
        description:
            "What a cadence costs in builders and saves in violations, for 200 images and \
            40 customers on the service levels of the bundled scenario."
                .to_owned(),
        replications: 200,
        stopping: "fixed: 200 replications of each arm".to_owned(),
        currency: Some("EUR".to_owned()),
        main: Selection::all(Measure::Cost),
        tiers: vec!["gold".to_owned(), "silver".to_owned()],
        comparisons: vec![
            comparison("weekly", Measure::Violations, 4.97, 1.12),
            comparison("weekly", Measure::Kept, -0.0042, 0.0011),
            comparison("weekly", Measure::Cost, -15_900.0, 1_940.0),
            comparison("only when a fix is out", Measure::Violations, 1.42, 1.6),
            comparison("only when a fix is out", Measure::Cost, -5_560.0, 2_010.0),
        ],
        answers: vec![
            answer(
                "What is the smallest SLA that is kept with at least 99 % in nightly?",
                "Critical in 6 days, high in 7 days, medium in 7 days, low in 8 days.",
                "the lower 95 % limit of the share kept, over 200 replications; at 5 days critical \
                 would be kept with 98.6 %",
                None,
            ),
            answer(
                "Which arm is cheapest?",
                "weekly: 45,333 EUR, at least 13,960 EUR less than any other.",
                "paired differences over 200 replications, simultaneous at 95 %",
                None,
            ),
            answer(
                "Is \"only when a fix is out\" better than nightly in violations of the provider's \
                 clock?",
                "It cannot be told with this budget.",
                "the difference of 1.4 has the interval -0.2 to 3.0",
                Some(140),
            ),
        ],
        uncertainty: Some(uncertainty()),
        study_text:
            "name: nightly-or-weekly\ntitle: Rebuild nightly, weekly, or only when a fix is \
            out?\nscenario: demo\narms:\n  - name: nightly\n    set: {triggers.rebuild: \"0 2 * * \
            *\"}\n"
                .to_owned(),
        scenarios: vec![ScenarioText {
            name: "demo".to_owned(),
            text: "name: demo\nduration: 91d\nbuilders: {count: 4}\n".to_owned(),
        }],
        arms,
        ..empty(0)
    }
}

/// As many arms as a study may have, with names of a grid.
pub(super) fn many() -> StudyResult {
    let mut result = realistic();
    result.arms = (0..64_u32)
        .map(|place| {
            let name = format!("builders.count={}, triggers.rebuild={}", place % 8, place / 8);
            let mut arm = arm(&name, 1.0 + f64::from(place) / 90.0, ("builders.count", "4"));
            arm.curves.iter_mut().for_each(|curve| curve.points.truncate(60));
            arm
        })
        .collect();
    result
}

/// Texts that try to be more than texts.
pub(super) fn hostile() -> StudyResult {
    let bad = "\"><script>alert(1)</script>&amp;'<!--\u{1b}[31m\u{202e}\u{0}";
    let mut result = realistic();
    for arm in &mut result.arms {
        arm.name.push_str(bad);
        arm.settings = vec![(bad.to_owned(), bad.to_owned())];
        arm.measures = measures(1.0, bad);
        for deadlines in &mut arm.deadlines {
            deadlines.tier = Some(bad.to_owned());
        }
    }
    for comparison in &mut result.comparisons {
        comparison.arm.push_str(bad);
        comparison.of.tier = Some(bad.to_owned());
    }
    for answer in &mut result.answers {
        answer.question = bad.to_owned();
        answer.answer = bad.to_owned();
        answer.basis = bad.to_owned();
    }
    let uncertainty = result.uncertainty.iter_mut().flat_map(|all| &mut all.arms);
    for arm in uncertainty {
        arm.arm = bad.to_owned();
        arm.inputs.iter_mut().for_each(|input| {
            input.path = bad.to_owned();
            input.low = bad.to_owned();
        });
    }
    result.name = bad.to_owned();
    result.title = bad.to_owned();
    result.description = bad.to_owned();
    result.kernel = bad.to_owned();
    result.stopping = bad.to_owned();
    result.currency = Some(bad.to_owned());
    result.study_text = bad.to_owned();
    result.scenarios = vec![ScenarioText { name: bad.to_owned(), text: bad.to_owned() }];
    result
}
