//! Uncertain inputs: how they may turn out, and the scenarios that follow from each draw.
use super::refuse::{self, Wrong};
use super::source::{CompiledArm, Files, own_setting, with_horizon};
use crate::file::{Distribution, Study, Value};
use libm::{exp, floor, log, round, sqrt};
use serde_json::{Value as Json, json};
use sim::random::{Purpose, RandomStreams, normal_quantile};
use sim::scenario::Scenario;
use sim::strict_yaml::{Change, ChangeError, FileError, Invalid, Step, excerpt, steps};
use sim::time::{DAY_MS, SimDuration};
use std::sync::Arc;

/// One way in which the inputs may turn out.
#[derive(Clone, Debug)]
pub struct Variation {
    /// Which.
    pub kind: Kind,
    /// By arm.
    pub scenarios: Vec<Arc<Scenario>>,
}

/// What a variation is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The scenarios as they are.
    Nominal,
    /// All inputs drawn together: the probability at which each stands, by input.
    Drawn(Vec<f64>),
    /// One input at its 5 % quantile, the others as the scenario has them.
    Low(Tried),
    /// One input at its 95 % quantile.
    High(Tried),
}

/// An input that is tried alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The place of the input.
    pub input: usize,
    /// Its path.
    pub path: String,
    /// Its value, as it is written.
    pub value: String,
}

/// An input, ready to be drawn.
struct Input {
    path: String,
    /// Where in the study it is written.
    place: Vec<Step>,
    distribution: Distribution,
    form: Form,
}

/// How a drawn number is written in a scenario.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Whole,
    Span,
    /// The median of a lognormal length of time with this deviation.
    Lognormal(f64),
}

impl Input {
    /// The value at a probability, as the scenario has it.
    fn at(&self, u: f64) -> Json {
        let Some(number) = self.number(u) else { return self.choice(u) };
        let ms = |number: f64| Json::String(format!("{}ms", round(number.max(0.0))));
        match self.form {
            Form::Number => json!(number),
            Form::Whole => json!(round(number)),
            Form::Span => ms(number),
            Form::Lognormal(sigma) => {
                json!({ "lognormal": { "median": ms(number), "sigma": sigma } })
            }
        }
    }

    /// The value for people: of a lognormal its median.
    fn shown(&self, u: f64) -> String {
        match (self.number(u), self.form) {
            (Some(number), Form::Number) => format!("{number:.3}"),
            (Some(number), Form::Whole) => format!("{number:.0}"),
            (Some(number), Form::Span | Form::Lognormal(_)) => span(number),
            (None, _) => match self.choice(u) {
                Json::String(text) => text,
                value => match &value["lognormal"]["median"] {
                    Json::String(median) => median.clone(),
                    _ => value.to_string(),
                },
            },
        }
    }

    /// One of several values.
    fn choice(&self, u: f64) -> Json {
        let Distribution::OneOf(values) = &self.distribution else { return Json::Null };
        let reached = |(_, after): &(&Json, u32)| u * (values.len() as f64) < f64::from(*after);
        let value = values.iter().zip(1_u32..).find(reached).map(|(value, _)| value);
        value.or(values.last()).cloned().unwrap_or(Json::Null)
    }

    /// A number; none: it is one of several values.
    fn number(&self, u: f64) -> Option<f64> {
        Some(match &self.distribution {
            Distribution::Uniform { min, max } => min.number() + u * (max.number() - min.number()),
            Distribution::Triangular { min, mode, max } => triangular(min, mode, max, u),
            Distribution::Within { of, factor } => exp(log(of.number())
                + log(factor.value()) / normal_quantile(0.975) * normal_quantile(u)),
            Distribution::OneOf(_) => return None,
        })
    }
}

/// A length of time for people.
fn span(ms: f64) -> String {
    const MINUTE_MS: f64 = 60_000.0;
    match ms / MINUTE_MS {
        minutes if minutes < 120.0 => format!("{minutes:.1} min"),
        minutes if minutes < 2.0 * 24.0 * 60.0 => format!("{:.1} h", minutes / 60.0),
        minutes => format!("{:.1} d", minutes / 60.0 / 24.0),
    }
}

fn triangular(min: &Value, mode: &Value, max: &Value, u: f64) -> f64 {
    let (min, mode, max) = (min.number(), mode.number(), max.number());
    let below = (mode - min) / (max - min);
    if u < below {
        min + sqrt(u * (max - min) * (mode - min))
    } else {
        max - sqrt((1.0 - u) * (max - min) * (max - mode))
    }
}

/// The most scenarios that are made ready: arms times combinations of uncertain inputs.
const MOST_SCENARIOS: usize = 2_000;

/// The probabilities at which an input is tried alone.
const LOW: f64 = 0.05;
const HIGH: f64 = 0.95;

/// The scenarios as they are, and those of every draw.
pub(super) fn variations(
    study: &Study,
    arms: &[CompiledArm],
    nominal: Vec<Arc<Scenario>>,
    horizon: SimDuration,
    files: &mut Files<'_>,
    wrong: &mut Wrong,
) -> Result<Vec<Variation>, FileError> {
    let mut all = vec![Variation { kind: Kind::Nominal, scenarios: nominal }];
    let Some(uncertain) = &study.uncertain else { return Ok(all) };
    for (index, input) in uncertain.inputs.iter().enumerate() {
        if let Some((key, hint)) = own_setting(&input.path) {
            let path = steps!["uncertain", "inputs", index, "path"];
            let expected = format!("settings without `{key}`");
            wrong.push(Invalid::new(path, expected, excerpt(&input.path)).hint(hint));
            return Ok(all);
        }
    }
    let mut inputs: Vec<Input> = uncertain.inputs.iter().enumerate().map(written).collect();
    if uncertain.assumptions {
        let base = files.get(&study.scenario).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        let customers = all[0].scenarios.first().map_or(0, |scenario| scenario.customers.len());
        let assumed = assumptions(&base, customers);
        let new = |input: &Input| !inputs.iter().any(|own| own.path.starts_with(&input.path));
        let assumed: Vec<Input> = assumed.into_iter().filter(new).collect();
        inputs.extend(assumed);
    }
    let draws = uncertain.draws as usize;
    let count = (draws + 2 * inputs.len() + 1).saturating_mul(arms.len());
    if count > MOST_SCENARIOS {
        let expected = format!("at most {} scenarios in all", MOST_SCENARIOS);
        let found = format!("{count}: each draw in each arm, each input low and high");
        wrong.push(Invalid::new(steps!["uncertain"], expected, found).hint("fewer draws or arms"));
        return Ok(all);
    }
    let mut kinds = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        let tried =
            |u: f64| Tried { input: place, path: input.path.clone(), value: input.shown(u) };
        let alone = |u: f64| vec![(place, input.at(u))];
        kinds.push((Kind::Low(tried(LOW)), alone(LOW)));
        kinds.push((Kind::High(tried(HIGH)), alone(HIGH)));
    }
    for draw in latin_hypercube(study.seed, draws, inputs.len()) {
        let values = inputs.iter().zip(&draw).map(|(input, u)| input.at(*u));
        let values = values.enumerate().collect();
        kinds.push((Kind::Drawn(draw), values));
    }
    for (kind, values) in kinds {
        match scenarios(arms, &inputs, &values, horizon, files, wrong)? {
            Some(scenarios) => all.push(Variation { kind, scenarios }),
            None => return Ok(all),
        }
    }
    Ok(all)
}

/// Points that fill each input's range evenly: in each of n equal parts one (McKay, Beckman and
/// Conover 1979).
fn latin_hypercube(seed: u64, n: usize, inputs: usize) -> Vec<Vec<f64>> {
    let streams = RandomStreams::new(seed);
    let mut points = vec![vec![0.0; inputs]; n];
    for (input, entity) in (0..inputs).zip(0_u64..) {
        let mut order: Vec<(f64, usize)> = (0..n)
            .zip(0_u32..)
            .map(|(place, nth)| (streams.uniform(Purpose::StudyInput, entity, 2 * nth), place))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for ((rank, (_, place)), nth) in order.iter().enumerate().zip(0_u32..) {
            let u = streams.uniform(Purpose::StudyInput, entity, 2 * nth + 1);
            points[*place][input] = (rank as f64 + u) / n as f64;
        }
    }
    points
}

/// The scenarios of all arms with these inputs; an arm's own setting goes before an input.
fn scenarios(
    arms: &[CompiledArm],
    inputs: &[Input],
    values: &[(usize, Json)],
    horizon: SimDuration,
    files: &mut Files<'_>,
    wrong: &mut Wrong,
) -> Result<Option<Vec<Arc<Scenario>>>, FileError> {
    let mut all = Vec::with_capacity(arms.len());
    for arm in arms {
        let drawn = values.iter().map(|(input, value)| Change {
            path: inputs[*input].path.clone(),
            value: value.clone(),
        });
        let changes: Vec<Change> = drawn.chain(arm.changes.iter().cloned()).collect();
        let changes = with_horizon(&changes, horizon);
        let Ok((file, bytes)) = files.get(&arm.scenario) else { return Ok(None) };
        match sim::scenario::parse_changed(file, bytes, &changes) {
            Ok(scenario) => all.push(Arc::new(scenario)),
            Err(ChangeError::File(error)) => return Err(error),
            Err(ChangeError::Changes(problems)) => {
                for mut problem in problems {
                    let input = problem.change.and_then(|change| values.get(change));
                    let path = input.map_or_else(
                        || steps!["uncertain"],
                        |(input, _)| inputs[*input].place.clone(),
                    );
                    problem.problem.push_str(&format!(" (in arm {})", arm.name));
                    wrong.push(refuse::changed(path, problem));
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(all))
}

fn written((index, input): (usize, &crate::file::Input)) -> Input {
    let whole = |value: &Value| matches!(value, Value::Number(n) if n.0 == floor(n.0));
    let is_span = |value: &Value| matches!(value, Value::Span(_));
    let form = match &input.is {
        Distribution::Uniform { min, max } | Distribution::Triangular { min, max, .. } => {
            match (is_span(min) || is_span(max), whole(min) && whole(max) && max.number() > 1.0) {
                (true, _) => Form::Span,
                (false, true) => Form::Whole,
                (false, false) => Form::Number,
            }
        }
        Distribution::Within { of, .. } if is_span(of) => Form::Span,
        Distribution::Within { .. } | Distribution::OneOf(_) => Form::Number,
    };
    let place = steps!["uncertain", "inputs", index];
    Input { path: input.path.clone(), place, distribution: input.is.clone(), form }
}

/// What docs/model.md rates D and a scenario leaves as it is: between half and twice, a share of fixes
/// at disclosure between 0.7 and 0.95.
fn assumptions(scenario: &[u8], customers: usize) -> Vec<Input> {
    const HOUR_MS: f64 = 3_600_000.0;
    const DAY: f64 = DAY_MS as f64;
    let number = |n: f64| Value::Number(crate::file::Threshold(n));
    let within = |of: f64| Distribution::Within {
        of: number(of),
        factor: sim::scenario::units::Amount::of(2.0),
    };
    let share = Distribution::Uniform { min: number(0.7), max: number(0.95) };
    let mut all = vec![
        (steps!["vulnerabilities", "fixed_at_disclosure"], share, Form::Number),
        (steps!["distribution", "end_of_life_weight"], within(0.05), Form::Number),
        (steps!["builders", "duration"], within(0.1 * HOUR_MS), Form::Lognormal(0.9)),
        (steps!["builders", "breakage"], within(0.01), Form::Number),
        (steps!["builders", "repair"], within(8.0 * HOUR_MS), Form::Lognormal(1.0)),
        (steps!["scanner", "false_positives"], within(0.03), Form::Number),
        (steps!["scanner", "triage"], within(2.0 * DAY), Form::Lognormal(1.0)),
    ];
    for customer in 0..customers.min(8) {
        let at = |key: &str| steps!["customers", customer, key];
        all.push((at("pinned"), within(0.15), Form::Number));
        all.push((at("adoption_lag"), within(12.0 * HOUR_MS), Form::Lognormal(1.0)));
        all.push((at("pin_age"), within(21.0 * DAY), Form::Lognormal(0.7)));
    }
    let open =
        |(path, _, _): &(Vec<Step>, Distribution, Form)| !sim::scenario::is_written(scenario, path);
    let input = |(path, distribution, form): (Vec<Step>, Distribution, Form)| Input {
        path: sim::strict_yaml::field(&path),
        place: steps!["uncertain", "assumptions"],
        distribution,
        form,
    };
    all.into_iter().filter(open).map(input).collect()
}
