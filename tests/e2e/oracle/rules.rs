//! The section "Service levels" of docs/model.md as plain loops: exposures, episodes, clocks, and
//! what each evaluation says of them.
use super::calendar::{DAY, Ms, after, share};
use super::history::{Again, ClockStart, FOREVER, Image, Policy, Usage, World};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Clock {
    Customer,
    Provider,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TimerKey {
    pub(super) customer: i64,
    pub(super) image: i64,
    pub(super) advisory: i64,
    pub(super) clock: Clock,
    /// From 1.
    pub(super) episode: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Timer {
    pub(super) policy: i64,
    pub(super) severity: String,
    pub(super) opened: Ms,
    /// The earliest start, but for a fix.
    pub(super) counts_from: Ms,
    pub(super) started: Option<Ms>,
    pub(super) warn: Option<Ms>,
    pub(super) due: Option<Ms>,
    pub(super) stopped: Option<(Ms, &'static str)>,
    /// None: not decided yet.
    pub(super) excluded: Option<bool>,
    pub(super) warned: Option<Ms>,
    pub(super) breached: Option<Ms>,
}

impl Timer {
    /// The evaluation that sees that a breached timer has stopped.
    pub(super) fn resolved(&self, world: &World) -> Option<(Ms, Ms)> {
        let (stopped, _) = self.stopped?;
        Some((stopped, world.evaluated(stopped.max(self.breached?))?))
    }
}

/// What was decided about an advisory and a policy that excludes mass events.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) at: Ms,
    pub(super) images_hit: usize,
    pub(super) images: usize,
    pub(super) excluded: bool,
}

/// All timers that the last evaluation knows, and how many episodes a policy has ignored.
pub(super) struct Timers {
    pub(super) timers: BTreeMap<TimerKey, Timer>,
    pub(super) ignored: usize,
}

/// From opening to stopping.
struct Episode {
    from: Ms,
    to: Ms,
    why: &'static str,
    /// The base of its clock, were it the first.
    first_use: Ms,
}

pub(super) type Decisions = BTreeMap<(i64, i64), Decision>;

/// "By the first evaluation at or after 24 h from the first detection of the advisory on any image."
pub(super) fn decisions(world: &World) -> Decisions {
    let mut found: BTreeMap<i64, Vec<(Ms, i64)>> = BTreeMap::new();
    for (image, findings) in &world.images {
        for finding in &findings.findings {
            found.entry(finding.advisory).or_default().push((finding.found, *image));
        }
    }
    let mut decisions = BTreeMap::new();
    for (advisory, found) in found {
        let first = found.iter().map(|(at, _)| *at).min().expect("a finding");
        let Some(at) = world.evaluated(first + DAY) else { continue };
        let by_then = found.iter().filter(|(when, _)| *when <= at);
        let hit = by_then.map(|(_, image)| *image).collect::<BTreeSet<i64>>().len();
        let published = |image: &&Image| image.versions.values().any(|v| v.published <= at);
        let images = world.images.values().filter(published).count();
        for (policy, terms) in &world.policies {
            let Some(over) = terms.excluded_over_permille else { continue };
            let over = usize::try_from(over).expect("a share");
            let excluded = hit * 1000 > over * images;
            let decision = Decision { at, images_hit: hit, images, excluded };
            decisions.insert((advisory, *policy), decision);
        }
    }
    decisions
}

pub(super) fn timers(world: &World, decisions: &Decisions) -> Timers {
    let mut all = Timers { timers: BTreeMap::new(), ignored: 0 };
    for (&(customer, image), usages) in &world.uses {
        let policy = world.customers[&customer].policy;
        let terms = &world.policies[&policy];
        let found = &world.images[&image];
        let advisories: BTreeSet<i64> = found.findings.iter().map(|f| f.advisory).collect();
        for advisory in advisories {
            let severity = &world.advisories[&advisory].severity;
            let Some(&days) = terms.days.get(severity) else { continue };
            for clock in [Clock::Customer, Clock::Provider] {
                let mut base = None;
                let episodes = episodes(found, usages, advisory, clock);
                let known = episodes.iter().filter(|episode| episode.from <= world.last());
                for (earlier, episode) in known.enumerate() {
                    if earlier > 0 && terms.again == Again::Ignore {
                        all.ignored += 1;
                        continue;
                    }
                    let own = match (base, terms.again) {
                        (None, _) => episode.first_use,
                        (Some(before), Again::Continue) => before,
                        (Some(_), _) => episode.from,
                    };
                    base = Some(own);
                    let decision = decisions.get(&(advisory, policy));
                    let mut timer = clocked(world, terms, found, advisory, episode, own, days);
                    timer.policy = policy;
                    timer.excluded = match terms.excluded_over_permille {
                        None => Some(false),
                        Some(_) => decision.map(|decision| decision.excluded),
                    };
                    if timer.excluded == Some(false) {
                        say(world, &mut timer, decision.map_or(Ms::MIN, |decision| decision.at));
                    }
                    let episode = earlier + 1;
                    let key = TimerKey { customer, image, advisory, clock, episode };
                    all.timers.insert(key, timer);
                }
            }
        }
    }
    all
}

/// When the clock of an episode starts, warns, is due and stops.
fn clocked(
    world: &World,
    terms: &Policy,
    image: &Image,
    advisory: i64,
    episode: &Episode,
    base: Ms,
    days: i64,
) -> Timer {
    let about = &world.advisories[&advisory];
    let counts_from = match terms.starts {
        ClockStart::FixAvailable => base,
        ClockStart::Published => base.max(about.published),
        ClockStart::Detected => {
            base.max(image.of(advisory).map(|finding| finding.found).min().expect("a finding"))
        }
    };
    let waits_for_fix = terms.pause_without_fix || terms.starts == ClockStart::FixAvailable;
    let start = match about.fix {
        _ if !waits_for_fix => Some(counts_from),
        Some(fix) if fix <= world.last() => Some(counts_from.max(fix)),
        _ => None,
    };
    let started = start.filter(|start| *start < episode.to);
    let end = |counted| started.map(|start| after(start, counted, terms.business));
    Timer {
        policy: 0,
        severity: about.severity.clone(),
        opened: episode.from,
        counts_from,
        started,
        warn: end(share(days, terms.warn_permille)),
        due: end(days * DAY),
        stopped: (episode.to <= world.last()).then_some((episode.to, episode.why)),
        excluded: None,
        warned: None,
        breached: None,
    }
}

/// What evaluations say of a timer that is not excluded, the first of them at or after `decided`.
fn say(world: &World, timer: &mut Timer, decided: Ms) {
    let (Some(warn), Some(due)) = (timer.warn, timer.due) else { return };
    let stop = timer.stopped.map_or(FOREVER, |(at, _)| at);
    let sees = timer.opened.max(decided);
    for &evaluation in world.evaluations.iter().filter(|evaluation| **evaluation >= sees) {
        // "The deadline has passed and the timer had not stopped at or before it."
        if due <= evaluation && stop > due {
            timer.breached = Some(evaluation);
            return;
        }
        // "A stopped timer is not warned about."
        if stop <= evaluation {
            return;
        }
        if warn <= evaluation && timer.warned.is_none() {
            timer.warned = Some(evaluation);
        }
    }
}

/// The exposures of a customer's uses of an image, in order. An episode lies within one use.
fn episodes(image: &Image, usages: &[Usage], advisory: i64, clock: Clock) -> Vec<Episode> {
    let judged = image.judged.get(&advisory).copied().unwrap_or(FOREVER);
    let mut episodes = Vec::new();
    for usages in usages.chunk_by(|one, next| one.since == next.since) {
        let (since, end) = (usages[0].since, usages[usages.len() - 1].to);
        let exposed = match clock {
            Clock::Customer => on_what_it_runs(image, usages, advisory),
            Clock::Provider => {
                let open = image.of(advisory).map(|f| (f.found, f.resolved));
                open.map(|(found, resolved)| (found.max(since), resolved.min(end))).collect()
            }
        };
        for (from, to) in united(exposed) {
            // "What was judged before opens nothing."
            if judged <= from {
                continue;
            }
            let fixed = clock == Clock::Provider && image.of(advisory).any(|f| f.resolved == to);
            let why = match clock {
                _ if judged < to => "not_affected",
                Clock::Provider if fixed => "fixed",
                _ if to == end => "ended",
                _ => "adopted",
            };
            let first_use = match clock {
                Clock::Provider => since,
                Clock::Customer => runs_since(usages, from),
            };
            episodes.push(Episode { from, to: to.min(judged), why, first_use });
        }
    }
    episodes
}

/// When the customer ran what the advisory was known of.
fn on_what_it_runs(image: &Image, usages: &[Usage], advisory: i64) -> Vec<(Ms, Ms)> {
    let mut exposed = Vec::new();
    for usage in usages {
        let known = image.of(advisory).filter(|finding| finding.version == usage.version);
        if let Some(known) = known.map(|finding| finding.found).min() {
            exposed.push((usage.from.max(known), usage.to));
        }
    }
    exposed
}

/// Since when what is run at an instant has been run in this way.
fn runs_since(usages: &[Usage], at: Ms) -> Ms {
    let running = usages.iter().find(|usage| usage.from <= at && at < usage.to);
    running.expect("something is run").from
}

/// Spans that overlap or touch, as one; empty ones are none.
fn united(mut spans: Vec<(Ms, Ms)>) -> Vec<(Ms, Ms)> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut united: Vec<(Ms, Ms)> = Vec::new();
    for (from, to) in spans {
        match united.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => united.push((from, to)),
        }
    }
    united
}

#[test]
fn spans_that_touch_are_one_exposure() {
    let spans = vec![(50, 60), (0, 10), (10, 20), (30, 30), (5, 12), (55, 58)];
    assert_eq!(united(spans), [(0, 20), (50, 60)]);
}
