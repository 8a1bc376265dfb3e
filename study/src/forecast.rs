//! Forecasts: many possible futures of a world that runs, given what is known at its instant.
//!
//! What is known stays; what is not is drawn anew, conditional on it (`sim::World::fork`). A share of
//! futures is the probability; its Wilson interval says how well so many futures tell it, and nothing
//! about how well the model fits the world outside.
use crate::statistics::{Interval, Level, Moments, t_mean, wilson};
use serde::Serialize;
use sim::World;
use sim::fact::Clock;
use sim::ids::{CustomerId, ImageId};
use sim::recorder::Unwatched;
use sim::severity::Severity;
use sim::time::{SimDuration, SimTime};
use sim::world::TimerView;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How far.
    pub horizon: SimDuration,
    /// In how many futures.
    pub futures: u32,
    /// Their seed; the same one gives the same forecast.
    pub seed: u64,
    /// The confidence of intervals.
    pub level: Level,
}

/// The most futures.
pub const MOST_FUTURES: u32 = 10_000;
/// The longest horizon.
pub const LONGEST: SimDuration = SimDuration::days(366);

/// A forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The instant from which it looks ahead: what was known then is what it rests on.
    pub from: SimTime,
    /// To which instant.
    pub until: SimTime,
    /// In how many futures.
    pub futures: u64,
    /// Their seed.
    pub seed: u64,
    /// The confidence of intervals.
    pub confidence: f64,
    /// The timers that run or stand still now, the most endangered first.
    pub timers: Vec<TimerForecast>,
    /// By customer, clock and severity: what will be missed, of timers open now and to come.
    pub customers: Vec<CustomerForecast>,
    /// All customers together, by clock and severity.
    pub total: Vec<CustomerForecast>,
    /// Builds that wait or run, by day.
    pub queue: Vec<QueueForecast>,
}

/// What becomes of a timer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimerForecast {
    /// To whom it is owed.
    pub customer: CustomerId,
    /// The image.
    pub image: ImageId,
    /// The advisory's ordinal.
    pub advisory: sim::ids::AdvisoryId,
    /// Whose clock.
    pub clock: Clock,
    /// Which exposure, from 1.
    pub episode: u32,
    /// The severity.
    pub severity: Severity,
    /// Its deadline; none: it stands still.
    pub due: Option<SimTime>,
    /// The probability that it misses its deadline by the end of the forecast.
    pub missed: Interval,
}

/// What will be missed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomerForecast {
    /// To whom; none: all together.
    pub customer: Option<CustomerId>,
    /// Whose clock.
    pub clock: Clock,
    /// The severity.
    pub severity: Severity,
    /// The probability of at least one.
    pub any: Interval,
    /// The expected number.
    pub expected: Interval,
}

/// The queue on a day to come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueForecast {
    /// The instant.
    pub at: SimTime,
    /// Builds that wait or run, in the mean.
    pub builds: Interval,
    /// As many or fewer in 95 % of the futures.
    pub p95: u64,
}

/// Of whom, whose clock, which severity.
type Group = (CustomerId, Clock, Severity);

/// What is kept of a future.
struct Future {
    /// Places of watched timers that are missed.
    missed: Vec<u32>,
    groups: BTreeMap<Group, u32>,
    queue: Vec<u64>,
}

/// Looks ahead; none: it was stopped.
pub fn forecast(
    world: &World,
    options: Options,
    threads: usize,
    stop: &AtomicBool,
) -> Option<Forecast> {
    let now = world.now();
    let until = now + options.horizon;
    let watched: Vec<(usize, TimerView)> =
        world.timers().enumerate().filter(|(_, timer)| is_open(timer, now)).collect();
    let places: BTreeMap<usize, u32> =
        watched.iter().zip(0..).map(|((id, _), place)| (*id, place)).collect();
    let futures = play(threads, options.futures, stop, |nth| {
        let seed = options.seed.wrapping_add(u64::from(nth));
        future(world.fork(seed), now, until, &places, stop)
    })?;
    Some(Forecast {
        from: now,
        until,
        futures: futures.len() as u64,
        seed: options.seed,
        confidence: options.level.confidence(),
        timers: timers(&watched, &futures, options.level),
        customers: customers(world, &futures, options.level),
        total: total(&futures, options.level),
        queue: queue(now, until, &futures, options.level),
    })
}

/// Whether it can still be missed: it has not stopped, is not excluded and not late already.
fn is_open(timer: &TimerView, now: SimTime) -> bool {
    timer.stopped.is_none() && timer.excluded != Some(true) && timer.due.is_none_or(|due| due > now)
}

fn future(
    mut world: World,
    now: SimTime,
    until: SimTime,
    watched: &BTreeMap<usize, u32>,
    stop: &AtomicBool,
) -> Option<Future> {
    let mut queue = Vec::new();
    while world.now() < until {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let next = (world.now() + SimDuration::days(1)).min(until);
        world.play(next, &mut Unwatched);
        queue.push(world.builds_in_system() as u64);
    }
    let mut future = Future { missed: Vec::new(), groups: BTreeMap::new(), queue };
    for (id, timer) in world.timers().enumerate() {
        let Some(due) = timer.due.filter(|due| *due > now && *due <= until) else { continue };
        let in_time = timer.stopped.is_some_and(|stopped| stopped <= due);
        if in_time || timer.excluded == Some(true) {
            continue;
        }
        future.missed.extend(watched.get(&id));
        let group = (timer.name.customer, timer.name.clock, timer.severity);
        *future.groups.entry(group).or_default() += 1;
    }
    Some(future)
}

/// Plays all futures, each on whichever thread is free, and gives them in their order.
fn play(
    threads: usize,
    futures: u32,
    stop: &AtomicBool,
    one: impl Fn(u32) -> Option<Future> + Sync,
) -> Option<Vec<Future>> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (sender, next, one) = (sender.clone(), &next, &one);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Ok(nth) = u32::try_from(place) else { return };
                    if nth >= futures || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Some(future) = one(nth)
                        && sender.send((nth, future)).is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    drop(sender);
    let all: BTreeMap<u32, Future> = receiver.into_iter().collect();
    (all.len() == futures as usize).then(|| all.into_values().collect())
}

fn timers(watched: &[(usize, TimerView)], futures: &[Future], level: Level) -> Vec<TimerForecast> {
    let mut missed = vec![0_u64; watched.len()];
    for place in futures.iter().flat_map(|future| &future.missed) {
        missed[*place as usize] += 1;
    }
    let mut all: Vec<(u64, TimerForecast)> = watched
        .iter()
        .zip(missed)
        .map(|((_, timer), missed)| {
            let forecast = TimerForecast {
                customer: timer.name.customer,
                image: timer.name.image,
                advisory: timer.name.advisory,
                clock: timer.name.clock,
                episode: timer.name.episode,
                severity: timer.severity,
                due: timer.due,
                missed: wilson(missed, futures.len() as u64, level),
            };
            (missed, forecast)
        })
        .collect();
    // In the order of opening where they are alike.
    all.sort_by_key(|(missed, _)| std::cmp::Reverse(*missed));
    all.into_iter().map(|(_, timer)| timer).collect()
}

fn customers(world: &World, futures: &[Future], level: Level) -> Vec<CustomerForecast> {
    let mut all = Vec::new();
    let customers = (0_u32..).take(world.catalogue().customers.len()).map(CustomerId);
    for customer in customers {
        for clock in [Clock::Provider, Clock::Customer] {
            for severity in Severity::ALL.iter().rev() {
                let group = (customer, clock, *severity);
                let counts =
                    futures.iter().map(|future| future.groups.get(&group).copied().unwrap_or(0));
                let counts: Vec<u32> = counts.collect();
                if counts.iter().any(|count| *count > 0) {
                    all.push(summary(Some(customer), clock, *severity, &counts, level));
                }
            }
        }
    }
    all
}

fn total(futures: &[Future], level: Level) -> Vec<CustomerForecast> {
    let mut all = Vec::new();
    for clock in [Clock::Provider, Clock::Customer] {
        for severity in Severity::ALL.iter().rev() {
            let of = |future: &Future| {
                let groups = future.groups.iter();
                let those = groups.filter(|((_, c, s), _)| *c == clock && s == severity);
                those.map(|(_, count)| *count).sum()
            };
            let counts: Vec<u32> = futures.iter().map(of).collect();
            all.push(summary(None, clock, *severity, &counts, level));
        }
    }
    all
}

fn summary(
    customer: Option<CustomerId>,
    clock: Clock,
    severity: Severity,
    counts: &[u32],
    level: Level,
) -> CustomerForecast {
    let any = counts.iter().filter(|count| **count > 0).count() as u64;
    let mut moments = Moments::default();
    counts.iter().for_each(|count| moments.push(f64::from(*count)));
    let expected = t_mean(&moments, level);
    CustomerForecast {
        customer,
        clock,
        severity,
        any: wilson(any, counts.len() as u64, level),
        expected: Interval { lower: expected.lower.map(|lower| lower.max(0.0)), ..expected },
    }
}

fn queue(now: SimTime, until: SimTime, futures: &[Future], level: Level) -> Vec<QueueForecast> {
    let days = futures.first().map_or(0, |future| future.queue.len());
    let forecast = |day: usize| {
        let mut builds: Vec<u64> = futures.iter().map(|future| future.queue[day]).collect();
        let mut moments = Moments::default();
        builds.iter().for_each(|count| moments.push(*count as f64));
        builds.sort_unstable();
        let after = i64::try_from(day + 1).unwrap_or(i64::MAX);
        let rank = (builds.len() * 95).div_ceil(100).max(1);
        let mean = t_mean(&moments, level);
        QueueForecast {
            at: (now + SimDuration::days(after)).min(until),
            builds: Interval { lower: mean.lower.map(|lower| lower.max(0.0)), ..mean },
            p95: builds[rank - 1],
        }
    };
    (0..days).map(forecast).collect()
}
