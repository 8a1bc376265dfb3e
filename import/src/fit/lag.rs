//! Lags: which of the distributions of scenarios fits, with which parameters, and how well they are
//! known. What has not ended yet is censored. Where subjects come in groups (findings by package),
//! a share of the groups never ends (end of life): a group of which nothing has ended is either one
//! of those, or all of its subjects are late.
use super::family::{Family, PACKAGE_SPREAD, spread};
use super::goodness::{Goodness, goodness};
use super::optimum::{limits, maximum};
use super::uniform::uniform;
use super::{Fitted, Observation, PLACES, Parameter, Seen, weighed, within};
use serde::Serialize;
use std::collections::BTreeMap;

/// With fewer ends than this, two parameters are not asked of the data.
const ENOUGH_FOR_TWO: u64 = 8;

/// A fitted lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LagFit {
    /// The distribution that fits best (by AIC).
    pub family: Family,
    /// Its parameters: hours, but for `sigma`.
    pub parameters: Vec<Parameter>,
    /// The share of groups that never end; none: not asked.
    pub never: Option<Parameter>,
    /// Subjects.
    pub n: u64,
    /// Of them, those whose end was seen.
    pub events: u64,
    /// Of them, those known between two limits only.
    pub between: u64,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// What other distributions came to: AIC, lower is better.
    pub aic: BTreeMap<&'static str, f64>,
    /// How well it fits.
    pub goodness: Goodness,
    /// Where the maximum is, and how wide it is (standard error): for draws of what it could be.
    #[serde(skip)]
    pub optimum: Vec<(f64, f64)>,
}

/// Fits a lag; none: no end was seen.
pub fn lags(observations: &[Observation]) -> Option<LagFit> {
    let events = observations.iter().filter(|o| o.seen.is_event()).count() as u64;
    let families: &[Family] = if events < ENOUGH_FOR_TWO {
        &[Family::Exponential]
    } else {
        &[Family::Exponential, Family::Lognormal, Family::Uniform]
    };
    if let Some(fit) = constant(observations) {
        return Some(fit);
    }
    let fits: Vec<LagFit> =
        families.iter().filter_map(|family| fit_family(observations, *family)).collect();
    let aic: BTreeMap<&'static str, f64> =
        fits.iter().map(|fit| (fit.family.as_str(), fit.aic())).collect();
    let best = fits.into_iter().min_by(|a, b| a.aic().total_cmp(&b.aic()))?;
    Some(LagFit { aic, ..best })
}

/// Fits one distribution; none: no end was seen, or it cannot be this one.
pub fn fit_family(observations: &[Observation], family: Family) -> Option<LagFit> {
    let data = Data::of(observations);
    if data.events == 0 {
        return None;
    }
    let fitted = match family {
        Family::Constant => return constant(observations),
        Family::Uniform if !data.silent.is_empty() => return None,
        Family::Uniform => uniform(observations)?,
        Family::Exponential | Family::Lognormal => smooth(&data, family),
    };
    let Fitted { parameters, never, optimum, log_likelihood, at } = fitted;
    Some(LagFit {
        family,
        parameters,
        goodness: goodness(
            observations,
            family,
            &at,
            never.as_ref().map_or(0.0, |_| data.never(family, &optimum)),
        ),
        never,
        n: observations.len() as u64,
        events: data.events,
        between: observations
            .iter()
            .filter(|o| matches!(o.seen, Seen::Between(..) | Seen::Rounded(..)))
            .count() as u64,
        log_likelihood,
        aic: BTreeMap::new(),
        optimum,
    })
}

impl LagFit {
    fn aic(&self) -> f64 {
        2.0 * self.optimum.len() as f64 - 2.0 * self.log_likelihood
    }
}

/// Lags that are all the same.
fn constant(observations: &[Observation]) -> Option<LagFit> {
    let Seen::At(first) = observations.first()?.seen else { return None };
    if observations.len() < 3 || observations.iter().any(|o| o.seen != Seen::At(first)) {
        return None;
    }
    let n = observations.len() as u64;
    let length = Parameter {
        name: "constant".to_owned(),
        unit: "h",
        estimate: first,
        lower: Some(first),
        upper: Some(first),
    };
    Some(LagFit {
        family: Family::Constant,
        parameters: vec![length],
        never: None,
        n,
        events: n,
        between: 0,
        log_likelihood: 0.0,
        aic: BTreeMap::new(),
        goodness: goodness(observations, Family::Constant, &[first], 0.0),
        optimum: vec![(first, 0.0)],
    })
}

/// Observations, put together so that a likelihood costs little.
struct Data {
    /// Exact ones without and with the spread of packages.
    exact: [Sums; 2],
    /// The others that stand alone, or in a group of which something has ended: what is known, the
    /// spread besides, and how many.
    others: Vec<(Seen, f64, f64)>,
    /// Groups of which something has ended.
    ended_groups: f64,
    /// Groups of which nothing has.
    silent: Vec<Vec<(f64, f64)>>,
    events: u64,
}

/// Sums over exact observations: how many, of them, of their logarithms, of the squares of those.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: f64,
    t: f64,
    log: f64,
    square: f64,
}

impl Data {
    fn of(observations: &[Observation]) -> Self {
        let mut groups: BTreeMap<u32, Vec<&Observation>> = BTreeMap::new();
        let mut data = Data {
            exact: [Sums::default(); 2],
            others: Vec::new(),
            ended_groups: 0.0,
            silent: Vec::new(),
            events: observations.iter().filter(|o| o.seen.is_event()).count() as u64,
        };
        let mut others = Vec::new();
        // In one order, so that the same data give the same bits in whatever order they came.
        let mut ordered: Vec<&Observation> = observations.iter().collect();
        ordered.sort_by(|a, b| {
            let (a_range, b_range) = (a.seen.range(), b.seen.range());
            let by_range = a_range.0.total_cmp(&b_range.0).then(a_range.1.total_cmp(&b_range.1));
            a.group.cmp(&b.group).then(by_range).then(a.spread.cmp(&b.spread))
        });
        for observation in ordered {
            match observation.group {
                None => data.add(observation, &mut others),
                Some(group) => groups.entry(group).or_default().push(observation),
            }
        }
        for group in groups.values() {
            if group.iter().any(|o| o.seen.is_event()) {
                data.ended_groups += 1.0;
                group.iter().for_each(|o| data.add(o, &mut others));
            } else {
                data.silent.push(group.iter().map(|o| (o.seen.middle(), extra(o))).collect());
            }
        }
        data.others = weighed(others);
        data
    }

    fn add(&mut self, observation: &Observation, others: &mut Vec<(Seen, f64)>) {
        match observation.seen {
            Seen::At(t) if t > 0.0 => {
                let log = libm::log(t);
                let sums = &mut self.exact[usize::from(observation.spread)];
                sums.n += 1.0;
                sums.t += t;
                sums.log += log;
                sums.square += log * log;
            }
            seen => others.push((seen, extra(observation))),
        }
    }

    fn is_grouped(&self) -> bool {
        self.ended_groups > 0.0
    }

    fn log_likelihood(&self, family: Family, at: &[f64]) -> f64 {
        let (at, never) = at.split_at(if family == Family::Lognormal { 2 } else { 1 });
        let mut sum = self.exact(family, at);
        let others = self.others.iter();
        sum += others.map(|(seen, extra, n)| n * one(family, at, *seen, *extra)).sum::<f64>();
        let Some(never) = never.first().map(|odds| odds.clamp(-ODDS, ODDS)) else { return sum };
        // The logarithms of a share and of the rest, from the logarithm of the odds.
        let (log_never, log_ever) = (log_share(never), log_share(-never));
        sum += self.ended_groups * log_ever;
        for group in &self.silent {
            let late: f64 =
                group.iter().map(|(t, extra)| family.log_survival(at, *t, *extra)).sum();
            sum += log_sum(log_never, log_ever + late);
        }
        sum
    }

    fn exact(&self, family: Family, at: &[f64]) -> f64 {
        let of = |(sums, extra): (&Sums, f64)| match family {
            Family::Exponential => -sums.n * at[0] - sums.t * libm::exp(-at[0]),
            _ => {
                let sigma = spread(at[1], extra);
                let squares = sums.square - 2.0 * at[0] * sums.log + sums.n * at[0] * at[0];
                -sums.log
                    - sums.n * (libm::log(sigma) + HALF_LOG_2_PI)
                    - squares / (2.0 * sigma * sigma)
            }
        };
        self.exact.iter().zip([0.0, PACKAGE_SPREAD]).map(of).sum()
    }

    /// The share of all subjects that never end, by what is known of their groups.
    fn never(&self, family: Family, optimum: &[(f64, f64)]) -> f64 {
        let at: Vec<f64> = optimum.iter().map(|(at, _)| *at).collect();
        let (at, never) = at.split_at(if family == Family::Lognormal { 2 } else { 1 });
        let Some(odds) = never.first() else { return 0.0 };
        let (mut sum, mut subjects) = (0.0, 0.0);
        for group in &self.silent {
            let late: f64 =
                group.iter().map(|(t, extra)| family.log_survival(at, *t, *extra)).sum();
            sum += group.len() as f64 / (1.0 + libm::exp(late - odds));
            subjects += group.len() as f64;
        }
        let ended: f64 = self.exact.iter().map(|sums| sums.n).sum::<f64>()
            + self.others.iter().map(|(_, _, n)| n).sum::<f64>();
        sum / (subjects + ended).max(1.0)
    }
}

fn extra(observation: &Observation) -> f64 {
    if observation.spread { PACKAGE_SPREAD } else { 0.0 }
}

/// The logarithm of odds is not looked for beyond this: a share of six millionths is none.
const ODDS: f64 = 12.0;
const HALF_LOG_2_PI: f64 = 0.918_938_533_204_672_8;

/// The logarithm of the likelihood of one observation that is not exact, or took no time.
fn one(family: Family, at: &[f64], seen: Seen, extra: f64) -> f64 {
    match seen {
        Seen::After(t) => family.log_survival(at, t, extra),
        Seen::At(t) => one(family, at, Seen::Between(t, t + 1e-6), extra),
        Seen::Rounded(t, unit) => {
            let share = |(low, high)| libm::exp(one(family, at, Seen::Between(low, high), extra));
            libm::log(within(t, unit).map(share).sum::<f64>() / f64::from(PLACES))
        }
        Seen::Between(low, high) => {
            let (longer, beyond) =
                (family.log_survival(at, low, extra), family.log_survival(at, high, extra));
            longer + libm::log(-libm::expm1((beyond - longer).min(-1e-300)))
        }
    }
}

/// The logarithm of a share, from the logarithm of its odds.
fn log_share(odds: f64) -> f64 {
    -libm::log1p(libm::exp(-odds))
}

/// ln(e^a + e^b).
fn log_sum(a: f64, b: f64) -> f64 {
    a.max(b) + libm::log1p(libm::exp(-(a - b).abs()))
}

fn smooth(data: &Data, family: Family) -> Fitted {
    let f = |at: &[f64]| data.log_likelihood(family, at);
    let mut start = data.start(family);
    if data.is_grouped() {
        let silent = data.silent.len() as f64;
        start.push(libm::log((silent + 0.5) / (data.ended_groups + 0.5)));
    }
    let (mut place, top) = maximum(&f, &start, 0.3);
    if data.is_grouped()
        && let Some(odds) = place.last_mut()
    {
        *odds = odds.clamp(-ODDS, ODDS);
    }
    let mut limits: Vec<(Option<f64>, Option<f64>)> =
        (0..place.len()).map(|which| limits(&f, &place, top, which, 2.0 * ODDS)).collect();
    let optimum: Vec<(f64, f64)> =
        place.iter().zip(&limits).map(|(at, limits)| (*at, error(*at, limits))).collect();
    let never = data.is_grouped().then(|| {
        let share = |odds: f64| match odds {
            odds if odds < 1.0 - ODDS => 0.0,
            odds => 1.0 / (1.0 + libm::exp(-odds)),
        };
        let (lower, upper) = limits.pop().unwrap_or_default();
        Parameter {
            name: "never".to_owned(),
            unit: "",
            estimate: share(place.last().copied().unwrap_or_default()),
            lower: Some(lower.map_or(0.0, share)),
            upper: Some(upper.map_or(1.0, share)),
        }
    });
    let names: &[(&str, &'static str)] = match family {
        Family::Lognormal => &[("median", "h"), ("sigma", "")],
        _ => &[("mean", "h")],
    };
    let parameters =
        names.iter().zip(&place).zip(&limits).map(|(((name, unit), at), limits)| Parameter {
            name: (*name).to_owned(),
            unit,
            estimate: libm::exp(*at),
            lower: limits.0.map(libm::exp),
            upper: limits.1.map(libm::exp),
        });
    let parameters: Vec<Parameter> = parameters.collect();
    Fitted { parameters, never, optimum, log_likelihood: top, at: place }
}

/// The standard error that the limits stand for.
fn error(at: f64, (lower, upper): &(Option<f64>, Option<f64>)) -> f64 {
    match (lower, upper) {
        (Some(lower), Some(upper)) => (upper - lower) / 3.92,
        (Some(end), None) | (None, Some(end)) => (end - at).abs() / 1.96,
        (None, None) => 1.0,
    }
}

impl Data {
    fn start(&self, family: Family) -> Vec<f64> {
        let (mut n, mut t, mut log, mut square) = (0.0, 0.0, 0.0, 0.0);
        for (seen, _, weight) in &self.others {
            let middle = seen.middle().max(1e-4);
            let l = libm::log(middle);
            (n, t) = (n + weight, t + weight * middle);
            (log, square) = (log + weight * l, square + weight * l * l);
        }
        for sums in &self.exact {
            n += sums.n;
            t += sums.t;
            log += sums.log;
            square += sums.square;
        }
        let mean = log / n;
        let variance = (square / n - mean * mean).max(0.01);
        match family {
            Family::Lognormal => vec![mean, 0.5 * libm::log(variance)],
            _ => vec![libm::log((t / (self.events as f64)).max(1e-4))],
        }
    }
}
