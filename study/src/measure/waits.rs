//! How long builds wait for a builder; those that wait at the end have waited at least so long.
use serde::{Deserialize, Serialize};
use sim::time::{SimDuration, SimTime};

/// Waits of one replication, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    waited: Vec<i64>,
    waiting: Vec<i64>,
}

/// What is kept of the waits, in hours. A quantile that lies among those that still wait is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WaitSummary {
    /// Mean of those that started.
    pub mean: Option<f64>,
    /// Half waited so long at the most.
    pub p50: Option<f64>,
    /// 95 % did.
    pub p95: Option<f64>,
    /// 99 % did.
    pub p99: Option<f64>,
}

impl Waits {
    pub(super) fn waited(&mut self, wait: SimDuration) {
        self.waited.push(wait.0.max(0));
    }

    pub(super) fn still_waits(&mut self, since: SimTime, until: SimTime) {
        self.waiting.push(until.since(since).0.max(0));
    }

    pub(super) fn summary(mut self) -> WaitSummary {
        self.waited.sort_unstable();
        self.waiting.sort_unstable();
        let sum: i128 = self.waited.iter().map(|wait| i128::from(*wait)).sum();
        let n = self.waited.len();
        WaitSummary {
            mean: (n > 0).then(|| hours(sum as f64 / n as f64)),
            p50: self.quantile(0.5),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
        }
    }

    /// The Kaplan-Meier quantile: the first wait at which at most 1 - q wait longer.
    fn quantile(&self, q: f64) -> Option<f64> {
        if self.waiting.is_empty() {
            let n = self.waited.len();
            let rank = (1..=n).find(|rank| *rank as f64 >= q * n as f64 - 1e-9);
            return rank.map(|rank| hours(self.waited[rank - 1] as f64));
        }
        let mut left = 1.0;
        let mut at_risk = self.waited.len() + self.waiting.len();
        let (mut place, mut censored) = (0, 0);
        while place < self.waited.len() {
            let wait = self.waited[place];
            while censored < self.waiting.len() && self.waiting[censored] < wait {
                censored += 1;
                at_risk -= 1;
            }
            let ends = self.waited[place..].iter().take_while(|other| **other == wait).count();
            left *= (at_risk - ends) as f64 / at_risk as f64;
            at_risk -= ends;
            place += ends;
            if left <= 1.0 - q + 1e-12 {
                return Some(hours(wait as f64));
            }
        }
        None
    }
}

fn hours(ms: f64) -> f64 {
    ms / 3_600_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(waited: &[i64], waiting: &[i64]) -> Waits {
        let ms = |hours: &[i64]| hours.iter().map(|hour| hour * 3_600_000).collect();
        Waits { waited: ms(waited), waiting: ms(waiting) }
    }

    #[test]
    fn quantiles_are_those_of_the_order() {
        let summary = waits(&[4, 1, 3, 2], &[]).summary();
        assert_eq!((summary.p50, summary.p95, summary.mean), (Some(2.0), Some(4.0), Some(2.5)));
        assert_eq!(Waits::default().summary(), WaitSummary::default());
    }

    #[test]
    fn what_still_waits_is_not_left_out() {
        // Of four one has waited three hours and still waits: S(1) = 3/4, S(2) = 1/2, then one of one
        // ends at four.
        let summary = waits(&[1, 2, 4], &[3]).summary();
        assert_eq!((summary.p50, summary.p95), (Some(2.0), Some(4.0)));
        let summary = waits(&[1, 2], &[3, 3]).summary();
        assert_eq!((summary.p50, summary.p95), (Some(2.0), None));
    }
}
