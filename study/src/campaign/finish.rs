//! The result of a study from what was kept of its replications.
mod answers;
mod curves;
mod effects;

use super::Campaign;
use crate::arms::{CompiledArm, days};
use crate::file::{Measure, Question, Selection};
use crate::result::{
    ArmResult, ComparisonResult, ConvergencePoint, DeadlineResult, MeasureResult, Statistic,
    StudyResult,
};
use crate::statistics::{
    Interval, Level, Moments, Note, Paired, Progress as Decision, compare, quantile, share, t_mean,
    wilson,
};
use crate::tally::Tally;
use sim::fact::Clock;

/// The version of the form of results.
const FORMAT: u32 = 1;

pub(super) fn finish(campaign: &Campaign) -> StudyResult {
    let compiled = &campaign.compiled;
    let study = &compiled.study;
    let (stopping, capped) = stopping(campaign);
    let arms = (0..compiled.arms.len()).map(|arm| arm_result(campaign, arm)).collect();
    StudyResult {
        format: FORMAT,
        name: study.name.to_string(),
        title: study.title.clone(),
        description: study.description.clone(),
        kernel: sim::KERNEL_VERSION.to_owned(),
        seed: study.seed,
        confidence: compiled.level.confidence(),
        horizon_days: days(compiled.horizon),
        warm_up_days: days(compiled.warm_up),
        replications: u64::from(campaign.counted),
        stopping,
        capped,
        currency: study.costs.as_ref().map(|costs| costs.currency.clone()),
        main: compiled.main_measure(),
        tiers: compiled.tiers.0.clone(),
        arms,
        comparisons: comparisons(campaign),
        answers: answers::answers(campaign),
        uncertainty: effects::uncertainty(campaign),
        study_text: compiled.text.clone(),
        scenarios: compiled.scenarios.clone(),
    }
}

/// Why there are so many replications, and whether the budget ended first.
fn stopping(campaign: &Campaign) -> (String, bool) {
    let counted = campaign.counted;
    let Some(precision) = &campaign.compiled.study.precision else {
        return (format!("{counted} replications of each arm, as the study says"), false);
    };
    let capped =
        campaign.rules.iter().any(|rule| !matches!(rule.progress(), Decision::Stop { .. }));
    let of = precision.of.words();
    let within = precision.within.value() * 100.0;
    if !capped {
        let said = format!(
            "stopped after {counted} replications: the mean of {of} is known within {within} % of it \
             in every arm (Hoad, Robinson and Davies 2010)"
        );
        return (said, false);
    }
    let needed = campaign.rules.iter().filter_map(|rule| rule.needed()).max();
    let more = needed.filter(|more| *more > 0);
    let more = more.map_or_else(String::new, |more| format!("; about {more} more are needed"));
    let said = format!(
        "the budget of {counted} replications ended before the mean of {of} was known within \
         {within} % of it in every arm{more}"
    );
    (said, true)
}

fn arm_result(campaign: &Campaign, arm: usize) -> ArmResult {
    let compiled = &campaign.compiled;
    let CompiledArm { name, changes, .. } = &compiled.arms[arm];
    let scenario = &compiled.nominal()[arm];
    let tally = &campaign.tallies[arm];
    let selections = campaign.counting.selections.iter().enumerate();
    ArmResult {
        name: name.clone(),
        settings: changes.iter().map(|c| (c.path.clone(), c.value.to_string())).collect(),
        builders: scenario.builders.count,
        measures: selections.flat_map(|(place, of)| measures(campaign, tally, place, of)).collect(),
        curves: curves::curves(campaign, tally, scenario),
        deadlines: deadlines(campaign, tally),
        convergence: convergence(campaign, tally),
    }
}

/// What is said of a selection: its mean or share, and for some how it spreads.
fn measures(
    campaign: &Campaign,
    tally: &Tally,
    place: usize,
    of: &Selection,
) -> Vec<MeasureResult> {
    let level = campaign.compiled.level;
    let values = &tally.values[place];
    let result = |statistic, interval| MeasureResult {
        of: of.clone(),
        unit: unit(campaign, of.measure),
        statistic,
        interval,
    };
    let (statistic, interval) = estimate(tally, place, of, level);
    let mut results = vec![result(statistic, interval)];
    if of.measure.drained_share().is_some()
        || matches!(of.measure, Measure::Violations | Measure::Cost)
    {
        results.push(result(Statistic::P90, quantile_of(values, 0.9, level)));
    }
    results
}

/// What stands for a selection in one number.
fn estimate(tally: &Tally, place: usize, of: &Selection, level: Level) -> (Statistic, Interval) {
    let values = &tally.values[place];
    let gaps = values.iter().filter(|value| value.is_nan()).count();
    let has_gaps = || gaps > 0 && gaps < values.len();
    match of.measure {
        Measure::AnyViolation => {
            let events = values.iter().filter(|value| **value > 0.5).count() as u64;
            (Statistic::Proportion, wilson(events, values.len() as u64, level))
        }
        Measure::Kept => (Statistic::Ratio, share(&tally.ratios[place], level)),
        Measure::QueueWaitP50 | Measure::QueueWaitP95 | Measure::QueueWaitP99 if has_gaps() => {
            (Statistic::Median, quantile_of(values, 0.5, level))
        }
        of if of.drained_share().is_some() => (Statistic::Median, quantile_of(values, 0.5, level)),
        _ => (Statistic::Mean, mean(of.measure, values, level)),
    }
}

/// The mean of what is never negative. No violation in any replication does not mean that there is
/// none: if they come independently of each other, the mean is at most -ln(alpha) / n.
fn mean(of: Measure, values: &[f64], level: Level) -> Interval {
    let moments = moments(values);
    let interval = t_mean(&moments, level);
    if of == Measure::Violations && moments.n > 0 && values.iter().all(|value| *value == 0.0) {
        let upper = -libm::log(level.alpha()) / moments.n as f64;
        let (lower, upper) = (Some(0.0), Some(upper));
        return Interval { lower, upper, note: Some(Note::NoEvents), ..interval };
    }
    Interval { lower: interval.lower.map(|lower| lower.max(0.0)), ..interval }
}

/// What stands for a selection in an arm, at a level of its own.
pub(super) fn estimate_of(
    campaign: &Campaign,
    arm: usize,
    of: &Selection,
    level: Level,
) -> Interval {
    let place = campaign.counting.selections.iter().position(|own| own == of);
    place.map_or_else(Interval::default, |place| {
        estimate(&campaign.tallies[arm], place, of, level).1
    })
}

/// The moments of the values that there are.
pub(super) fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    for value in values.iter().filter(|value| !value.is_nan()) {
        moments.push(*value);
    }
    moments
}

/// A quantile over replications; one without a value counts as the longest.
fn quantile_of(values: &[f64], q: f64, level: Level) -> Interval {
    let longest = |value: &f64| if value.is_nan() { f64::INFINITY } else { *value };
    let mut sorted: Vec<f64> = values.iter().map(longest).collect();
    sorted.sort_by(f64::total_cmp);
    let mut interval = quantile(&sorted, q, level);
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    interval.estimate = finite(interval.estimate);
    interval.lower = finite(interval.lower);
    interval.upper = finite(interval.upper);
    interval
}

fn unit(campaign: &Campaign, measure: Measure) -> String {
    let unit = match measure {
        Measure::AnyViolation | Measure::Kept | Measure::Utilization => "%",
        Measure::ExposureDays => "d",
        Measure::BuilderHours
        | Measure::BusyBuilderHours
        | Measure::QueueWaitMean
        | Measure::QueueWaitP50
        | Measure::QueueWaitP95
        | Measure::QueueWaitP99
        | Measure::Drained50
        | Measure::Drained80
        | Measure::Drained90
        | Measure::Drained95
        | Measure::Drained99 => "h",
        Measure::Violations
        | Measure::Undecided
        | Measure::OpenAtEnd
        | Measure::Builds
        | Measure::BuildsAtEnd => "",
        Measure::Cost => campaign.compiled.costs().map_or("", |costs| costs.currency.as_str()),
    };
    unit.to_owned()
}

fn deadlines(campaign: &Campaign, tally: &Tally) -> Vec<DeadlineResult> {
    let level = campaign.compiled.level;
    let groups = campaign.counting.groups.iter().zip(&tally.deadlines);
    let result = groups.map(|(group, by_days)| DeadlineResult {
        clock: group.clock,
        severity: group.severity,
        tier: group.tier.clone(),
        required: required(campaign, group.clock, group.tier.as_ref()),
        kept: by_days.iter().map(|moments| share(moments, level)).collect(),
    });
    let seen = |of: &DeadlineResult| of.kept.iter().any(|kept| kept.estimate.is_some());
    result.filter(seen).collect()
}

/// The most that a question requires of that clock and tier.
fn required(campaign: &Campaign, clock: Clock, tier: Option<&String>) -> Option<f64> {
    let questions = campaign.compiled.study.questions.iter();
    let shares = questions.filter_map(|question| match question {
        Question::SmallestSla(it) if it.clock == clock && it.tier.as_ref() == tier => {
            Some(it.kept.value())
        }
        _ => None,
    });
    shares.reduce(f64::max)
}

/// So many points show how an interval narrows.
const CONVERGENCE: usize = 40;

fn convergence(campaign: &Campaign, tally: &Tally) -> Vec<ConvergencePoint> {
    let main = campaign.compiled.main_measure();
    let values: Vec<f64> =
        tally.of(&campaign.counting, &main).iter().copied().filter(|v| !v.is_nan()).collect();
    let step = values.len().div_ceil(CONVERGENCE).max(1);
    let mut moments = Moments::default();
    let mut points = Vec::new();
    for (place, value) in values.iter().enumerate() {
        moments.push(*value);
        let last = place + 1 == values.len();
        if last || (place + 1) % step == 0 && place > 0 {
            let interval = t_mean(&moments, campaign.compiled.level);
            points.push(ConvergencePoint {
                n: moments.n,
                mean: moments.mean,
                lower: interval.lower,
                upper: interval.upper,
            });
        }
    }
    points
}

/// What every arm is compared in with the first.
fn compared(campaign: &Campaign) -> Vec<Selection> {
    let clock = |clock| Selection { clock: Some(clock), ..Selection::all(Measure::Violations) };
    let mut all = vec![
        clock(Clock::Provider),
        clock(Clock::Customer),
        Selection::all(Measure::ExposureDays),
        Selection::all(Measure::BusyBuilderHours),
    ];
    if campaign.compiled.costs().is_some() {
        all.push(Selection::all(Measure::Cost));
    }
    let main = campaign.compiled.main_measure();
    if !all.contains(&main) {
        all.push(main);
    }
    all
}

/// Which arm is compared with which, and in what.
pub(super) fn pairs(campaign: &Campaign) -> Vec<(usize, usize, Selection)> {
    let compiled = &campaign.compiled;
    let mut pairs = Vec::new();
    for arm in 1..compiled.arms.len() {
        pairs.extend(compared(campaign).into_iter().map(|of| (arm, 0, of)));
    }
    let place = |name: &str| compiled.arms.iter().position(|arm| arm.name == name);
    for question in &compiled.study.questions {
        if let Question::Better(of) = question
            && let (Some(arm), Some(than)) = (place(&of.arm), place(&of.than))
            && !pairs.contains(&(arm, than, of.measure.clone()))
        {
            pairs.push((arm, than, of.measure.clone()));
        }
    }
    pairs
}

/// The paired moments of two arms: only replications in which both have a value.
pub(super) fn paired(campaign: &Campaign, a: usize, b: usize, of: &Selection) -> Paired {
    let values = |arm: usize| campaign.tallies[arm].of(&campaign.counting, of);
    let mut paired = Paired::default();
    for (a, b) in values(a).iter().zip(values(b)) {
        if !a.is_nan() && !b.is_nan() {
            paired.push(*a, *b);
        }
    }
    paired
}

pub(super) fn comparisons(campaign: &Campaign) -> Vec<ComparisonResult> {
    let pairs = pairs(campaign);
    let moments: Vec<Paired> =
        pairs.iter().map(|(arm, than, of)| paired(campaign, *arm, *than, of)).collect();
    let level = campaign.compiled.level;
    let compared = compare(&moments, level);
    let name = |arm: usize| campaign.compiled.arms[arm].name.clone();
    let whole = pairs.into_iter().zip(moments).zip(compared);
    whole
        .map(|(((arm, than, of), moments), compared)| ComparisonResult {
            arm: name(arm),
            than: name(than),
            of,
            difference: compared.interval,
            p_value: compared.adjusted,
            differs: compared.differs,
            variance_ratio: moments.variance_ratio(),
            differ: moments.differs(level),
        })
        .collect()
}
