//! The back-test: what is fitted to the first two thirds of the time is played on by the kernel,
//! many times, and what then came is held against the bands of what it says. Inputs are drawn anew
//! for each future within what their fit leaves open, so that the bands have both uncertainties.
use crate::cast::whole;
use crate::evidence::Evidence;
use crate::fit::{Family, LagFit};
use crate::inputs::{Fits, Setting, Story, Window, fit, stories};
use serde::Serialize;
use sim::World;
use sim::fact::FactKind;
use sim::random::{Purpose, RandomStreams, normal_quantile};
use sim::scenario::units::{Amount, Share, Span};
use sim::scenario::{Draw, Scenario};
use sim::time::{DAY_MS, HOUR_MS, SimTime, YEAR_MS};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fewer CVEs or weeks than this say nothing.
const LEAST_CVES: u64 = 30;
const LEAST_DAYS: i64 = 42;
const WEEK_MS: i64 = 7 * DAY_MS;
/// What the bands promise.
const PROMISE: f64 = 0.95;
/// The most packages of the played distribution: how many there are does not change what is
/// compared.
const MOST_PACKAGES: u32 = 2_000;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackTest {
    /// Fitted before this, compared from here on.
    pub split: SimTime,
    /// The end of what is compared.
    pub until: SimTime,
    /// Futures.
    pub futures: u32,
    /// What the bands promise.
    pub promised: f64,
    /// Weeks within the bands, over all measures.
    pub within: u64,
    /// Weeks.
    pub of: u64,
    /// Whether every measure's total over the last third lay within its band.
    pub held: bool,
    /// What was compared.
    pub measures: Vec<MeasureTest>,
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasureTest {
    /// What.
    pub name: &'static str,
    /// All of the last third: what came, the least and the most that was to be expected.
    pub total: Band,
    /// By week.
    pub weeks: Vec<Band>,
}

/// What came, and between what it was to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// What came.
    pub seen: u64,
    /// The lower limit.
    pub lower: u64,
    /// The upper limit.
    pub upper: u64,
}

impl Band {
    /// Whether what came lay within.
    pub fn holds(&self) -> bool {
        self.lower <= self.seen && self.seen <= self.upper
    }
}

/// Tests; the error says why there is nothing to test.
pub fn back_test(
    evidence: &Evidence,
    setting: &Setting,
    window: Window,
    packages: u32,
    (futures, seed): (u32, u64),
) -> Result<BackTest, String> {
    let days = (window.until_ms - window.from_ms) / DAY_MS;
    if days < LEAST_DAYS {
        return Err(format!("{days} days are too few: it takes {LEAST_DAYS}"));
    }
    let split = window.from_ms + (window.until_ms - window.from_ms) / 3 * 2;
    let fits = fit(evidence, setting, Window { until_ms: split, ..window });
    if fits.cves < LEAST_CVES {
        let found = fits.cves;
        return Err(format!(
            "{found} CVEs in the first two thirds are too few: it takes {LEAST_CVES}"
        ));
    }
    let (seen, dated) = stories(evidence, setting, window);
    let fixes = dated && fits.package_fix.is_some();
    let weeks = Weeks::of(split, window.until_ms);
    let scenario = scenario(window, packages)?;
    let mut all: Vec<Counts> = Vec::new();
    for future in 0..futures {
        let mut draws = Draws { streams: RandomStreams::new(seed), future, next: 0 };
        let mut drawn = scenario.clone();
        draws.set(&mut drawn, &fits);
        let world_seed = seed.wrapping_add(u64::from(future) + 1);
        all.push(weeks.count(&play(drawn, window, world_seed)));
    }
    let seen = weeks.count(&seen);
    let names: &[(&'static str, usize)] = if fixes {
        &[("CVEs published", 0), ("packages fixed", 1), ("open at the end of the week", 2)]
    } else {
        &[("CVEs published", 0)]
    };
    let measures: Vec<MeasureTest> =
        names.iter().map(|(name, which)| measure(name, *which, &seen, &all)).collect();
    let bands = measures.iter().flat_map(|measure| &measure.weeks);
    Ok(BackTest {
        split: SimTime(split),
        until: SimTime(window.until_ms),
        futures,
        promised: PROMISE,
        within: bands.clone().filter(|band| band.holds()).count() as u64,
        of: bands.count() as u64,
        held: measures.iter().all(|measure| measure.total.holds()),
        measures,
    })
}

/// The weeks that are compared.
struct Weeks {
    from_ms: i64,
    until_ms: i64,
    n: usize,
}

/// By measure: the whole, and each week.
struct Counts([(u64, Vec<u64>); 3]);

impl Weeks {
    fn of(from_ms: i64, until_ms: i64) -> Self {
        let n = usize::try_from((until_ms - from_ms) / WEEK_MS).unwrap_or(0);
        Weeks { from_ms, until_ms, n }
    }

    fn count(&self, stories: &[Story]) -> Counts {
        let mut weekly = [vec![0; self.n], vec![0; self.n], vec![0; self.n]];
        let mut whole = [0; 3];
        let mut add = |which: usize, at: i64| {
            if at >= self.from_ms && at < self.until_ms {
                whole[which] += 1;
                let week = usize::try_from((at - self.from_ms) / WEEK_MS).unwrap_or(usize::MAX);
                if let Some(count) = weekly[which].get_mut(week) {
                    *count += 1;
                }
            }
        };
        for story in stories {
            add(0, story.published_ms);
            story.fixed_ms.into_iter().for_each(|at| add(1, at));
        }
        let open = |at: i64| {
            let is_open = |story: &&Story| {
                story.published_ms < at && story.fixed_ms.is_none_or(|fixed| fixed >= at)
            };
            stories.iter().filter(is_open).count() as u64
        };
        let mut end = self.from_ms;
        for count in &mut weekly[2] {
            end += WEEK_MS;
            *count = open(end);
        }
        whole[2] = open(self.until_ms);
        let [a, b, c] = weekly;
        Counts([(whole[0], a), (whole[1], b), (whole[2], c)])
    }
}

fn measure(name: &'static str, which: usize, seen: &Counts, all: &[Counts]) -> MeasureTest {
    let (total, weeks) = &seen.0[which];
    let of_week = |week: usize| all.iter().map(move |counts| counts.0[which].1[week]);
    MeasureTest {
        name,
        total: band(*total, all.iter().map(|counts| counts.0[which].0)),
        weeks: weeks.iter().enumerate().map(|(week, seen)| band(*seen, of_week(week))).collect(),
    }
}

/// The band that another value of the same kind lies within with the probability promised: between
/// two order statistics.
fn band(seen: u64, values: impl Iterator<Item = u64>) -> Band {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    let n = values.len();
    let tail = libm::floor((1.0 - PROMISE) / 2.0 * (n as f64 + 1.0));
    let rank = usize::try_from(whole(tail)).unwrap_or(0).max(1).min(n.max(1));
    let at = |place: usize| values.get(place).copied().unwrap_or(0);
    Band { seen, lower: at(rank - 1), upper: at(n.saturating_sub(rank)) }
}

/// A world of which only advisories and their fixes matter.
fn scenario(window: Window, packages: u32) -> Result<Scenario, String> {
    let packages = packages.clamp(1, MOST_PACKAGES);
    let days = (window.until_ms - window.from_ms).div_euclid(DAY_MS) + 1;
    let text = format!(
        "name: back-test\ntitle: Back-test\nstart: {}\nduration: {days}d\n\
         distribution: {{packages: {packages}, releases_per_year: {{lognormal_number: {{mu: -10, \
         sigma: 0}}}}}}\n\
         images:\n  - {{name: image, packages: 1}}\n\
         triggers: {{upstream: false, base_change: false, cve_fix: null}}\n\
         scanner: {{schedule: never}}\nsla: {{check: never}}\n",
        SimTime(window.from_ms.div_euclid(DAY_MS) * DAY_MS)
    );
    sim::scenario::parse("back-test", text.as_bytes()).map_err(|error| error.to_string())
}

fn play(scenario: Scenario, window: Window, seed: u64) -> Vec<Story> {
    let mut world = World::new(Arc::new(scenario), seed);
    let mut stories: BTreeMap<u32, (Story, u32)> = BTreeMap::new();
    world.advance(SimTime(window.until_ms), &mut |fact| match &fact.kind {
        FactKind::AdvisoryPublished(advisory) => {
            // One package stands for it: any, but not the most popular one.
            let mixed = |package: u32| package.wrapping_mul(2_654_435_769);
            let hits = advisory.affected.iter().map(|hit| hit.introduced.package.0);
            let package = hits.min_by_key(|package| mixed(*package)).unwrap_or(0);
            let story = Story { published_ms: fact.at.0, fixed_ms: None };
            stories.insert(advisory.id.0, (story, package));
        }
        FactKind::PackageReleased { release, fixes } => {
            for advisory in fixes.iter() {
                if let Some((story, package)) = stories.get_mut(&advisory.0)
                    && *package == release.package.0
                {
                    story.fixed_ms = Some(fact.at.0);
                }
            }
        }
        _ => {}
    });
    let from = window.from_ms;
    stories.into_values().map(|(story, _)| story).filter(|it| it.published_ms >= from).collect()
}

/// Inputs within what the data leave open.
struct Draws {
    streams: RandomStreams,
    future: u32,
    next: u32,
}

impl Draws {
    fn normal(&mut self) -> f64 {
        self.next += 1;
        let u = self.streams.uniform(Purpose::StudyInput, u64::from(self.future), self.next);
        normal_quantile(u)
    }

    fn around(&mut self, (at, error): (f64, f64)) -> f64 {
        at + error * self.normal()
    }

    fn set(&mut self, scenario: &mut Scenario, fits: &Fits) {
        let vulnerabilities = &mut scenario.vulnerabilities;
        if let Some(arrivals) = &fits.arrivals {
            let drawn: Vec<f64> =
                arrivals.optimum.iter().map(|it| libm::exp(self.around(*it))).collect();
            let mean = drawn.first().copied().unwrap_or(0.0);
            vulnerabilities.per_day = Some(Amount::of(mean.min(10_000.0)));
            vulnerabilities.dispersion = Amount::of(drawn.get(1).copied().unwrap_or(0.0).min(1e6));
        }
        if let Some(days) = &fits.weekdays {
            for (weight, day) in vulnerabilities.weekdays.iter_mut().zip(days) {
                *weight = Amount::of(day.estimate);
            }
        }
        // A CVE of several packages hits two: only one of them is looked at.
        let packages = f64::from(scenario.distribution.packages);
        vulnerabilities.blast_radius_max = Share::of((1.5 / packages).min(1.0));
        if let Some((share, _)) = &fits.single_package {
            vulnerabilities.single_package = Share::of(share.estimate.clamp(0.0, 1.0));
        }
        vulnerabilities.fixed_at_disclosure = match &fits.fixed_at_disclosure {
            Some((share, n)) => {
                let error =
                    libm::sqrt(share.estimate * (1.0 - share.estimate) / (*n as f64).max(1.0));
                Share::of(self.around((share.estimate, error)).clamp(0.0, 1.0))
            }
            None => Share::of(1.0),
        };
        if let Some(fit) = &fits.upstream_fix {
            vulnerabilities.upstream_fix = self.draw(fit);
        }
        let Some(fit) = &fits.package_fix else { return };
        vulnerabilities.package_fix = self.draw(fit);
        let odds = fit.optimum.last().copied().filter(|_| fit.never.is_some());
        let never = odds.map_or(0.0, |odds| 1.0 / (1.0 + libm::exp(-self.around(odds))));
        scenario.distribution.end_of_life = Share::of(never.clamp(0.0, 1.0));
    }

    fn draw(&mut self, fit: &LagFit) -> Draw {
        let at: Vec<f64> = fit.optimum.iter().map(|it| self.around(*it)).collect();
        let at = |place: usize| at.get(place).copied().unwrap_or(0.0);
        match fit.family {
            Family::Constant => Draw::Constant(span(at(0))),
            Family::Uniform => Draw::Uniform { min: span(at(0)), max: span(at(1)) },
            Family::Exponential => Draw::Exponential { mean: span(libm::exp(at(0))) },
            Family::Lognormal => Draw::Lognormal {
                median: span(libm::exp(at(0))),
                sigma: Amount::of(libm::exp(at(1)).min(10.0)),
            },
        }
    }
}

/// Hours as a length of time.
fn span(hours: f64) -> Span {
    Span::of_ms(whole((hours * HOUR_MS as f64).clamp(0.0, 99.0 * YEAR_MS as f64)))
}
