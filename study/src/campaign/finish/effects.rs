//! What uncertain inputs do to a result: both intervals, and which input decides.
use super::{Campaign, moments};
use crate::arms::{Kind, Tried};
use crate::result::{InputEffect, UncertainArm, UncertaintyResult};
use crate::statistics::{Interval, Moments, t_mean};

pub(super) fn uncertainty(campaign: &Campaign) -> Option<UncertaintyResult> {
    let uncertain = campaign.compiled.study.uncertain.as_ref()?;
    let of = campaign.uncertain_measure();
    let arms = campaign.compiled.arms.iter().enumerate();
    Some(UncertaintyResult {
        draws: u64::from(uncertain.draws),
        replications: u64::from(uncertain.replications),
        arms: arms
            .map(|(arm, compiled)| {
                let values = campaign.tallies[arm].of(&campaign.counting, &of);
                let by_chance = t_mean(&moments(values), campaign.compiled.level);
                // What is drawn plays under the first few of the seeds: by how much these differ
                // from all, it is set right (a control variate).
                let few = moments(&values[..values.len().min(uncertain.replications as usize)]);
                let offset = by_chance.estimate.unwrap_or(few.mean) - few.mean;
                let drawn = drawn(campaign, arm, offset);
                UncertainArm {
                    arm: compiled.name.clone(),
                    by_inputs: spread(campaign, &drawn),
                    inputs: inputs(campaign, arm, &drawn, (few.mean, offset)),
                    by_chance,
                }
            })
            .collect(),
        of,
    })
}

/// The draws of an arm: at which probability each input stood, and the mean that followed.
fn drawn(campaign: &Campaign, arm: usize, offset: f64) -> Vec<(Vec<f64>, f64)> {
    let all = campaign.varied(|kind| matches!(kind, Kind::Drawn(_)), arm);
    let seen = all.into_iter().filter(|(_, moments)| moments.n > 0);
    let draw = seen.filter_map(|(kind, moments)| match kind {
        Kind::Drawn(at) => Some((at.clone(), moments.mean + offset)),
        _ => None,
    });
    draw.collect()
}

/// The mean over draws with their middle part: interpolated quantiles of the drawn means.
fn spread(campaign: &Campaign, drawn: &[(Vec<f64>, f64)]) -> Interval {
    let mut means: Vec<f64> = drawn.iter().map(|(_, mean)| *mean).collect();
    means.sort_by(f64::total_cmp);
    if means.is_empty() {
        return Interval::default();
    }
    let alpha = campaign.compiled.level.alpha();
    let mut all = Moments::default();
    means.iter().for_each(|mean| all.push(*mean));
    Interval {
        estimate: Some(all.mean),
        lower: Some(interpolated(&means, alpha / 2.0)),
        upper: Some(interpolated(&means, 1.0 - alpha / 2.0)),
        n: means.len() as u64,
        note: None,
    }
}

/// The quantile of sorted values between their plotting positions (i - 1/2) / n.
fn interpolated(sorted: &[f64], q: f64) -> f64 {
    let n = sorted.len() as f64;
    let below = |place: usize| (place as f64 + 0.5) / n;
    let after = (0..sorted.len()).find(|place| below(*place) >= q);
    match after {
        Some(0) => sorted[0],
        None => sorted[sorted.len() - 1],
        Some(place) => {
            let part = (q - below(place - 1)) / (below(place) - below(place - 1));
            sorted[place - 1] + part * (sorted[place] - sorted[place - 1])
        }
    }
}

fn inputs(
    campaign: &Campaign,
    arm: usize,
    drawn: &[(Vec<f64>, f64)],
    (nominal, offset): (f64, f64),
) -> Vec<InputEffect> {
    let low = campaign.varied(|kind| matches!(kind, Kind::Low(_)), arm);
    let high = campaign.varied(|kind| matches!(kind, Kind::High(_)), arm);
    let mut effects = Vec::new();
    for ((low, at_low), (high, at_high)) in low.into_iter().zip(high) {
        let (Kind::Low(low), Kind::High(high)) = (low, high) else { continue };
        let mean = |of: &Moments| offset + if of.n > 0 { of.mean } else { nominal };
        let (at_low, at_high) = (mean(at_low), mean(at_high));
        effects.push(InputEffect {
            path: low.path.clone(),
            low: low.value.clone(),
            high: high.value.clone(),
            at_low,
            at_high,
            variance_share: variance_share(low, drawn),
        });
    }
    let width = |effect: &InputEffect| libm::fabs(effect.at_high - effect.at_low);
    effects.sort_by(|a, b| width(b).total_cmp(&width(a)).then_with(|| a.path.cmp(&b.path)));
    effects
}

/// The square of the correlation between an input and the mean: with inputs that do not depend on each
/// other, the first-order share of the variance that is linear in it (Saltelli and others 2008).
fn variance_share(input: &Tried, drawn: &[(Vec<f64>, f64)]) -> Option<f64> {
    let n = drawn.len() as f64;
    if drawn.len() < 3 {
        return None;
    }
    let x: Vec<f64> = drawn.iter().filter_map(|(at, _)| at.get(input.input).copied()).collect();
    let y: Vec<f64> = drawn.iter().map(|(_, mean)| *mean).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let mut sums = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(&y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        sums = (sums.0 + dx * dx, sums.1 + dy * dy, sums.2 + dx * dy);
    }
    (sums.0 > 0.0 && sums.1 > 0.0).then(|| sums.2 * sums.2 / (sums.0 * sums.1))
}
