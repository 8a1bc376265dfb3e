//! What a scenario means: names that exist, ranges that make sense, sizes the kernel can bear.
mod catalogue;
mod load;
mod tenants;

use super::error::{Problem, excerpt};
use super::model::{Distribution, Draw, Scenario, Vulnerabilities};
use super::tree::{Node, Step, field};
use super::units::{Amount, CronSchedule};
use crate::time::{DAY_MS, MINUTE_MS, SimDuration, SimTime};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The shortest and the longest run.
const DURATION: RangeInclusive<SimDuration> = SimDuration(MINUTE_MS)..=SimDuration(3650 * DAY_MS);
/// The most firings of one schedule in one run.
const MAX_FIRINGS: i64 = 1_000_000;

/// Something that is well written and makes no sense.
#[derive(Debug)]
pub(super) struct Invalid {
    path: Vec<Step>,
    expected: String,
    /// What was found, when it is not what the file says at that place.
    found: Option<String>,
    hint: Option<String>,
}

type Checked = Result<(), Invalid>;

impl Invalid {
    fn new(path: Vec<Step>, expected: impl Into<String>, found: impl Display) -> Self {
        Invalid { path, expected: expected.into(), found: Some(found.to_string()), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem with its place in the file.
    pub(super) fn locate(self, tree: &Node) -> Problem {
        let node = tree.nearest(&self.path);
        let found = self.found.unwrap_or_else(|| "another value".to_owned());
        Problem {
            position: node.position,
            field: field(&self.path),
            problem: format!("expected {}, found {found}", self.expected),
            hint: self.hint,
        }
    }
}

/// A path to a field: `steps!["images", 3, "base"]`.
macro_rules! steps {
    ($($step:expr),* $(,)?) => {
        vec![$($crate::scenario::tree::Step::from($step)),*]
    };
}
use steps;

/// Checks everything that the types of the model cannot.
pub(super) fn validate(scenario: &Scenario) -> Checked {
    general(scenario)?;
    distribution(&scenario.distribution)?;
    vulnerabilities(&scenario.vulnerabilities)?;
    catalogue::check(scenario)?;
    load::check(scenario)?;
    tenants::check(scenario)
}

/// When the run ends.
fn end(scenario: &Scenario) -> SimTime {
    scenario.start.time() + scenario.duration.duration()
}

fn general(scenario: &Scenario) -> Checked {
    if scenario.title.trim().is_empty() || scenario.title.chars().count() > 200 {
        let found = excerpt(&scenario.title);
        return Err(Invalid::new(steps!["title"], "a title of 1 to 200 characters", found));
    }
    if scenario.title.contains(char::is_control) {
        let found = "another character";
        return Err(Invalid::new(steps!["title"], "one line of text", found));
    }
    let length = scenario.description.chars().count();
    if length > 10_000 {
        let expected = "a description of at most 10,000 characters";
        return Err(Invalid::new(steps!["description"], expected, length));
    }
    if !DURATION.contains(&scenario.duration.duration()) {
        let expected = "a run of 1m to 3650d";
        return Err(Invalid::new(steps!["duration"], expected, scenario.duration));
    }
    kept(scenario)
}

/// What is removed must have been seen by an SLA evaluation.
fn kept(scenario: &Scenario) -> Checked {
    let Some(history) = scenario.keep.history else { return Ok(()) };
    let at = steps!["keep", "history"];
    if history.duration() < SimDuration(DAY_MS) {
        return Err(Invalid::new(at, "a day or more of history", history));
    }
    if scenario.sla.check.is_none() {
        let expected = "no `keep` where SLA timers are never evaluated";
        let hint = "give `sla.check` a schedule: nothing is removed that no evaluation has seen";
        return Err(Invalid::new(at, expected, history).hint(hint));
    }
    Ok(())
}

fn distribution(distribution: &Distribution) -> Checked {
    let at = |key: &str| steps!["distribution", key];
    within(at("packages"), distribution.packages, 1..=100_000)?;
    number_draw(at("releases_per_year"), &distribution.releases_per_year)
}

fn vulnerabilities(world: &Vulnerabilities) -> Checked {
    let at = |key: &str| steps!["vulnerabilities", key];
    if let Some(per_day) = world.per_day {
        at_most(at("per_day"), per_day, 10_000.0)?;
    }
    at_most(at("dispersion"), world.dispersion, 1e6)?;
    at_most(at("blast_radius_exponent"), world.blast_radius_exponent, 10.0)?;
    weights(at("weekdays"), &world.weekdays)?;
    let severity = &world.severity;
    weights(at("severity"), &[severity.critical, severity.high, severity.medium, severity.low])?;
    time_draw(at("upstream_fix"), &world.upstream_fix)?;
    time_draw(at("package_fix"), &world.package_fix)?;
    time_draw(at("detection_lag"), &world.detection_lag)
}

/// Weights need not add up to anything, but not to nothing either.
fn weights(path: Vec<Step>, weights: &[Amount]) -> Checked {
    let sum: f64 = weights.iter().map(|weight| weight.value()).sum();
    if sum > 0.0 && sum <= 1e9 {
        return Ok(());
    }
    Err(Invalid::new(path, "weights with a sum above 0 and up to 1e9", format!("a sum of {sum}")))
}

/// A whole number within limits.
fn within(path: Vec<Step>, value: u32, limits: RangeInclusive<u32>) -> Checked {
    if limits.contains(&value) {
        return Ok(());
    }
    let expected = format!("a number from {} to {}", limits.start(), limits.end());
    Err(Invalid::new(path, expected, value))
}

fn at_most(path: Vec<Step>, value: Amount, limit: f64) -> Checked {
    if value.value() <= limit {
        return Ok(());
    }
    Err(Invalid::new(path, format!("a number from 0 to {limit}"), value.value()))
}

fn inside(mut path: Vec<Step>, steps: &[&str]) -> Vec<Step> {
    path.extend(steps.iter().map(|step| Step::from(*step)));
    path
}

/// A distribution of lengths of time.
fn time_draw(path: Vec<Step>, draw: &Draw) -> Checked {
    match draw {
        Draw::Uniform { min, max } if min > max => {
            let path = inside(path, &["uniform"]);
            let found = format!("min {min} above max {max}");
            Err(Invalid::new(path, "min up to max", found))
        }
        Draw::Lognormal { sigma, .. } => {
            at_most(inside(path, &["lognormal", "sigma"]), *sigma, 10.0)
        }
        Draw::LognormalNumber { .. } => {
            let expected = "a length of time: constant, uniform, exponential or lognormal";
            Err(Invalid::new(path, expected, "lognormal_number, a number without a unit"))
        }
        Draw::Constant(_) | Draw::Uniform { .. } | Draw::Exponential { .. } => Ok(()),
    }
}

/// A distribution of plain numbers.
fn number_draw(path: Vec<Step>, draw: &Draw) -> Checked {
    let Draw::LognormalNumber { mu, sigma } = draw else {
        let expected = "a number without a unit: lognormal_number";
        let hint = "{lognormal_number: {mu: 1.1, sigma: 0}} is always exp(1.1)";
        return Err(Invalid::new(path, expected, "a length of time").hint(hint));
    };
    if !(-10.0..=10.0).contains(mu) {
        let path = inside(path, &["lognormal_number", "mu"]);
        return Err(Invalid::new(path, "a number from -10 to 10", mu));
    }
    at_most(inside(path, &["lognormal_number", "sigma"]), *sigma, 10.0)
}

/// A schedule must not fire more often than a run can bear.
fn schedule(path: Vec<Step>, cron: Option<&CronSchedule>, scenario: &Scenario) -> Checked {
    /// Enough to see how often a schedule fires.
    const PROBES: i64 = 100;
    let Some(cron) = cron else { return Ok(()) };
    let start = scenario.start.time();
    let mut at = start;
    for _ in 0..PROBES {
        match cron.next_after(at) {
            Some(next) if next <= end(scenario) => at = next,
            _ => return Ok(()),
        }
    }
    let firings = scenario.duration.duration().0 / (at.since(start).0 / PROBES).max(1);
    if firings <= MAX_FIRINGS {
        return Ok(());
    }
    let expected = format!("a schedule that fires at most {MAX_FIRINGS} times in the run");
    let found = format!("{} with about {firings}", excerpt(cron.as_str()));
    Err(Invalid::new(path, expected, found))
}

/// A name may be given once.
fn unique<'a>(
    section: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>, Invalid> {
    let mut first = std::collections::BTreeMap::new();
    let mut all = Vec::new();
    for (index, name) in names.enumerate() {
        if let Some(before) = first.insert(name, index) {
            let path = steps![section, index, "name"];
            let found = format!("{} a second time", excerpt(name));
            let hint = format!("{section}[{before}] has it already");
            return Err(Invalid::new(path, "each name once", found).hint(hint));
        }
        all.push(name);
    }
    Ok(all)
}
