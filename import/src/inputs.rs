//! From the evidence to the inputs of a scenario: what each is fitted to, within a window of time.
//! What came after the window is not known within it.
use crate::evidence::{Build, BuildEnd, Cve, Evidence, Fix};
use crate::fit::{Arrivals, Day, LagFit, Observation, Parameter, Seen, arrivals, lags};
use crate::moment::{Moment, between, hours};
use chrono::{DateTime, Datelike};
use sim::severity::Severity;
use sim::time::{DAY_MS, HOUR_MS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use study::statistics::{Level, wilson};

mod stories;

pub use stories::Story;
pub(crate) use stories::stories;

/// The span of time that is looked at, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From here on.
    pub from_ms: i64,
    /// Before this.
    pub until_ms: i64,
}

/// What holds for all windows.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Packages of the inventories: advisories that hit none of them are left out. Empty: all
    /// count.
    pub known: BTreeSet<u32>,
    /// How often scanners look, in milliseconds, where findings do not say.
    pub scan_every_ms: Option<i64>,
}

/// Fitted inputs; none: there were no data, and the default stays.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    /// How many CVEs a day.
    pub arrivals: Option<Arrivals>,
    /// Shares of the weekdays, Monday first.
    pub weekdays: Option<Vec<Parameter>>,
    /// Shares of severities, from low to critical.
    pub severity: Option<Vec<Parameter>>,
    /// CVEs with a severity.
    pub rated: u64,
    /// Share of CVEs that hit one package.
    pub single_package: Option<(Parameter, u64)>,
    /// Share of CVEs known to be exploited.
    pub known_exploited: Option<(Parameter, u64)>,
    /// Share with an upstream fix at disclosure.
    pub fixed_at_disclosure: Option<(Parameter, u64)>,
    /// Wait for the upstream fix otherwise.
    pub upstream_fix: Option<LagFit>,
    /// From the upstream fix, or from publication, to the fixed package.
    pub package_fix: Option<LagFit>,
    /// What `package_fix` is measured by.
    pub fix_basis: FixBasis,
    /// From publication to detection.
    pub detection_lag: Option<LagFit>,
    /// Length of an attempt to build.
    pub duration: Option<LagFit>,
    /// Share of attempts that flake.
    pub flake: Option<(Parameter, u64)>,
    /// Whether failures say by themselves that they were flakes.
    pub flakes_are_named: bool,
    /// Failed attempts that no success followed soon.
    pub broken: u64,
    /// Builders.
    pub builders: Option<(u64, bool)>,
    /// From a newer version to the customer that runs it.
    pub adoption_lag: Option<LagFit>,
    /// CVEs within the window.
    pub cves: u64,
    /// Of all CVEs of the window, those that hit no known package.
    pub elsewhere: u64,
}

/// What the lag of fixed packages is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixBasis {
    /// From the upstream fix on.
    Upstream,
    /// From publication on.
    #[default]
    Publication,
    /// From publication until the first finding was closed.
    Closed,
}

/// Weekdays are asked of the data from so many CVEs and weeks on.
const WEEKDAY_CVES: u64 = 200;
const WEEKDAY_WEEKS: usize = 8;
/// The default weights of weekdays (docs/model.md), Monday first.
const WEEKDAYS: [f64; 7] = [16.1, 24.3, 17.9, 15.8, 17.7, 4.6, 3.6];
/// A failure that a success of the same image follows within this was a flake.
const RETRY_MS: i64 = HOUR_MS;
const CONFIDENCE: f64 = 0.95;

impl Window {
    pub(crate) fn holds(self, moment: Moment) -> bool {
        moment.from_ms >= self.from_ms && moment.from_ms < self.until_ms
    }

    /// The moment, if it was known by the end of the window.
    pub(crate) fn known(self, moment: Option<Moment>) -> Option<Moment> {
        moment.filter(|moment| moment.from_ms < self.until_ms)
    }
}

/// Fits all inputs.
pub fn fit(evidence: &Evidence, setting: &Setting, window: Window) -> Fits {
    let mut fits = Fits::default();
    let cves = selected(evidence, setting, window, &mut fits);
    fits.cves = cves.len() as u64;
    disclosures(&cves, window, &mut fits);
    traits(evidence, setting, &cves, &mut fits);
    upstream(&cves, window, &mut fits);
    let (observations, basis) = stories::fixes(evidence, setting, &cves, window);
    fits.fix_basis = basis;
    fits.package_fix = lags(&observations);
    fits.detection_lag = lags(&detections(evidence, setting, &cves, window));
    builds(evidence, window, &mut fits);
    let adoptions = evidence.adoptions.iter().filter(|it| window.holds(it.available));
    let adoptions = adoptions.map(|it| match window.known(it.adopted) {
        Some(adopted) => Observation::alone(adopted.after(it.available)),
        None => Observation::alone(it.available.not_until(window.until_ms)),
    });
    fits.adoption_lag = lags(&adoptions.collect::<Vec<_>>());
    fits
}

/// An advisory that counts: its id, itself, when it was published.
type Selected<'a> = (&'a Arc<str>, &'a Cve, Moment);

fn selected<'a>(
    evidence: &'a Evidence,
    setting: &Setting,
    window: Window,
    fits: &mut Fits,
) -> Vec<Selected<'a>> {
    let mut all = Vec::new();
    for (id, cve) in &evidence.cves {
        let Some(published) = cve.published.filter(|at| window.holds(*at) && !cve.withdrawn) else {
            continue;
        };
        if setting.known.is_empty() || cve.packages.keys().any(|it| setting.known.contains(it)) {
            all.push((id, cve, published));
        } else {
            fits.elsewhere += 1;
        }
    }
    all
}

fn disclosures(cves: &[Selected<'_>], window: Window, fits: &mut Fits) {
    let first = (window.from_ms + DAY_MS - 1).div_euclid(DAY_MS);
    let last = window.until_ms.div_euclid(DAY_MS);
    let mut counts: BTreeMap<i64, u32> = (first..last).map(|day| (day, 0)).collect();
    for (_, _, published) in cves {
        if let Some(count) = counts.get_mut(&published.from_ms.div_euclid(DAY_MS)) {
            *count += 1;
        }
    }
    let weekday = |day: i64| {
        let date = DateTime::from_timestamp_millis(day * DAY_MS);
        date.map_or(0, |date| date.weekday().num_days_from_monday() as usize)
    };
    let mut by_weekday = [0_u64; 7];
    counts.iter().for_each(|(day, n)| by_weekday[weekday(*day)] += u64::from(*n));
    let n: u64 = by_weekday.iter().sum();
    let mut weights = WEEKDAYS;
    if n >= WEEKDAY_CVES && counts.len() >= 7 * WEEKDAY_WEEKS {
        fits.weekdays =
            Some(shares(&by_weekday, &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]));
        weights = by_weekday.map(|count| count as f64);
    }
    let week: f64 = weights.iter().sum();
    let days: Vec<Day> = counts
        .iter()
        .map(|(day, count)| Day { count: *count, weight: weights[weekday(*day)] * 7.0 / week })
        .collect();
    fits.arrivals = arrivals(&days);
}

fn share(name: &str, of: u64, n: u64) -> Option<Parameter> {
    let interval = wilson(of, n, Level::new(CONFIDENCE).ok()?);
    let (name, unit, estimate) = (name.to_owned(), "", interval.estimate?);
    Some(Parameter { name, unit, estimate, lower: interval.lower, upper: interval.upper })
}

fn shares(counts: &[u64], names: &[&str]) -> Vec<Parameter> {
    let n = counts.iter().sum();
    counts.iter().zip(names).filter_map(|(count, name)| share(name, *count, n)).collect()
}

fn traits(evidence: &Evidence, setting: &Setting, cves: &[Selected<'_>], fits: &mut Fits) {
    let mut rated = [0_u64; 4];
    let (mut single, mut several, mut exploited, mut known) = (0, 0, 0, 0);
    for (id, cve, _) in cves {
        if let Some(severity) = cve.severity {
            rated[severity as usize] += 1;
        }
        if let Some(is) = cve.known_exploited {
            known += 1;
            exploited += u64::from(is);
        }
        let hits = cve.packages.keys();
        let hits = hits.filter(|it| setting.known.is_empty() || setting.known.contains(it));
        // A table without a column of packages has the id in its place.
        match hits.filter(|it| evidence.text(**it) != &***id).count() {
            0 => {}
            1 => single += 1,
            _ => several += 1,
        }
    }
    fits.rated = rated.iter().sum();
    if fits.rated > 0 {
        fits.severity = Some(shares(&rated, &Severity::ALL.map(Severity::as_str)));
    }
    let n = single + several;
    fits.single_package = share("share", single, n).map(|share| (share, n));
    fits.known_exploited = share("share", exploited, known).map(|share| (share, known));
}

fn upstream(cves: &[Selected<'_>], window: Window, fits: &mut Fits) {
    if !stories::has_upstream(cves) {
        return;
    }
    let (mut at_once, mut waits) = (0_u64, Vec::new());
    let told = cves.iter().filter(|(_, cve, _)| cve.tells_upstream);
    for (_, cve, published) in told.clone() {
        match window.known(cve.fix_available) {
            Some(fix) if fix.from_ms < published.end_ms() => at_once += 1,
            Some(fix) => waits.push(Observation::alone(fix.after(*published))),
            None => waits.push(Observation::alone(published.not_until(window.until_ms))),
        }
    }
    let n = told.count() as u64;
    fits.fixed_at_disclosure = share("share", at_once, n).map(|share| (share, n));
    fits.upstream_fix = lags(&waits);
}

fn detections(
    evidence: &Evidence,
    setting: &Setting,
    cves: &[Selected<'_>],
    window: Window,
) -> Vec<Observation> {
    if cves.iter().any(|(_, cve, _)| cve.detectable.is_some()) {
        let of = |(_, cve, published): &Selected<'_>| match window.known(cve.detectable) {
            Some(at) => Observation::alone(at.after(*published)),
            None => Observation::alone(published.not_until(window.until_ms)),
        };
        return cves.iter().filter(|(_, cve, _)| cve.tells_detection).map(of).collect();
    }
    let mut first: BTreeMap<&str, (Moment, Option<i64>)> = BTreeMap::new();
    for finding in evidence.findings.iter().filter(|it| it.found.from_ms < window.until_ms) {
        let entry = first.entry(&finding.cve).or_insert((finding.found, finding.not_yet));
        if finding.found < entry.0 {
            *entry = (finding.found, finding.not_yet);
        }
    }
    // What is not found yet is not in the files. So those of the end, of which only quick ones can
    // be there, are left out, as long as that leaves the most.
    let lag =
        |(id, _, published): &Selected<'_>| Some(first.get(&***id)?.0.end_ms() - published.from_ms);
    let longest = cves.iter().filter_map(lag).max().unwrap_or(0);
    let length = window.until_ms - window.from_ms;
    let last_ms = window.until_ms - if longest < length / 4 { longest } else { 0 };
    let found = cves.iter().filter_map(|(id, _, published)| {
        let (found, not_yet) = first.get(&***id).filter(|_| published.from_ms <= last_ms)?;
        let width = setting.scan_every_ms.unwrap_or(0);
        let not_yet = not_yet.unwrap_or(found.from_ms - width);
        if not_yet >= found.from_ms {
            return Some(Observation::alone(found.after(*published)));
        }
        let low = not_yet.saturating_sub(published.end_ms() - 1).max(0);
        let high = (found.end_ms() - published.from_ms).max(low + 1);
        Some(Observation::alone(between(low as f64, high as f64)))
    });
    found.collect()
}

fn builds(evidence: &Evidence, window: Window, fits: &mut Fits) {
    let all: Vec<&Build> = evidence.builds.iter().filter(|it| window.holds(it.start)).collect();
    let durations: Vec<Observation> = all.iter().map(|it| length(it, window)).collect();
    fits.duration = lags(&durations);
    let ended = |it: &Build| window.known(it.end).is_some();
    let count = |kind| all.iter().filter(|it| it.end_kind == kind && ended(it)).count() as u64;
    let (succeeded, named) = (count(BuildEnd::Success), count(BuildEnd::Flaked));
    fits.flakes_are_named = named > 0;
    let retried = if named > 0 { named } else { retried(&all) };
    let n = succeeded + retried;
    fits.flake = share("share", retried, n).map(|share| (share, n));
    fits.broken = (count(BuildEnd::Failure) + named).saturating_sub(retried);
    let names: BTreeSet<u32> = all.iter().filter_map(|it| it.builder).collect();
    fits.builders = match (all.is_empty(), names.len()) {
        (true, _) => None,
        (false, 0) => Some((at_once(&all, window), false)),
        (false, n) => Some((n as u64, true)),
    };
}

fn length(build: &Build, window: Window) -> Observation {
    let seen = match (window.known(build.end), build.end_kind) {
        (None, _) => build.start.not_until(window.until_ms),
        (Some(end), BuildEnd::Cancelled | BuildEnd::Running) => {
            Seen::After(hours((end.from_ms - build.start.from_ms).max(0) as f64))
        }
        // Seconds are exact enough for a build.
        (Some(end), _) if end.width_ms <= 1_000 => {
            Seen::At(hours((end.from_ms - build.start.from_ms).max(1) as f64))
        }
        (Some(end), _) => end.after(build.start),
    };
    Observation::alone(seen)
}

/// Failed attempts after which one of the same image began soon, and went well.
fn retried(all: &[&Build]) -> u64 {
    let mut ordered: Vec<&&Build> = all.iter().collect();
    ordered.sort_by_key(|it| (it.image, it.start));
    let pairs = ordered.windows(2).filter(|pair| {
        let soon = pair[0].end.is_some_and(|end| pair[1].start.from_ms - end.from_ms <= RETRY_MS);
        pair[0].image == pair[1].image
            && pair[0].end_kind == BuildEnd::Failure
            && pair[1].end_kind == BuildEnd::Success
            && soon
    });
    pairs.count() as u64
}

/// The most builds that ran at once.
fn at_once(all: &[&Build], window: Window) -> u64 {
    let mut changes: Vec<(i64, i64)> = Vec::with_capacity(all.len() * 2);
    for build in all {
        changes.push((build.start.from_ms, 1));
        changes.push((build.end.map_or(window.until_ms, |end| end.from_ms), -1));
    }
    // What ends at an instant leaves its place to what begins then.
    changes.sort_unstable();
    let (mut now, mut most) = (0_i64, 1);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most.unsigned_abs()
}

/// The package that stands for an advisory: which one is chosen must not depend on how its fix
/// came.
pub(crate) fn representative(
    evidence: &Evidence,
    setting: &Setting,
    cve: &Cve,
) -> Option<(u32, Fix)> {
    let hits = cve.packages.iter();
    let hits = hits.filter(|(it, _)| setting.known.is_empty() || setting.known.contains(it));
    // A file that says nothing of fixes does not hide what another one says.
    let told = cve.packages.values().any(|fix| *fix != Fix::Unknown);
    let hits = hits.filter(|(_, fix)| !told || **fix != Fix::Unknown);
    let first = hits.min_by(|a, b| evidence.text(*a.0).cmp(evidence.text(*b.0)));
    first.map(|(package, fix)| (*package, *fix))
}
