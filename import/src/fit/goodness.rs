//! How well a fit fits: the distance between the fitted curve and that of Kaplan and Meier, which
//! assumes no distribution.
use super::Observation;
use super::family::{Family, PACKAGE_SPREAD};
use crate::cast::whole_u32;
use serde::Serialize;
use study::statistics::{Curve, Level, Section, Variance};

/// The most points that are kept for a plot.
const POINTS: usize = 120;
/// The 95 % quantile of sqrt(n) D under the distribution itself (Kolmogorov). With fitted
/// parameters D is smaller, so that what is above does not fit, while what is below need not fit.
const KOLMOGOROV_95: f64 = 1.358;
const SECONDS_PER_HOUR: f64 = 3_600.0;

/// How well a fit fits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Goodness {
    /// The largest distance between both curves (Kolmogorov and Smirnov), over what was observed.
    pub distance: f64,
    /// Above this it does not fit: 1.358 over the root of the number of ends.
    pub bound: f64,
    /// Both curves, thinned out.
    pub points: Vec<GoodnessPoint>,
}

/// Both curves at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GoodnessPoint {
    /// The time, in hours.
    pub hours: f64,
    /// The share that lasts longer, by Kaplan and Meier.
    pub seen: f64,
    /// The lower limit of its 95 % band.
    pub lower: f64,
    /// The upper limit.
    pub upper: f64,
    /// The share that lasts longer, by the fit.
    pub fitted: f64,
}

impl Goodness {
    /// Whether the distance speaks against the fit.
    pub fn is_poor(&self) -> bool {
        self.distance > self.bound
    }
}

/// Compares. `never` is the share of subjects that never end.
pub(super) fn goodness(
    observations: &[Observation],
    family: Family,
    at: &[f64],
    never: f64,
) -> Goodness {
    let mut times: Vec<(u32, bool)> = observations
        .iter()
        .map(|o| (whole_u32(o.seen.middle() * SECONDS_PER_HOUR), o.seen.is_event()))
        .collect();
    times.sort_unstable();
    let mut section = Section::default();
    for run in times.chunk_by(|a, b| a.0 == b.0) {
        let events = run.iter().filter(|(_, event)| *event).count() as u64;
        section.add(run[0].0, events, run.len() as u64 - events);
    }
    let curve = Curve::of(&[section]);
    let spread = observations.iter().filter(|o| o.spread).count() as f64;
    let spread = spread / (observations.len() as f64).max(1.0);
    let fitted = |hours: f64| {
        let plain = family.survival(at, hours, 0.0);
        let wide = if spread > 0.0 { family.survival(at, hours, PACKAGE_SPREAD) } else { plain };
        never + (1.0 - never) * ((1.0 - spread) * plain + spread * wide)
    };
    let (mut distance, mut before) = (0.0_f64, 1.0);
    for point in curve.points.iter().filter(|point| point.events > 0) {
        let fit = fitted(f64::from(point.time) / SECONDS_PER_HOUR);
        if family != Family::Constant {
            distance = distance.max((fit - before).abs()).max((fit - point.survival).abs());
        }
        before = point.survival;
    }
    let events = times.iter().filter(|(_, event)| *event).count() as f64;
    let every = curve.points.len().div_ceil(POINTS).max(1);
    let band = Level::new(0.95).map(|level| curve.band(level, Variance::Greenwood));
    let points = band.unwrap_or_default();
    let points =
        points.iter().enumerate().filter(|(nth, _)| nth % every == 0 || nth + 1 == points.len());
    let points = points.map(|(_, band)| {
        let hours = f64::from(band.time) / SECONDS_PER_HOUR;
        GoodnessPoint {
            hours,
            seen: band.survival,
            lower: band.lower.unwrap_or(band.survival),
            upper: band.upper.unwrap_or(band.survival),
            fitted: fitted(hours),
        }
    });
    Goodness {
        distance,
        bound: KOLMOGOROV_95 / libm::sqrt(events.max(1.0)),
        points: points.collect(),
    }
}
