//! The figures of a history, counted one by one from what docs/model.md and docs/studies.md say of each.
use crate::calendar::{DAY, HOUR, Ms, after};
use crate::facts::Facts;
use crate::history::{FOREVER, Image};
use crate::rules::{self, Timer, TimerKey};
use sim::fact::Clock;
use sim::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};
use study::measure::{Cell, Event, SHARES};
use study::statistics::Section;

/// What is measured from one instant to another.
pub(crate) struct Figures<'a> {
    facts: &'a Facts,
    /// That opened in the period.
    timers: BTreeMap<TimerKey, Timer>,
    from: Ms,
    until: Ms,
}

/// What builds come to.
pub(crate) struct Builds {
    pub(crate) ended: u64,
    pub(crate) at_end: u64,
    pub(crate) busy_hours: f64,
    /// Mean, then the quantiles at 50, 95 and 99 %.
    pub(crate) waits: [Option<f64>; 4],
}

impl<'a> Figures<'a> {
    pub(crate) fn of(facts: &'a Facts, from: Ms, until: Ms) -> Self {
        let decisions = rules::decisions(&facts.history);
        let mut timers = rules::timers(&facts.history, &decisions).timers;
        timers.retain(|_, timer| timer.opened >= from);
        Figures { facts, timers, from, until }
    }

    fn timers(&self, tier: &str, clock: Clock, severity: Severity) -> impl Iterator<Item = &Timer> {
        let clock = match clock {
            Clock::Provider => rules::Clock::Provider,
            Clock::Customer => rules::Clock::Customer,
        };
        let those = self.timers.iter().filter(move |(key, timer)| {
            key.clock == clock
                && timer.severity == severity.as_str()
                && self.facts.tiers[&key.customer] == tier
        });
        those.map(|(_, timer)| timer)
    }

    /// Each timer once, in the words of "How to read the figures".
    pub(crate) fn cell(&self, tier: &str, clock: Clock, severity: Severity) -> Cell {
        let mut cell = Cell::default();
        for timer in self.timers(tier, clock, severity) {
            cell.opened += 1;
            let stopped = timer.stopped.map(|(at, _)| at);
            let of = match (timer.excluded, timer.due) {
                (Some(true), _) => &mut cell.excluded,
                (None, _) => &mut cell.undecided,
                (_, None) if stopped.is_some() => &mut cell.never_ran,
                (_, None) => &mut cell.paused,
                (_, Some(due)) if stopped.is_some_and(|at| at <= due) => &mut cell.kept,
                (_, Some(due)) if due <= self.until => &mut cell.missed,
                _ => &mut cell.running,
            };
            *of += 1;
        }
        cell
    }

    /// For each number of days, as long as it decides anything: how many timers that run out before
    /// the end, and how many of these stop by then.
    pub(crate) fn deadlines(
        &self,
        tier: &str,
        clock: Clock,
        severity: Severity,
    ) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        for days in 1.. {
            let (mut decided, mut kept) = (0, 0);
            for timer in self.timers(tier, clock, severity) {
                let Some(started) = timer.started.filter(|_| timer.excluded == Some(false)) else {
                    continue;
                };
                let business = self.facts.history.policies[&timer.policy].business;
                let due = after(started, days * DAY, business);
                decided += u64::from(due <= self.until);
                let in_time = timer.stopped.is_some_and(|(at, _)| at <= due);
                kept += u64::from(due <= self.until && in_time);
            }
            if decided == 0 {
                break;
            }
            all.push((decided, kept));
        }
        all
    }

    /// "The days from detection on what a customer runs until the customer runs something else, or
    /// the finding is judged."
    pub(crate) fn exposure_days(&self, tier: &str, severity: Severity) -> f64 {
        let history = &self.facts.history;
        let mut exposed = 0;
        let of_tier =
            history.uses.iter().filter(|((customer, _), _)| self.facts.tiers[customer] == tier);
        for ((_, image), uses) in of_tier {
            let image = &history.images[image];
            for usage in uses {
                let on_it = image.findings.iter().filter(|found| found.version == usage.version);
                let mut known: BTreeMap<i64, Ms> = BTreeMap::new();
                for found in on_it {
                    let first = known.entry(found.advisory).or_insert(found.found);
                    *first = found.found.min(*first);
                }
                for (advisory, found) in known {
                    if history.advisories[&advisory].severity == severity.as_str() {
                        let begins = usage.from.max(found).max(self.from);
                        let ends = usage.to.min(judged(image, advisory)).min(self.until);
                        exposed += (ends - begins).max(0);
                    }
                }
            }
        }
        exposed as f64 / DAY as f64
    }

    /// By image and advisory: the first finding, and the end of the last time at which there was an
    /// open one; without the false positives that were judged.
    fn exposures(&self, advisories: impl Fn(i64) -> bool) -> Vec<(Ms, Ms)> {
        let mut all = Vec::new();
        for image in self.facts.history.images.values() {
            let found: BTreeSet<i64> = image.findings.iter().map(|of| of.advisory).collect();
            for advisory in found.into_iter().filter(|of| advisories(*of)) {
                if judged(image, advisory) == FOREVER {
                    let first = image.of(advisory).map(|of| of.found).min().expect("found");
                    // Where the newest version was free of it all the while, nothing was open.
                    let open = image.of(advisory).filter(|of| of.resolved > of.found);
                    all.push((first, open.map(|of| of.resolved).max().unwrap_or(first)));
                }
            }
        }
        all
    }

    fn of_severity(&self, severity: Severity) -> Vec<(Ms, Ms)> {
        self.exposures(|of| self.facts.history.advisories[&of].severity == severity.as_str())
    }

    pub(crate) fn open_at_end(&self, severity: Severity) -> u64 {
        self.of_severity(severity).iter().filter(|(_, end)| *end == FOREVER).count() as u64
    }

    pub(crate) fn time_to_fix(&self, severity: Severity) -> Section {
        let found = self.of_severity(severity).into_iter().filter(|(at, _)| *at >= self.from);
        self.curve(found)
    }

    /// "From when a customer's timer opens to its stop", of first episodes, without false positives.
    pub(crate) fn time_to_adopt(&self, severity: Severity) -> Section {
        let history = &self.facts.history;
        let those = self.timers.iter().filter(|(key, timer)| {
            key.clock == rules::Clock::Customer
                && key.episode == 1
                && timer.severity == severity.as_str()
                && judged(&history.images[&key.image], key.advisory) == FOREVER
        });
        self.curve(those.map(|(_, of)| (of.opened, of.stopped.map_or(FOREVER, |(at, _)| at))))
    }

    fn curve(&self, spans: impl Iterator<Item = (Ms, Ms)>) -> Section {
        let mut section = Section::default();
        for (begins, ends) in spans {
            let lasted = on_grid(ends.min(self.until) - begins);
            if ends <= self.until { section.event(lasted) } else { section.censored(lasted) }
        }
        section
    }

    pub(crate) fn builds(&self) -> Builds {
        let all = || self.facts.builds.values();
        let ended = all().filter(|build| build.finished.is_some_and(|at| at >= self.from));
        let (mut busy, mut waited, mut waiting) = (0, Vec::new(), Vec::new());
        for build in all() {
            for (began, end) in &build.attempts {
                let end = end.unwrap_or(self.until).min(self.until);
                busy += (end - (*began).max(self.from)).max(0);
            }
            match build.attempts.first() {
                Some((began, _)) if *began >= self.from => waited.push(began - build.requested),
                Some(_) => {}
                None => waiting.push(self.until - build.requested),
            }
        }
        let mean = waited.iter().sum::<Ms>() as f64 / waited.len() as f64 / HOUR as f64;
        let quantile = |q| wait_quantile(&waited, &waiting, q);
        Builds {
            ended: ended.count() as u64,
            at_end: all().filter(|build| build.finished.is_none()).count() as u64,
            busy_hours: busy as f64 / HOUR as f64,
            waits: [
                (!waited.is_empty()).then_some(mean),
                quantile(0.5),
                quantile(0.95),
                quantile(0.99),
            ],
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (incident, published, advisory) in &self.facts.events {
            let Some(advisory) = advisory else { continue };
            let ends = self.exposures(|of| of == *advisory);
            if ends.is_empty() {
                continue;
            }
            let fixed = |by: Ms| ends.iter().filter(|(_, end)| *end <= by).count();
            let drained = SHARES.map(|share| {
                let wanted = (share * ends.len() as f64 - 1e-9).ceil() as usize;
                let mut instants = ends.iter().map(|(_, end)| *end).collect::<Vec<_>>();
                instants.sort_unstable();
                let first = instants.into_iter().find(|at| *at < FOREVER && fixed(*at) >= wanted);
                first.map(|at| (at - published) as f64 / HOUR as f64)
            });
            events.push(Event {
                incident: *incident,
                images: ends.len() as u64,
                fixed: fixed(self.until) as u64,
                drained,
            });
        }
        events
    }
}

fn judged(image: &Image, advisory: i64) -> Ms {
    image.judged.get(&advisory).copied().unwrap_or(FOREVER)
}

/// "Times are rounded up to the hour, after a week to six hours, after five weeks to the day."
fn on_grid(lasted: Ms) -> u32 {
    let grid = (0..=168).chain((168..=840).step_by(6)).chain((840..).step_by(24));
    let mut reached = grid.filter(|hours| i64::from(*hours) * HOUR >= lasted);
    reached.next().expect("the grid has no end")
}

/// The first wait at which the share that waits longer is at most 1 - q, by Kaplan and Meier: the
/// product over all waits that ended, in order, of the share of those at risk that went on.
fn wait_quantile(waited: &[Ms], waiting: &[Ms], q: f64) -> Option<f64> {
    let instants: BTreeSet<Ms> = waited.iter().copied().collect();
    let mut longer = 1.0;
    for at in instants {
        let at_risk = waited.iter().chain(waiting).filter(|wait| **wait >= at).count();
        let ended = waited.iter().filter(|wait| **wait == at).count();
        longer *= 1.0 - ended as f64 / at_risk as f64;
        if longer <= 1.0 - q + 1e-9 {
            return Some(at as f64 / HOUR as f64);
        }
    }
    None
}
