//! The load that a scenario puts on its builders, in closed form: what its schedule and its streams
//! ask for, against what the pool can do.
use crate::scenario::Scenario;
use crate::scenario::model::Draw;
use crate::scenario::units::CronSchedule;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SimDuration, SimTime};
use serde::Serialize;

/// What the figures leave out.
const NOT_COUNTED: &str = "builds for releases, new bases and CVE fixes, retries of failed builds, \
    incidents, images past their end of life, and what merging saves";

/// How busy the builders are, in the mean.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// How long an attempt takes, in minutes.
    pub attempt_minutes: f64,
    /// Attempts a build: 1, and those that flake and run again.
    pub attempts: f64,
    /// Builds a day that the periodic rebuild asks for.
    pub rebuilds_per_day: f64,
    /// Builds a day that the streams of `triggers.arrivals` ask for.
    pub arrivals_per_day: f64,
    /// What both take of the pool, in builder-hours a day.
    pub needed_hours_per_day: f64,
    /// What the pool has, in builder-hours a day.
    pub pool_hours_per_day: f64,
    /// The one as a share of the other.
    pub share: f64,
    /// How long the whole pool takes for one rebuild of all images, in hours.
    pub rebuild_hours: f64,
    /// What is not in these figures.
    pub not_counted: &'static str,
}

impl Load {
    pub(super) fn of(scenario: &Scenario, images: usize) -> Self {
        let builders = &scenario.builders;
        let attempt_ms = mean_ms(&builders.duration);
        let attempts = attempts(builders.flake.value(), builders.retries);
        let build_hours = attempt_ms * attempts / HOUR_MS as f64;
        let start = scenario.start.time();
        let rebuild = scenario.triggers.rebuild.as_ref();
        let rebuilds_per_day = rebuild.map_or(0.0, |cron| per_day(cron, start)) * images as f64;
        let streams = scenario.triggers.arrivals.iter();
        let arrivals_per_day = streams.map(|stream| DAY_MS as f64 / mean_ms(&stream.gap)).sum();
        let needed = (rebuilds_per_day + arrivals_per_day) * build_hours;
        let pool = f64::from(builders.count) * 24.0;
        Load {
            attempt_minutes: attempt_ms / MINUTE_MS as f64,
            attempts,
            rebuilds_per_day,
            arrivals_per_day,
            needed_hours_per_day: needed,
            pool_hours_per_day: pool,
            share: needed / pool,
            rebuild_hours: images as f64 * build_hours / f64::from(builders.count),
            not_counted: NOT_COUNTED,
        }
    }
}

/// The mean of a distribution of lengths of time, in milliseconds.
fn mean_ms(draw: &Draw) -> f64 {
    let ms = |span: &crate::scenario::units::Span| span.duration().0 as f64;
    match draw {
        Draw::Constant(span) | Draw::Exponential { mean: span } => ms(span),
        Draw::Uniform { min, max } => f64::midpoint(ms(min), ms(max)),
        Draw::Lognormal { median, sigma } => {
            ms(median) * libm::exp(sigma.value() * sigma.value() / 2.0)
        }
    }
}

/// Attempts a build: each flakes with the same probability, and so many are made again.
fn attempts(flake: f64, retries: u32) -> f64 {
    let all = 1.0 + f64::from(retries);
    if flake >= 1.0 { all } else { (1.0 - libm::pow(flake, all)) / (1.0 - flake) }
}

/// How often a schedule fires, a day: over four weeks; one that fires too often for that over a day;
/// one that fires too seldom over the eight years in which a leap day comes.
fn per_day(cron: &CronSchedule, start: SimTime) -> f64 {
    const MANY: usize = 50_000;
    const LONG: i64 = 8 * 365 + 2;
    let count = |days: i64| {
        let end = start + SimDuration(days * DAY_MS);
        let fires = move |at: &SimTime| cron.next_after(*at).filter(|next| *next <= end);
        std::iter::successors(fires(&start), fires)
    };
    match count(28).take(MANY).count() {
        0 => count(LONG).count() as f64 / LONG as f64,
        MANY => count(1).count() as f64,
        firings => firings as f64 / 28.0,
    }
}
