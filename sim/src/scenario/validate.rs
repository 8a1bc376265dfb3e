//! What a scenario means: names that exist, ranges that make sense, sizes the kernel can bear.
mod catalogue;
mod incidents;
mod load;
mod tenants;

use super::model::{Draw, Scenario, Vulnerabilities};
use super::units::{Amount, CronSchedule};
use crate::strict_yaml::error::{did_you_mean, excerpt};
use crate::strict_yaml::{Invalid, Step, steps};
use crate::time::{DAY_MS, MINUTE_MS, SimDuration, SimTime};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The shortest and the longest run.
const DURATION: RangeInclusive<SimDuration> = SimDuration(MINUTE_MS)..=SimDuration(3650 * DAY_MS);
/// The most firings of one schedule in one run.
const MAX_FIRINGS: i64 = 1_000_000;

/// All that makes no sense, as it is found.
type Out<'a> = &'a mut Vec<Invalid>;

/// Checks everything that the types of the model and the limits of the schema cannot.
pub(super) fn validate(scenario: &Scenario) -> Vec<Invalid> {
    let mut out = Vec::new();
    general(scenario, &mut out);
    vulnerabilities(&scenario.vulnerabilities, &mut out);
    catalogue::check(scenario, &mut out);
    load::check(scenario, &mut out);
    incidents::check(scenario, &mut out);
    tenants::check(scenario, &mut out);
    out
}

/// When the run ends.
fn end(scenario: &Scenario) -> SimTime {
    scenario.start.time() + scenario.duration.duration()
}

fn general(scenario: &Scenario, out: Out<'_>) {
    let title = &scenario.title;
    if title.trim().is_empty() && !title.is_empty() {
        out.push(Invalid::new(steps!["title"], "a title", "blanks alone"));
    }
    if title.contains(char::is_control) {
        out.push(Invalid::new(steps!["title"], "one line of text", "another character"));
    }
    if !DURATION.contains(&scenario.duration.duration()) {
        let expected = "a run of 1m to 3650d";
        out.push(Invalid::new(steps!["duration"], expected, scenario.duration));
    }
    kept(scenario, out);
}

/// What is removed must have been seen by an SLA evaluation.
fn kept(scenario: &Scenario, out: Out<'_>) {
    let Some(history) = scenario.keep.history else { return };
    let at = steps!["keep", "history"];
    if history.duration() < SimDuration(DAY_MS) {
        out.push(Invalid::new(at.clone(), "a day or more of history", history));
    }
    if scenario.sla.check.is_none() {
        let expected = "no `keep` where SLA timers are never evaluated";
        let hint = "give `sla.check` a schedule: nothing is removed that no evaluation has seen";
        let invalid = Invalid::new(at, expected, history).hint(hint);
        out.push(invalid.involves(steps!["sla", "check"]));
    }
}

fn vulnerabilities(world: &Vulnerabilities, out: Out<'_>) {
    let at = |key: &str| steps!["vulnerabilities", key];
    weights(at("weekdays"), &world.weekdays, out);
    let severity = &world.severity;
    let severities = [severity.critical, severity.high, severity.medium, severity.low];
    weights(at("severity"), &severities, out);
    time_draw(at("upstream_fix"), &world.upstream_fix, out);
    time_draw(at("package_fix"), &world.package_fix, out);
    time_draw(at("detection_lag"), &world.detection_lag, out);
}

/// Weights need not add up to anything, but not to nothing either.
fn weights(path: Vec<Step>, weights: &[Amount], out: Out<'_>) {
    if weights.iter().all(|weight| weight.value() <= 0.0) {
        out.push(Invalid::new(path, "a weight above 0 among them", "none"));
    }
}

fn inside(mut path: Vec<Step>, steps: &[&str]) -> Vec<Step> {
    path.extend(steps.iter().map(|step| Step::from(*step)));
    path
}

/// A distribution of lengths of time.
fn time_draw(path: Vec<Step>, draw: &Draw, out: Out<'_>) {
    if let Draw::Uniform { min, max } = draw
        && min > max
    {
        let found = format!("min {min} above max {max}");
        out.push(Invalid::new(inside(path, &["uniform"]), "min up to max", found));
    }
}

/// A schedule must not fire more often than a run can bear.
fn schedule(path: Vec<Step>, cron: Option<&CronSchedule>, scenario: &Scenario, out: Out<'_>) {
    /// Enough to see how often a schedule fires.
    const PROBES: i64 = 100;
    let Some(cron) = cron else { return };
    let start = scenario.start.time();
    let mut at = start;
    for _ in 0..PROBES {
        match cron.next_after(at) {
            Some(next) if next <= end(scenario) => at = next,
            _ => return,
        }
    }
    let firings = scenario.duration.duration().0 / (at.since(start).0 / PROBES).max(1);
    if firings > MAX_FIRINGS {
        let expected = format!("a schedule that fires at most {MAX_FIRINGS} times in the run");
        let found = format!("{} with about {firings}", excerpt(cron.as_str()));
        out.push(Invalid::new(path, expected, found).involves(steps!["duration"]));
    }
}

/// A name may be given once. Gives the place of each, the first one's where there are several.
fn unique<'a>(
    section: &'static str,
    names: impl Iterator<Item = &'a str>,
    out: Out<'_>,
) -> BTreeMap<&'a str, usize> {
    let mut first = BTreeMap::new();
    for (index, name) in names.enumerate() {
        let before = *first.entry(name).or_insert(index);
        if before < index {
            let found = format!("{} a second time", excerpt(name));
            let invalid = Invalid::new(steps![section, index, "name"], "each name once", found);
            let before_it = steps![section, before, "name"];
            let hint = format!("{section}[{before}] has it already");
            out.push(invalid.hint(hint).involves(before_it));
        }
    }
    first
}

/// What to say of a name that nobody has.
fn unknown<'a>(
    path: Vec<Step>,
    expected: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> Invalid {
    let hint = did_you_mean(name, known).unwrap_or_else(otherwise);
    Invalid::new(path, expected, excerpt(name)).hint(hint)
}
