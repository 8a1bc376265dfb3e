//! A study made ready to be played: each arm's scenario read and checked, under its settings.
mod inputs;
mod refuse;
mod source;

pub use inputs::{Kind, Tried, Variation};
pub use source::{CompiledArm, Load, Source};

use crate::file::{self, Arm, Costs, Measure, Question, Selection, Study};
use crate::measure::{Period, Tiers};
use crate::result::ScenarioText;
use crate::statistics::Level;
use refuse::Wrong;
use sim::scenario::Scenario;
use sim::strict_yaml::{Change, ChangeError, FileError, Invalid, did_you_mean, excerpt, steps};
use sim::time::{DAY_MS, SimDuration};
use source::{Files, own_setting, with_horizon};
use std::sync::Arc;

/// The most arms.
pub const MOST_ARMS: usize = 64;
/// The most paths of a grid.
const MOST_PATHS: usize = 8;
/// The most replications of all arms together.
pub const MOST_PLAYED: u64 = 100_000;

/// A study that can be played.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The study.
    pub study: Study,
    /// Its text.
    pub text: String,
    /// The scenarios it names, by name.
    pub scenarios: Vec<ScenarioText>,
    /// How each arm is called.
    pub arms: Vec<CompiledArm>,
    /// What is played: the scenarios as they are, then those with drawn inputs.
    pub variations: Vec<Variation>,
    /// The customer tiers.
    pub tiers: Tiers,
    /// How long a replication plays.
    pub horizon: SimDuration,
    /// When its figures begin.
    pub warm_up: SimDuration,
    /// The confidence.
    pub level: Level,
}

impl Compiled {
    /// The scenarios of the arms as they are, without drawn inputs.
    pub fn nominal(&self) -> &[Arc<Scenario>] {
        self.variations.first().map_or(&[], |variation| &variation.scenarios)
    }

    /// The measured period of an arm's world.
    pub fn period(&self, scenario: &Scenario) -> Period {
        let start = scenario.start.time();
        Period { from: start + self.warm_up, until: start + self.horizon }
    }

    /// What the study is mainly about: what its precision is of, else costs, else violations.
    pub fn main_measure(&self) -> Selection {
        match &self.study.precision {
            Some(precision) => precision.of.clone(),
            None if self.study.costs.is_some() => Selection::all(Measure::Cost),
            None => Selection::all(Measure::Violations),
        }
    }

    /// The prices.
    pub fn costs(&self) -> Option<&Costs> {
        self.study.costs.as_ref()
    }

    /// The most replications of each arm.
    pub fn budget(&self) -> u32 {
        match (&self.study.precision, self.study.replications) {
            (Some(precision), _) => precision.budget,
            (None, Some(replications)) => replications,
            (None, None) => file::REPLICATIONS,
        }
    }
}

/// Makes a study ready.
///
/// # Errors
/// All that is wrong, in the study with line, column and field, or in one of its scenarios.
pub fn compile(source: Source<'_>, load: Load<'_>) -> Result<Compiled, FileError> {
    let study = file::parse(source.file_name, source.bytes)?;
    let mut wrong = Wrong::default();
    let compiled = compile_study(study, source, load, &mut wrong)?;
    match wrong.into_error(source) {
        Some(error) => Err(error),
        None => compiled.ok_or_else(|| Wrong::nothing(source)),
    }
}

fn compile_study(
    study: Study,
    source: Source<'_>,
    load: Load<'_>,
    wrong: &mut Wrong,
) -> Result<Option<Compiled>, FileError> {
    let Some((arms, places)) = arms(&study, wrong) else { return Ok(None) };
    let mut files = Files::new(load);
    let base = study.scenario.clone();
    if let Err(problem) = files.get(&base) {
        wrong.push(Invalid::new(steps!["scenario"], "a scenario", problem));
        return Ok(None);
    }
    for (arm, place) in arms.iter().zip(&places) {
        if let Err(problem) = files.get(&arm.scenario) {
            wrong.push(Invalid::new(place.step("scenario"), "a scenario", problem));
            return Ok(None);
        }
    }
    let Some(base) = read(&mut files, &base, &[], &Place::Study, wrong)? else { return Ok(None) };
    let horizon = study.horizon.map_or(base.duration.duration(), |span| span.duration());
    let Some(warm_up) = warm_up(&study, horizon, wrong) else { return Ok(None) };
    let mut scenarios = Vec::new();
    for (arm, place) in arms.iter().zip(&places) {
        let changes = with_horizon(&arm.changes, horizon);
        match read(&mut files, &arm.scenario, &changes, place, wrong)? {
            Some(scenario) => scenarios.push(Arc::new(scenario)),
            None => return Ok(None),
        }
    }
    differ(&arms, &scenarios, &places, wrong);
    let names = scenarios.iter().flat_map(|scenario| {
        scenario.customers.iter().map(|of| of.tier.as_ref().unwrap_or(&of.name.value).as_str())
    });
    let tiers = Tiers::of(names.collect::<Vec<_>>());
    known(&study, &arms, &tiers, wrong);
    let level = level(&study, wrong);
    let (Some(level), true) = (level, wrong.is_empty()) else { return Ok(None) };
    let variations = inputs::variations(&study, &arms, scenarios, horizon, &mut files, wrong)?;
    Ok(Some(Compiled {
        text: String::from_utf8_lossy(source.bytes).into_owned(),
        scenarios: files.texts(),
        arms,
        variations,
        tiers,
        horizon,
        warm_up,
        level,
        study,
    }))
}

/// Where in the study an arm is written.
#[derive(Clone, Debug)]
enum Place {
    /// It is the study's own scenario.
    Study,
    /// An item of `arms`.
    Arm(usize),
    /// A combination of `grid`.
    Grid,
}

impl Place {
    fn step(&self, key: &str) -> Vec<sim::strict_yaml::Step> {
        match self {
            Place::Study => steps!["scenario"],
            Place::Arm(index) => steps!["arms", *index, key],
            Place::Grid => steps!["grid"],
        }
    }

    fn setting(&self, path: Option<&str>) -> Vec<sim::strict_yaml::Step> {
        match (self, path) {
            (Place::Arm(index), Some(path)) => steps!["arms", *index, "set", path],
            (Place::Arm(index), None) => steps!["arms", *index],
            (Place::Grid, Some(path)) => steps!["grid", path],
            (Place::Grid, None) => steps!["grid"],
            (Place::Study, _) => steps!["scenario"],
        }
    }
}

/// The arms that the file names, and those of its grid.
fn arms(study: &Study, wrong: &mut Wrong) -> Option<(Vec<CompiledArm>, Vec<Place>)> {
    let scenario = |arm: &Arm| arm.scenario.clone().unwrap_or_else(|| study.scenario.clone());
    let mut arms = Vec::new();
    let mut places = Vec::new();
    for (index, arm) in study.arms.iter().enumerate() {
        let changes = changes(&arm.set.0);
        arms.push(CompiledArm { name: arm.name.clone(), scenario: scenario(arm), changes });
        places.push(Place::Arm(index));
    }
    let grid = &study.grid.0.0;
    if grid.len() > MOST_PATHS {
        let expected = format!("at most {MOST_PATHS} paths");
        wrong.push(Invalid::new(steps!["grid"], expected, grid.len()));
        return None;
    }
    let mut combinations: usize = usize::from(!grid.is_empty());
    for (path, values) in grid {
        let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
            let expected = "a list of values, such as [1, 2, 4]";
            wrong.push(Invalid::new(steps!["grid", path.as_str()], expected, values));
            return None;
        };
        combinations = combinations.saturating_mul(values.len());
    }
    let all = arms.len().saturating_add(combinations);
    if all > MOST_ARMS {
        let found = format!("{all}");
        let hint = "fewer values in the grid, or several studies";
        let path = if combinations > 1 { steps!["grid"] } else { steps!["arms"] };
        wrong.push(Invalid::new(path, format!("at most {MOST_ARMS} arms"), found).hint(hint));
        return None;
    }
    for combination in 0..combinations {
        let settings = combine(grid, combination);
        let value = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let name: Vec<String> =
            settings.iter().map(|(path, of)| format!("{path}={}", value(of))).collect();
        let changes = changes(&settings);
        arms.push(CompiledArm { name: name.join(", "), scenario: study.scenario.clone(), changes });
        places.push(Place::Grid);
    }
    if arms.is_empty() {
        let hint = "an arm without settings is the scenario as it is: arms: [{name: as is}]";
        let none = Invalid::new(steps!["arms"], "at least one arm, or a grid", "none");
        wrong.push(none.hint(hint));
        return None;
    }
    let played = u64::from(budget(study)).saturating_mul(arms.len() as u64);
    if played > MOST_PLAYED {
        let expected = format!("at most {MOST_PLAYED} replications of all arms together");
        let found = format!("{} arms of {}", arms.len(), budget(study));
        let path = match study.precision {
            Some(_) => steps!["precision", "budget"],
            None => steps!["replications"],
        };
        wrong.push(Invalid::new(path, expected, found).hint(
            "the interval narrows with the square \
            root of the replications: four times as many halve it",
        ));
        return None;
    }
    unique(&arms, &places, wrong);
    Some((arms, places))
}

fn budget(study: &Study) -> u32 {
    let fixed = study.replications.unwrap_or(file::REPLICATIONS);
    study.precision.as_ref().map_or(fixed, |precision| precision.budget)
}

fn changes(settings: &[(String, serde_json::Value)]) -> Vec<Change> {
    let change = |(path, value): &(String, serde_json::Value)| Change {
        path: path.clone(),
        value: value.clone(),
    };
    settings.iter().map(change).collect()
}

/// The values of the n-th combination, the last path's turning fastest.
fn combine(grid: &[(String, serde_json::Value)], nth: usize) -> Vec<(String, serde_json::Value)> {
    let mut rest = nth;
    let mut settings: Vec<_> = grid
        .iter()
        .rev()
        .filter_map(|(path, values)| {
            let values = values.as_array()?;
            let value = values[rest % values.len()].clone();
            rest /= values.len();
            Some((path.clone(), value))
        })
        .collect();
    settings.reverse();
    settings
}

fn unique(arms: &[CompiledArm], places: &[Place], wrong: &mut Wrong) {
    for (index, arm) in arms.iter().enumerate() {
        if arms[..index].iter().any(|other| other.name == arm.name) {
            let found = format!("{} a second time", excerpt(&arm.name));
            wrong.push(Invalid::new(places[index].step("name"), "each name once", found));
        }
    }
}

/// Reads a scenario under settings; none: something is wrong, and told.
fn read(
    files: &mut Files<'_>,
    name: &str,
    changes: &[Change],
    place: &Place,
    wrong: &mut Wrong,
) -> Result<Option<Scenario>, FileError> {
    let count = changes.len();
    // The horizon comes last and is the study's own.
    for change in &changes[..count.saturating_sub(1)] {
        if let Some((key, hint)) = own_setting(&change.path) {
            let path = place.setting(Some(&change.path));
            let expected = format!("settings without `{key}`");
            wrong.push(Invalid::new(path, expected, excerpt(&change.path)).hint(hint));
            return Ok(None);
        }
    }
    let Ok((file, bytes)) = files.get(name) else { return Ok(None) };
    match sim::scenario::parse_changed(file, bytes, changes) {
        Ok(scenario) => Ok(Some(scenario)),
        Err(ChangeError::File(error)) => Err(error),
        Err(ChangeError::Changes(problems)) => {
            let horizon = &changes[count.saturating_sub(1)..];
            let too_short = sim::scenario::parse_changed(file, bytes, horizon).is_err();
            for problem in problems {
                let of_arm = problem.change.filter(|change| change + 1 < count);
                let path = match problem.change {
                    Some(_) if of_arm.is_none() => steps!["horizon"],
                    // What the scenario says does not fit into the horizon, such as an incident.
                    None if too_short => steps!["horizon"],
                    _ => place.setting(of_arm.map(|change| changes[change].path.as_str())),
                };
                wrong.push(refuse::changed(path, problem));
            }
            Ok(None)
        }
    }
}

fn warm_up(study: &Study, horizon: SimDuration, wrong: &mut Wrong) -> Option<SimDuration> {
    const USUAL: SimDuration = SimDuration::days(14);
    let warm_up = match study.warm_up {
        Some(span) => span.duration(),
        None => SimDuration(USUAL.0.min(horizon.0 / 4)),
    };
    if horizon.0 < 3_600_000 || horizon.0 > 3_650 * DAY_MS {
        let found = format!("{:.2} h", horizon.as_hours());
        wrong.push(Invalid::new(steps!["horizon"], "a horizon of 1h to 3650d", found));
        return None;
    }
    if warm_up >= horizon {
        let found = format!("{:.2} d of {:.2} d", days(warm_up), days(horizon));
        let invalid = Invalid::new(steps!["warm_up"], "a warm-up shorter than the horizon", found)
            .hint("figures begin after the warm-up and end at the horizon");
        wrong.push(invalid.involves(steps!["horizon"]));
        return None;
    }
    Some(warm_up)
}

/// A length of time in days.
pub(crate) fn days(span: SimDuration) -> f64 {
    span.0 as f64 / DAY_MS as f64
}

/// An arm that is the same as another tells nothing.
fn differ(arms: &[CompiledArm], scenarios: &[Arc<Scenario>], places: &[Place], wrong: &mut Wrong) {
    let said: Vec<String> = scenarios.iter().map(|scenario| format!("{scenario:?}")).collect();
    for index in 0..said.len() {
        if let Some(same) = said[..index].iter().position(|other| *other == said[index]) {
            let found =
                format!("{}, equal to {}", excerpt(&arms[index].name), excerpt(&arms[same].name));
            let hint = "every setting of it is that of the scenario already, or of the other arm";
            let path = places[index].setting(None);
            wrong.push(Invalid::new(path, "an arm that differs from all others", found).hint(hint));
        }
    }
}

/// Whether questions name arms and tiers that there are.
fn known(study: &Study, arms: &[CompiledArm], tiers: &Tiers, wrong: &mut Wrong) {
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    let arm = |wrong: &mut Wrong, path, name: &str| {
        if !names.contains(&name) {
            let hint = did_you_mean(name, names.iter().copied())
                .unwrap_or_else(|| format!("the arms are {}", names.join(", ")));
            wrong.push(Invalid::new(path, "the name of an arm", excerpt(name)).hint(hint));
        }
    };
    let tier = |wrong: &mut Wrong, path, tier: Option<&str>| {
        if let Some(name) = tier.filter(|name| !tiers.0.iter().any(|known| known == name)) {
            let known = tiers.0.iter().map(String::as_str);
            let hint = did_you_mean(name, known)
                .unwrap_or_else(|| format!("the tiers are {}", tiers.0.join(", ")));
            wrong.push(Invalid::new(path, "a tier of the customers", excerpt(name)).hint(hint));
        }
    };
    for (index, question) in study.questions.iter().enumerate() {
        match question {
            Question::SmallestSla(of) => {
                let at = |key: &str| steps!["questions", index, "smallest_sla", key];
                if let Some(name) = &of.arm {
                    arm(wrong, at("arm"), name);
                }
                tier(wrong, at("tier"), of.tier.as_deref());
            }
            Question::FewestBuilders(of) => {
                let path = steps!["questions", index, "fewest_builders", "where", "of", "tier"];
                tier(wrong, path, of.criterion.of.tier.as_deref());
            }
            Question::Cheapest(_) => {}
            Question::Better(of) => {
                let at = |key: &str| steps!["questions", index, "better", key];
                arm(wrong, at("arm"), &of.arm);
                arm(wrong, at("than"), &of.than);
                let path = steps!["questions", index, "better", "in", "tier"];
                tier(wrong, path, of.measure.tier.as_deref());
            }
        }
    }
    if let Some(precision) = &study.precision {
        tier(wrong, steps!["precision", "of", "tier"], precision.of.tier.as_deref());
    }
    if let Some(of) = study.uncertain.as_ref().and_then(|uncertain| uncertain.of.as_ref()) {
        tier(wrong, steps!["uncertain", "of", "tier"], of.tier.as_deref());
    }
}

fn level(study: &Study, wrong: &mut Wrong) -> Option<Level> {
    let level = Level::new(study.confidence.value()).ok();
    if level.is_none() {
        let found = study.confidence.value();
        wrong.push(Invalid::new(steps!["confidence"], "a share between 0 and 1", found));
    }
    level
}
