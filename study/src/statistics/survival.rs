//! Time until something happens, of which part is censored: Kaplan-Meier curves on a grid of times,
//! with bands that take whole replications (or fixed sections of them) as the unit.
use super::interval::{Interval, Level, Note, no_event_bound};
use super::special::{normal_upper, t_upper};
use serde::{Deserialize, Serialize};

mod section;

pub use section::{Section, Tally};

/// How the variance of a curve is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variance {
    /// Greenwood (1926): each subject is independent of the others.
    Greenwood,
    /// The infinitesimal jackknife, summed within sections (R: `survfit(..., cluster = )`): only
    /// sections are independent of each other.
    Clustered,
}

/// A Kaplan-Meier curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Each time at which something happened or was censored, ascending.
    pub points: Vec<Point>,
    /// Sections with any subject.
    pub sections: u64,
    /// Subjects.
    pub subjects: u64,
}

/// A step of a curve: it holds from this time until before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The time, in steps of the grid.
    pub time: u32,
    /// Subjects that lasted until just before it, those censored at it included.
    pub at_risk: u64,
    /// Sections with any of those.
    pub sections_at_risk: u64,
    /// Events at it.
    pub events: u64,
    /// Subjects censored at it.
    pub censored: u64,
    /// The share that lasts longer than this time.
    pub survival: f64,
    /// The variance of the logarithm of `survival` after Greenwood; none when `survival` is 0.
    pub greenwood: Option<f64>,
    /// The variance of the logarithm of `survival` by the infinitesimal jackknife over sections;
    /// none when `survival` is 0.
    pub clustered: Option<f64>,
}

/// The band of a curve at one of its points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The time, in steps of the grid.
    pub time: u32,
    /// The curve.
    pub survival: f64,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// A survival that should be at a value is not above it by more than this: the product of fractions
/// is off by a few units of its last place.
const ROUNDING: f64 = 1e-12;

impl Curve {
    /// The curve of all subjects of the sections (Kaplan and Meier 1958). An event and a censoring
    /// at the same time: the censored one lasted until then, and is at risk. Sums run over sections
    /// in the given order.
    pub fn of(sections: &[Section]) -> Self {
        let mut all = Section::default();
        sections.iter().for_each(|section| all.merge(section));
        let filled: Vec<&Section> =
            sections.iter().filter(|section| section.subjects() > 0).collect();
        let mut at_risk = all.subjects();
        let mut curve = Curve {
            points: Vec::with_capacity(all.tallies().len()),
            sections: filled.len() as u64,
            subjects: at_risk,
        };
        let (mut survival, mut greenwood) = (1.0, 0.0);
        for tally in all.tallies() {
            let left = at_risk - tally.events;
            survival *= left as f64 / at_risk as f64;
            greenwood += hazard_weight(tally.events, at_risk);
            curve.points.push(Point {
                time: tally.time,
                at_risk,
                sections_at_risk: 0,
                events: tally.events,
                censored: tally.censored,
                survival,
                greenwood: (survival > 0.0).then_some(greenwood),
                clustered: (survival > 0.0).then_some(0.0),
            });
            at_risk = left - tally.censored;
        }
        filled.iter().for_each(|section| curve.add_influence(section));
        curve
    }

    /// Adds the squares of what one section contributes: the derivative of ln S(t) after the
    /// weights of its subjects, sum over s <= t of (Y(s) d(s)/n(s) - events of the section at
    /// s)/(n(s) - d(s)), where Y(s) is its number at risk.
    fn add_influence(&mut self, section: &Section) {
        let mut tallies = section.tallies().iter().peekable();
        let mut at_risk = section.subjects();
        let mut influence = 0.0;
        for point in &mut self.points {
            let own = tallies.next_if(|tally| tally.time == point.time);
            let (events, censored) = own.map_or((0, 0), |own| (own.events, own.censored));
            point.sections_at_risk += u64::from(at_risk > 0);
            let left = point.at_risk - point.events;
            if point.events > 0 && left > 0 {
                let expected = at_risk as f64 * (point.events as f64 / point.at_risk as f64);
                influence += (expected - events as f64) / left as f64;
            }
            if let Some(sum) = &mut point.clustered {
                *sum += influence * influence;
            }
            at_risk -= events + censored;
        }
    }

    /// The log-log band (Kalbfleisch and Prentice, "The Statistical Analysis of Failure Time Data",
    /// 1.4): S^exp(±z se/ln S), pointwise.
    ///
    /// Greenwood's is R's `conf.type = "log-log"`. With sections as the unit, the variance is
    /// multiplied by G/(G - 1) and Student's t with G - 1 degrees of freedom takes the place of z
    /// (G sections), for R's own, without both, is too narrow for few sections; one section alone
    /// has no band.
    ///
    /// Degenerate: before the first event the upper limit is 1 and the lower one one-sided,
    /// 1 - [`no_event_bound`] of the units still at risk, each taken as a whole; where the
    /// curve is at 0 there is no band.
    pub fn band(&self, level: Level, variance: Variance) -> Vec<Band> {
        let z = self.critical(level, variance);
        let band = |point: &Point| {
            let (lower, upper) = self.limits(point, z, level, variance);
            Band { time: point.time, survival: point.survival, lower, upper }
        };
        self.points.iter().map(band).collect()
    }

    /// By how many standard errors the band is wide; none: it does not exist.
    fn critical(&self, level: Level, variance: Variance) -> Option<f64> {
        let half = level.alpha() / 2.0;
        match variance {
            Variance::Greenwood => Some(normal_upper(half)),
            Variance::Clustered if self.sections < 2 => None,
            Variance::Clustered => {
                let (units, df) = (self.sections as f64, (self.sections - 1) as f64);
                Some(t_upper(half, df) * libm::sqrt(units / df))
            }
        }
    }

    fn limits(
        &self,
        point: &Point,
        critical: Option<f64>,
        level: Level,
        variance: Variance,
    ) -> (Option<f64>, Option<f64>) {
        if point.survival >= 1.0 {
            let units = match variance {
                Variance::Greenwood => point.at_risk,
                Variance::Clustered => point.sections_at_risk,
            };
            return (Some(1.0 - no_event_bound(units, level)), Some(1.0));
        }
        let of_log = match variance {
            Variance::Greenwood => point.greenwood,
            Variance::Clustered => point.clustered,
        };
        let (Some(of_log), Some(critical)) = (of_log, critical) else { return (None, None) };
        let log = libm::log(point.survival);
        let factor = libm::exp(critical * libm::sqrt(of_log) / -log);
        (Some(libm::exp(log * factor)), Some(libm::exp(log / factor)))
    }

    /// The survival at a time of the grid, with the limits of the band.
    ///
    /// Degenerate: before the first point, and where no event was seen, [`Note::NoEvents`]; after
    /// the last one the curve is not known unless it is at 0: [`Note::BeyondObservation`].
    pub fn at(&self, time: u32, level: Level, variance: Variance) -> Interval {
        let n = match variance {
            Variance::Greenwood => self.subjects,
            Variance::Clustered => self.sections,
        };
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Interval::nothing(0, Note::NoData);
        };
        if time > last.time && last.survival > 0.0 {
            return Interval::nothing(n, Note::BeyondObservation);
        }
        // The curve is that of the last point up to the time; who is at risk, of the next one from
        // it.
        let place = self.points.partition_point(|point| point.time <= time);
        let next = self.points.partition_point(|point| point.time < time);
        let next = self.points.get(next).unwrap_or(last);
        let whole = Point { survival: 1.0, greenwood: Some(0.0), clustered: Some(0.0), ..*first };
        let before = place.checked_sub(1).map_or(whole, |place| self.points[place]);
        let (at_risk, sections_at_risk) = (next.at_risk, next.sections_at_risk);
        let point = &Point { at_risk, sections_at_risk, ..before };
        let critical = self.critical(level, variance);
        let (lower, upper) = self.limits(point, critical, level, variance);
        let note = if point.survival >= 1.0 {
            Some(Note::NoEvents)
        } else if point.survival <= 0.0 {
            Some(Note::AllEvents)
        } else {
            lower.is_none().then_some(Note::OneValue)
        };
        Interval { estimate: Some(point.survival), lower, upper, n, note }
    }

    /// The time by which a share `q` had the event, in steps of the grid: the first point with a
    /// survival at or below 1 - q, and the same of the limits of the band (Brookmeyer and Crowley
    /// 1982).
    ///
    /// R takes the middle of the step where the curve is exactly at 1 - q; this is the beginning of
    /// it. Degenerate: a curve that never falls so low has no estimate ([`Note::NeverReached`]),
    /// though it may have a lower limit; a limit of the band that does not is
    /// [`Note::LimitNeverReached`].
    pub fn quantile(&self, q: f64, level: Level, variance: Variance) -> Interval {
        let n = match variance {
            Variance::Greenwood => self.subjects,
            Variance::Clustered => self.sections,
        };
        if self.points.is_empty() {
            return Interval::nothing(0, Note::NoData);
        }
        let band = self.band(level, variance);
        let fallen = |of: fn(&Band) -> Option<f64>| {
            let low = |band: &&Band| {
                band.survival < 1.0 && of(band).is_some_and(|s| s <= 1.0 - q + ROUNDING)
            };
            band.iter().find(low).map(|band| f64::from(band.time))
        };
        let estimate = fallen(|band| Some(band.survival));
        let (lower, upper) = (fallen(|band| band.lower), fallen(|band| band.upper));
        let note = if estimate.is_none() {
            Some(Note::NeverReached)
        } else {
            (lower.is_none() || upper.is_none()).then_some(Note::LimitNeverReached)
        };
        Interval { estimate, lower, upper, n, note }
    }
}

/// d/(n(n - d)), Greenwood's summand; 0 when all are gone, where no variance is asked for.
fn hazard_weight(events: u64, at_risk: u64) -> f64 {
    let left = at_risk - events;
    if left == 0 { 0.0 } else { events as f64 / (at_risk as f64 * left as f64) }
}

#[cfg(test)]
mod tests;
