//! Forecasts against what happened: reliability in ten bins, and the Brier score.
//!
//! Bins are chosen by half of a forecast's futures, and their mean is taken of the other half: of the
//! futures that chose the bin, those at its edges are extreme by chance (regression to the mean).
//! Within a world outcomes hang together, so the world is the unit of the variance: a bin's deviation
//! is a sum over worlds, each of which has mean 0 when the forecast is right. The variance is that
//! sum's, or the binomial one of independent outcomes where that is greater.

/// One yes-or-no forecast with its outcome.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forecast {
    pub(super) world: u64,
    /// Share of yes among the even and among the odd futures.
    pub(super) halves: [f64; 2],
    /// How many futures each half has.
    pub(super) futures: f64,
    pub(super) happened: bool,
}

impl Forecast {
    fn probability(&self) -> f64 {
        0.5 * (self.halves[0] + self.halves[1])
    }

    fn outcome(&self) -> f64 {
        f64::from(u8::from(self.happened))
    }
}

/// Ten bins at once with 95 %: each with 99.5 %, which is 2.807 deviations.
const DEVIATIONS: f64 = 2.807;
/// Worlds that a bin needs, for its sum to be normal.
const LEAST_WORLDS: usize = 40;

/// The observed share less the forecast one and its band, of one bin.
#[derive(Debug)]
pub(super) struct Bin {
    pub(super) worlds: usize,
    pub(super) forecast: f64,
    pub(super) observed: f64,
    pub(super) band: f64,
}

impl Bin {
    fn of(members: &[&Forecast]) -> Bin {
        let n = members.len() as f64;
        let (mut by_world, mut binomial) = (std::collections::BTreeMap::new(), 0.0);
        for forecast in members {
            let p = forecast.halves[1];
            *by_world.entry(forecast.world).or_insert(0.0) += forecast.outcome() - p;
            // A share of 0 among few futures is not certainty.
            let p = (p * forecast.futures + 0.5) / (forecast.futures + 1.0);
            binomial += p * (1.0 - p) * (1.0 + 1.0 / forecast.futures);
        }
        let clustered: f64 = by_world.values().map(|sum| sum * sum).sum();
        Bin {
            worlds: by_world.len(),
            forecast: members.iter().map(|f| f.halves[1]).sum::<f64>() / n,
            observed: members.iter().map(|f| f.outcome()).sum::<f64>() / n,
            band: DEVIATIONS * clustered.max(binomial).sqrt() / n,
        }
    }

    pub(super) fn is_reliable(&self) -> bool {
        (self.observed - self.forecast).abs() <= self.band
    }
}

/// Ten bins of equal width.
pub(super) fn bins(forecasts: &[Forecast]) -> Vec<Bin> {
    let bin = |forecast: &Forecast| ((forecast.halves[0] * 10.0) as usize).min(9);
    let bins: Vec<Bin> = (0..10)
        .map(|of| {
            let members: Vec<_> = forecasts.iter().filter(|f| bin(f) == of).collect();
            Bin::of(&members)
        })
        .collect();
    for (bin, place) in bins.iter().zip(0..) {
        assert!(bin.worlds >= LEAST_WORLDS, "bin {place} has {} worlds", bin.worlds);
    }
    bins
}

/// All forecasts as one bin.
pub(super) fn overall(forecasts: &[Forecast]) -> Bin {
    Bin::of(&forecasts.iter().collect::<Vec<_>>())
}

/// The mean square of forecast less outcome.
pub(super) fn brier(forecasts: &[Forecast]) -> f64 {
    mean(forecasts, |f| (f.probability() - f.outcome()).powi(2))
}

/// The score of who always says how often it happens, which no forecast without knowledge of its
/// world can beat.
pub(super) fn base_rate_brier(forecasts: &[Forecast]) -> f64 {
    let rate = mean(forecasts, Forecast::outcome);
    rate * (1.0 - rate)
}

fn mean(forecasts: &[Forecast], of: impl Fn(&Forecast) -> f64) -> f64 {
    forecasts.iter().map(of).sum::<f64>() / forecasts.len() as f64
}
