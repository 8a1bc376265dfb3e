//! How a drill is scored.
use crate::statistics::{Interval, Level, quantile};
use serde::Serialize;
use sim::scenario::Scenario;
use sim::time::{SimDuration, SimTime};

/// What happened in one replication, in hours from the disclosure, each list in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// Its seed.
    pub seed: u64,
    /// The CVE id; none: the scenario ended before.
    pub cve: Option<String>,
    /// For how long it was watched.
    pub observed_hours: f64,
    /// Images whose newest version was affected at the disclosure.
    pub images: usize,
    /// When it was first found on each of them.
    pub found: Vec<f64>,
    /// When each had its first version without it.
    pub fixed: Vec<f64>,
    /// Uses by customers of an affected version, at the disclosure.
    pub uses: usize,
    /// When each of them ran an unaffected version, or ended.
    pub adopted: Vec<f64>,
    /// Customers that were exposed.
    pub customers: usize,
    /// When each was told of critical findings, after it was found on what it runs.
    pub told: Vec<f64>,
}

impl Timeline {
    /// When a share of `all` was reached; none: not by the end.
    fn reached(instants: &[f64], all: usize, share: f64) -> Option<f64> {
        let rank = (1..=all).find(|rank| *rank as f64 >= share * all as f64 - 1e-9)?;
        instants.get(rank - 1).copied()
    }

    /// The share that was reached by then.
    fn share_by(instants: &[f64], all: usize, hours: f64) -> Option<f64> {
        (all > 0).then(|| instants.iter().filter(|at| **at <= hours).count() as f64 / all as f64)
    }

    /// When the platform became aware of it: it was found on an image.
    fn aware(&self) -> Option<f64> {
        self.found.first().copied()
    }
}

/// The score card of a drill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drill {
    /// The scenario's name.
    pub scenario: String,
    /// The place of the incident in its list, from 0.
    pub incident: usize,
    /// When it is disclosed.
    pub disclosed: SimTime,
    /// The drill itself: the replication with the first seed.
    pub own: Scored,
    /// How often it was played.
    pub replications: usize,
    /// The confidence of intervals.
    pub confidence: f64,
    /// Over all replications: medians, with order statistics.
    pub spread: Spread,
    /// The drill itself, hour by hour.
    pub timeline: Timeline,
}

/// Hours from the disclosure, in one replication.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Images that were hit.
    pub images: usize,
    /// Customers that were exposed.
    pub customers: usize,
    /// Until it was first found on an image.
    pub aware: Option<f64>,
    /// Until it had been found on every image that was hit: then it is known who runs it.
    pub scoped: Option<f64>,
    /// Until the first exposed customer was told.
    pub first_told: Option<f64>,
    /// Until all were. Only critical findings are told at once (docs/model.md, notifications).
    pub all_told: Option<f64>,
    /// Until shares of the images had a fixed version.
    pub rebuilt: Vec<ScoredShare>,
    /// Until shares of the exposed uses ran something else.
    pub adopted: Vec<ScoredShare>,
    /// The clocks of the Cyber Resilience Act.
    pub cra: CraScore,
}

/// When a share was reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoredShare {
    /// The share, such as 0.5.
    pub share: f64,
    /// Hours from the disclosure; none: not by the end of the scenario.
    pub hours: Option<f64>,
    /// What real mass events took, for rebuilding.
    pub reference: Option<Reference>,
}

/// The shares that are scored.
pub const SHARES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

/// What three mass events of 2025 took in Wolfi, in hours from disclosure (docs/model.md).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reference {
    /// The share of what was hit.
    pub share: f64,
    /// The fastest.
    pub least_hours: f64,
    /// The slowest.
    pub most_hours: f64,
}

/// CVE-2025-22866, CVE-2025-47907 and CVE-2025-22874, first seen on a Saturday.
pub const REFERENCE: [Reference; 4] = [
    Reference { share: 0.5, least_hours: 21.0, most_hours: 33.0 },
    Reference { share: 0.8, least_hours: 34.0, most_hours: 54.0 },
    Reference { share: 0.9, least_hours: 53.0, most_hours: 75.0 },
    Reference { share: 0.95, least_hours: 66.0, most_hours: 96.0 },
];

/// The clocks of Regulation (EU) 2024/2847, Article 14: an early warning within 24 hours and a
/// notification within 72 hours, both of becoming aware; a final report no later than 14 days after a
/// corrective or mitigating measure is available.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CraScore {
    /// The early warning.
    pub early_warning: Cra,
    /// The notification.
    pub notification: Cra,
    /// The final report, whose clock starts when the first fixed image is published.
    pub final_report: Cra,
}

/// One of its clocks: what is known and done when it ends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cra {
    /// When it ends, in hours from the disclosure; none: it has not started.
    pub due_hours: Option<f64>,
    /// Whether the end lies before that of the scenario: later ones cannot be scored.
    pub observed: bool,
    /// The share of the images on which it had been found by then.
    pub scoped: Option<f64>,
    /// The share of the exposed customers that had been told.
    pub told: Option<f64>,
    /// The share of the images that had a fixed version.
    pub fixed: Option<f64>,
}

/// Over all replications.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Until it was known who runs it.
    pub scoped: Observed,
    /// Until all exposed customers were told.
    pub all_told: Observed,
    /// Until shares were rebuilt, by [`SHARES`].
    pub rebuilt: Vec<Observed>,
    /// Until shares were adopted.
    pub adopted: Vec<Observed>,
}

/// The median over replications; one in which it was not reached counts as the longest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observed {
    /// In how many replications it was reached.
    pub reached: usize,
    /// The median, in hours.
    pub median: Interval,
    /// The 90 % quantile.
    pub p90: Interval,
}

impl Observed {
    fn of(values: impl Iterator<Item = Option<f64>>, level: Level) -> Self {
        let mut sorted: Vec<f64> = values.map(|value| value.unwrap_or(f64::INFINITY)).collect();
        sorted.sort_by(f64::total_cmp);
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let at = |q: f64| {
            let found = quantile(&sorted, q, level);
            let (estimate, lower) = (finite(found.estimate), finite(found.lower));
            Interval { estimate, lower, upper: finite(found.upper), ..found }
        };
        let reached = sorted.iter().filter(|value| value.is_finite()).count();
        Observed { reached, median: at(0.5), p90: at(0.9) }
    }
}

pub(super) fn summarize(
    scenario: &Scenario,
    incident: usize,
    level: Level,
    played: Vec<Timeline>,
) -> Drill {
    let scored: Vec<Scored> = played.iter().map(score).collect();
    let over = |of: &dyn Fn(&Scored) -> Option<f64>| Observed::of(scored.iter().map(of), level);
    let shares = |of: &dyn Fn(&Scored) -> &Vec<ScoredShare>| {
        (0..SHARES.len()).map(|place| over(&|scored| of(scored)[place].hours)).collect()
    };
    Drill {
        scenario: scenario.name.to_string(),
        incident,
        disclosed: scenario.incidents[incident].at.value.time(),
        own: scored[0].clone(),
        replications: scored.len(),
        confidence: level.confidence(),
        spread: Spread {
            scoped: over(&|scored| scored.scoped),
            all_told: over(&|scored| scored.all_told),
            rebuilt: shares(&|scored| &scored.rebuilt),
            adopted: shares(&|scored| &scored.adopted),
        },
        timeline: played[0].clone(),
    }
}

fn score(timeline: &Timeline) -> Scored {
    let shares = |instants: &[f64], all: usize, with_reference: bool| {
        let scored = |share: f64| ScoredShare {
            share,
            hours: Timeline::reached(instants, all, share),
            reference: REFERENCE.into_iter().find(|of| with_reference && of.share == share),
        };
        SHARES.into_iter().map(scored).collect()
    };
    let aware = timeline.aware();
    let all = |instants: &[f64], all: usize| Timeline::reached(instants, all, 1.0);
    Scored {
        images: timeline.images,
        customers: timeline.customers,
        aware,
        scoped: all(&timeline.found, timeline.images),
        first_told: timeline.told.first().copied(),
        all_told: all(&timeline.told, timeline.customers),
        rebuilt: shares(&timeline.fixed, timeline.images, true),
        adopted: shares(&timeline.adopted, timeline.uses, false),
        cra: CraScore {
            early_warning: cra(timeline, aware, SimDuration::hours(24)),
            notification: cra(timeline, aware, SimDuration::hours(72)),
            final_report: cra(timeline, timeline.fixed.first().copied(), SimDuration::days(14)),
        },
    }
}

fn cra(timeline: &Timeline, started: Option<f64>, after: SimDuration) -> Cra {
    let due_hours = started.map(|started| started + after.as_hours());
    let observed = due_hours.filter(|due| *due <= timeline.observed_hours);
    let by = |instants: &[f64], all: usize| {
        observed.and_then(|due| Timeline::share_by(instants, all, due))
    };
    Cra {
        due_hours,
        observed: observed.is_some(),
        scoped: by(&timeline.found, timeline.images),
        told: by(&timeline.told, timeline.customers),
        fixed: by(&timeline.fixed, timeline.images),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline {
            seed: 1,
            cve: None,
            observed_hours: 100.0,
            images: 4,
            found: vec![4.0, 4.0, 8.0, 8.0],
            fixed: vec![10.0, 20.0, 30.0],
            uses: 2,
            adopted: vec![12.0],
            customers: 2,
            told: vec![5.0, 9.0],
        }
    }

    #[test]
    fn shares_and_clocks_are_counted_from_where_they_start() {
        let scored = score(&timeline());
        let hours: Vec<_> = scored.rebuilt.iter().map(|of| of.hours).collect();
        // Two of four are half; 80 % of four are all four, and the fourth was never fixed.
        assert_eq!(hours, [Some(20.0), None, None, None, None]);
        assert_eq!(scored.adopted[0].hours, Some(12.0));
        assert_eq!((scored.aware, scored.scoped), (Some(4.0), Some(8.0)));
        assert_eq!((scored.first_told, scored.all_told), (Some(5.0), Some(9.0)));
        // 24 and 72 h from becoming aware at 4 h; 14 d from the first fixed image at 10 h.
        let CraScore { early_warning, notification, final_report } = scored.cra;
        assert_eq!(early_warning.due_hours, Some(28.0));
        assert_eq!((early_warning.fixed, early_warning.told), (Some(0.5), Some(1.0)));
        assert_eq!((notification.due_hours, notification.fixed), (Some(76.0), Some(0.75)));
        assert_eq!((final_report.due_hours, final_report.observed), (Some(346.0), false));
        assert_eq!(final_report.fixed, None, "nobody has seen it yet");
    }

    #[test]
    fn an_event_that_hits_nothing_is_never_reached() {
        let nothing = Timeline { images: 0, found: vec![], fixed: vec![], ..timeline() };
        let scored = score(&nothing);
        assert_eq!((scored.aware, scored.scoped), (None, None));
        assert_eq!(scored.cra.early_warning.due_hours, None);
        assert!(scored.rebuilt.iter().all(|of| of.hours.is_none()));
    }
}
