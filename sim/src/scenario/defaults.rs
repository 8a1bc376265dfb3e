//! What a scenario means where it says nothing; the sources stand beside the fields in the model.
use super::model::{
    BackOff, Builders, Distribution, DistributionIdentity, Draw, NumberDraw, Queue, Scanner,
    SeverityWeights, Sla, Triggers, Vulnerabilities,
};
use super::units::{Amount, CronSchedule, Share, Span};
use crate::fact::Trigger;
use crate::severity::Severity;
use crate::time::DAY_MS;

impl Default for Distribution {
    fn default() -> Self {
        Distribution {
            identity: DistributionIdentity::default(),
            packages: 400,
            releases_per_year: NumberDraw::LognormalNumber { mu: 1.306, sigma: Amount::of(1.078) },
            end_of_life: Share::of(0.28),
            end_of_life_weight: Share::of(0.05),
        }
    }
}

impl Default for Vulnerabilities {
    fn default() -> Self {
        Vulnerabilities {
            per_day: None,
            dispersion: Amount::of(0.384),
            weekdays: [16.1, 24.3, 17.9, 15.8, 17.7, 4.6, 3.6].map(Amount::of),
            single_package: Share::of(0.515),
            blast_radius_exponent: Amount::of(1.95),
            blast_radius_max: Share::of(635.0 / 1616.0),
            severity: SeverityWeights {
                critical: Amount::of(8.3),
                high: Amount::of(31.1),
                medium: Amount::of(53.0),
                low: Amount::of(3.2),
            },
            known_exploited: Share::of(0.0024),
            fixed_at_disclosure: Share::of(0.85),
            upstream_fix: Draw::Exponential { mean: Span::days(10) },
            package_fix: Draw::Lognormal { median: PACKAGE_FIX_MEDIAN, sigma: Amount::of(1.788) },
            detection_lag: Draw::Uniform {
                min: Span::of_ms(14 * DAY_MS / 10),
                max: Span::of_ms(36 * DAY_MS / 10),
            },
        }
    }
}

/// exp(1.091) = 2.97725 d, the median of LN(1.091, 1.788) d, to the millisecond.
const PACKAGE_FIX_MEDIAN: Span = Span::of_ms(257_234_386);

impl Default for Builders {
    fn default() -> Self {
        Builders {
            count: 4,
            duration: Draw::Lognormal { median: Span::minutes(6), sigma: Amount::of(0.9) },
            flake: Share::of(0.02),
            retries: 2,
            breakage: Share::of(0.01),
            repair: Draw::Lognormal { median: Span::hours(8), sigma: Amount::of(1.0) },
            back_off: Some(BackOff::default()),
            queue: Queue::default(),
        }
    }
}

impl Default for BackOff {
    fn default() -> Self {
        BackOff { first: Span::hours(1), max: Span::days(2) }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Queue {
            priority: vec![
                Trigger::CveFix,
                Trigger::Manual,
                Trigger::Upstream,
                Trigger::BaseChange,
                Trigger::Cron,
            ],
            merge: true,
        }
    }
}

impl Default for Triggers {
    fn default() -> Self {
        Triggers {
            rebuild: None,
            upstream: true,
            base_change: true,
            cve_fix: Some(Severity::Medium),
            arrivals: Vec::new(),
        }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner {
            schedule: CronSchedule::parse("0 */4 * * *").ok(),
            false_positives: Share::of(0.03),
            triage: Draw::Lognormal { median: Span::days(2), sigma: Amount::of(1.0) },
        }
    }
}

impl Default for Sla {
    fn default() -> Self {
        Sla { check: CronSchedule::parse("0 * * * *").ok() }
    }
}
