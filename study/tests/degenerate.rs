//! Studies in which nothing happens, or always the same, or one replication: every figure has a defined
//! answer, and every output is whole.
#[path = "support/studies.rs"]
mod studies;

use std::sync::atomic::AtomicBool;
use study::file::{Measure, Selection};
use study::output;
use study::result::{CurveKind, StudyResult};
use study::runner::run;
use study::statistics::{Interval, Note};

/// A world in which nothing ever happens.
const NOTHING: &str = "name: nothing\ntitle: Nothing\nstart: 2026-01-05T00:00:00Z\nduration: 5d\n\
    distribution: {packages: 1, end_of_life: 1}\nvulnerabilities: {per_day: 0}\n\
    images: [{name: only, packages: 1}]\ntriggers: {upstream: false, cve_fix: null}\n\
    scanner: {schedule: never}\nsla: {check: never}\n";

/// CVEs that nobody ever fixes, owed to a customer by a clock that waits for the fix.
const UNFIXED: &str = "name: unfixed\ntitle: Unfixed\nstart: 2026-01-05T00:00:00Z\nduration: 20d\n\
    distribution: {packages: 4, end_of_life: 0}\n\
    vulnerabilities: {per_day: 3, fixed_at_disclosure: 0, upstream_fix: {constant: 3000d}, \
    detection_lag: {constant: 1h}}\n\
    images: [{name: only, packages: 4}]\nscanner: {schedule: 0 * * * *, false_positives: 0}\n\
    policies: [{name: fair, days: {critical: 3, high: 7, medium: 30, low: 90}}]\n\
    customers: [{name: one, policy: fair, images: 1}]\n";

/// CVEs that are fixed within the hour.
const KEPT: &str = "name: kept\ntitle: Kept\nstart: 2026-01-05T00:00:00Z\nduration: 20d\n\
    distribution: {packages: 4, end_of_life: 0}\n\
    vulnerabilities: {per_day: 3, fixed_at_disclosure: 1, package_fix: {constant: 3h}, \
    detection_lag: {constant: 1h}}\n\
    images: [{name: only, packages: 4}]\nscanner: {schedule: 0 * * * *, false_positives: 0}\n\
    triggers: {cve_fix: low}\nbuilders: {count: 4, breakage: 0}\n\
    policies: [{name: fair, days: {critical: 3, high: 7, medium: 30, low: 90}}]\n\
    customers: [{name: one, policy: fair, images: 1, pinned: 0, adoption_lag: {constant: 1h}}]\n";

const QUESTIONS: &str = "costs: {currency: EUR, violation: {provider: {critical: 5}}, \
    exposure_day: {critical: 1}}\n\
    questions:\n  - smallest_sla: {kept: 95%}\n  \
    - fewest_builders: {where: {of: {measure: queue_wait_p95}, at_most: 4}}\n  \
    - fewest_builders: {where: {of: {measure: kept}, at_least: 90%}}\n  - cheapest: {}\n  \
    - cheapest: {indifference: 1}\n  \
    - better: {arm: a, than: b, in: {measure: violations, clock: provider}}\n  \
    - better: {arm: a, than: b, in: {measure: queue_wait_mean}}\n";

const ARMS: &str = "arms: [{name: a}, {name: b, set: {builders.count: 2}}]\n";

fn played(scenario: &str, rest: &str) -> StudyResult {
    let text = format!("name: s\ntitle: S\nscenario: {scenario}\n{rest}");
    let own = [("nothing", NOTHING), ("unfixed", UNFIXED), ("kept", KEPT)];
    let compiled = studies::ready(&text, &own).unwrap_or_else(|error| panic!("{error}"));
    let stop = AtomicBool::new(false);
    let result = run(&compiled, 2, &stop, &mut |_| (), &mut |_| ()).expect("it was not stopped");
    is_whole(&result);
    result
}

/// No number is none: those would be `null` in JSON, which cannot be read back. Nor does any output
/// show one.
fn is_whole(result: &StudyResult) {
    let text = serde_json::to_string(result).expect("JSON");
    if let Err(error) = serde_json::from_str::<StudyResult>(&text) {
        panic!("{error}: {text}");
    }
    let outputs = [output::text(result, 80), output::text(result, 200), output::html(result)];
    for output in outputs {
        for bad in ["NaN", "inf ", "inf,", "inf<", "-0 ", "None", "Some("] {
            assert!(!output.contains(bad), "{bad} in\n{output}");
        }
    }
    for answer in &result.answers {
        assert!(!answer.answer.is_empty() && !answer.answer.contains("NaN"), "{answer:?}");
    }
}

fn of(result: &StudyResult, measure: Measure) -> &Interval {
    let of = Selection::all(measure);
    let measures = &result.arms[0].measures;
    &measures.iter().find(|measure| measure.of == of).expect("it is measured").interval
}

#[test]
fn nothing_to_measure_has_an_answer() {
    for replications in [1, 2, 7] {
        let result = played("nothing", &format!("{ARMS}replications: {replications}\n{QUESTIONS}"));
        let n = f64::from(replications);
        let violations = of(&result, Measure::Violations);
        assert_eq!((violations.estimate, violations.lower), (Some(0.0), Some(0.0)));
        // With a mean of m, no violation in n replications has the probability exp(-n m).
        let upper = violations.upper.expect("a bound");
        assert!((upper - -(0.05_f64.ln()) / n).abs() < 1e-12, "{violations:?}");
        assert_eq!(violations.note, Some(Note::NoEvents));
        let any = of(&result, Measure::AnyViolation);
        assert_eq!((any.estimate, any.note.clone()), (Some(0.0), Some(Note::NoEvents)));
        assert!((any.upper.expect("a bound") - (1.0 - 0.05_f64.powf(1.0 / n))).abs() < 1e-12);
        let kept = of(&result, Measure::Kept);
        assert_eq!((kept.estimate, kept.lower, kept.upper), (None, None, None));
        assert_eq!(kept.note, Some(Note::NothingAtRisk));
        for wait in [Measure::QueueWaitMean, Measure::QueueWaitP50, Measure::QueueWaitP99] {
            let wait = of(&result, wait);
            assert_eq!((wait.estimate, wait.lower, wait.upper), (None, None, None));
            assert_eq!(wait.note, Some(Note::NoData));
        }
        let utilization = of(&result, Measure::Utilization);
        assert_eq!(utilization.estimate, Some(0.0));
        let arm = &result.arms[0];
        assert!(arm.curves.is_empty() && arm.deadlines.is_empty());
        assert_eq!(result.answers.len(), 8, "one for each question, and each arm's deadlines");
        let nothing = "critical: no timers; high: no timers; medium: no timers; low: no timers";
        assert_eq!(result.answers[0].answer, nothing);
    }
}

#[test]
fn arms_that_never_differ_are_said_to() {
    let result = played("nothing", &format!("{ARMS}replications: 20\n"));
    let of = Selection::all(Measure::ExposureDays);
    let comparison = result.comparisons.iter().find(|comparison| comparison.of == of);
    let comparison = comparison.expect("compared");
    let difference = &comparison.difference;
    assert_eq!((difference.estimate, difference.lower), (Some(0.0), Some(0.0)));
    assert!(matches!(difference.note, Some(Note::NeverDiffer { .. })), "{difference:?}");
    assert_eq!(comparison.differ.estimate, Some(0.0));
    let bound = comparison.differ.upper.expect("a bound");
    assert!((bound - (1.0 - 0.05_f64.powf(1.0 / 20.0))).abs() < 1e-12, "{bound}");
    assert!(!comparison.differs && comparison.variance_ratio.is_none());
}

#[test]
fn replications_that_are_all_equal_are_said_to_be() {
    let result = played("nothing", &format!("{ARMS}replications: 20\n"));
    // A builder for the 3.75 days after a quarter of five.
    let hours = of(&result, Measure::BuilderHours);
    let limits = (hours.estimate, hours.lower, hours.upper);
    assert_eq!(limits, (Some(360.0), Some(360.0), Some(360.0)));
    assert_eq!(hours.note, Some(Note::AllEqual));
}

#[test]
fn one_replication_has_estimates_without_limits() {
    let result = played("kept", &format!("{ARMS}replications: 1\n{QUESTIONS}"));
    for measure in [Measure::ExposureDays, Measure::Builds, Measure::BusyBuilderHours] {
        let one = of(&result, measure);
        assert!(one.estimate.is_some_and(|value| value > 0.0), "{measure:?}: {one:?}");
        assert_eq!((one.lower, one.upper, one.n), (None, None, 1), "{measure:?}");
        assert_eq!(one.note, Some(Note::OneValue), "{measure:?}");
    }
    let curve = &result.arms[0].curves[0];
    assert!(curve.points.iter().all(|point| point.lower.is_none() && point.upper.is_none()));
    assert!(result.comparisons.iter().all(|comparison| !comparison.differs));
}

#[test]
fn no_violation_in_any_replication_bounds_them() {
    let result = played("kept", &format!("{ARMS}replications: 30\n{QUESTIONS}"));
    let violations = of(&result, Measure::Violations);
    assert_eq!((violations.estimate, violations.note.clone()), (Some(0.0), Some(Note::NoEvents)));
    assert!((violations.upper.expect("a bound") - -(0.05_f64.ln()) / 30.0).abs() < 1e-12);
    let kept = of(&result, Measure::Kept);
    assert_eq!((kept.estimate, kept.upper), (Some(1.0), Some(1.0)));
    assert!(kept.lower.is_some_and(|lower| lower > 0.7 && lower < 1.0), "{kept:?}");
    assert_eq!(kept.note, Some(Note::AllEvents));
}

#[test]
fn a_curve_that_never_falls_to_one_half_says_so() {
    let result = played("unfixed", &format!("{ARMS}replications: 10\n{QUESTIONS}"));
    let curves = &result.arms[0].curves;
    let fix = curves.iter().find(|curve| curve.of == CurveKind::TimeToFix).expect("a curve");
    assert!(fix.subjects > 0 && fix.ended == 0 && fix.points.is_empty(), "{fix:?}");
    for quantile in [&fix.median, &fix.p90] {
        assert_eq!((quantile.estimate, quantile.upper), (None, None));
        assert_eq!(quantile.note, Some(Note::NeverReached));
    }
    // No clock ran: nothing was decided, and all of it is open.
    assert_eq!(of(&result, Measure::Kept).note, Some(Note::NothingAtRisk));
    assert!(of(&result, Measure::Undecided).estimate.is_some_and(|open| open > 20.0));
    assert!(of(&result, Measure::OpenAtEnd).estimate.is_some_and(|open| open > 20.0));
}

#[test]
fn a_precision_of_nothing_ends_with_its_budget() {
    for measure in ["queue_wait_mean", "violations", "any_violation", "exposure_days"] {
        let precision =
            format!("precision: {{of: {{measure: {measure}}}, within: 5%, budget: 75}}\n");
        let result = played("nothing", &format!("{ARMS}{precision}"));
        assert_eq!((result.replications, result.capped), (75, true), "{measure}");
        assert!(result.stopping.contains("the budget of 75"), "{}", result.stopping);
    }
}

#[test]
fn an_hour_is_enough() {
    let result = played("kept", &format!("horizon: 1h\n{ARMS}replications: 3\n{QUESTIONS}"));
    assert_eq!((result.horizon_days, result.warm_up_days), (1.0 / 24.0, 1.0 / 96.0));
    assert!(result.arms[0].deadlines.is_empty());
}

#[test]
fn uncertain_inputs_of_nothing_have_an_effect_of_nothing() {
    let uncertain = "uncertain: {inputs: [{path: builders.flake, is: {uniform: {min: 1%, max: 9%}}}], \
        draws: 10, replications: 2}\n";
    let result = played("nothing", &format!("{ARMS}replications: 5\n{uncertain}"));
    let arm = &result.uncertainty.as_ref().expect("it was asked for").arms[0];
    let spread = (arm.by_inputs.estimate, arm.by_inputs.lower, arm.by_inputs.upper);
    assert_eq!(spread, (Some(0.0), Some(0.0), Some(0.0)));
    let effect = &arm.inputs[0];
    assert_eq!((effect.at_low, effect.at_high, effect.variance_share), (0.0, 0.0, None));
}
