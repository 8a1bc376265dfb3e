//! Kaplan-Meier curves of an arm, with the deadlines that its policies set.
use super::Campaign;
use crate::result::{CurveKind, CurvePoint, CurveResult};
use crate::statistics::{Curve, Section, Variance};
use crate::tally::Tally;
use sim::catalogue::Catalogue;
use sim::scenario::Scenario;
use sim::severity::Severity;
use std::collections::BTreeSet;

pub(super) fn curves(campaign: &Campaign, tally: &Tally, scenario: &Scenario) -> Vec<CurveResult> {
    let kinds = [
        (CurveKind::TimeToFix, &tally.time_to_fix),
        (CurveKind::TimeToAdopt, &tally.time_to_adopt),
    ];
    let mut all = Vec::new();
    for (kind, by_severity) in kinds {
        for severity in Severity::ALL.iter().rev() {
            let curve = curve(campaign, kind, *severity, &by_severity[*severity as usize]);
            all.extend(curve.map(|curve| CurveResult {
                deadline_days: deadline_days(scenario, *severity),
                ..curve
            }));
        }
    }
    all
}

fn curve(
    campaign: &Campaign,
    of: CurveKind,
    severity: Severity,
    sections: &[Section],
) -> Option<CurveResult> {
    let curve = Curve::of(sections);
    if curve.subjects == 0 {
        return None;
    }
    let level = campaign.compiled.level;
    let band = curve.band(level, Variance::Clustered);
    let points = curve.points.iter().zip(&band).filter(|(point, _)| point.events > 0);
    let points = points.map(|(point, band)| CurvePoint {
        hours: point.time,
        at_risk: point.at_risk,
        survival: point.survival,
        lower: band.lower,
        upper: band.upper,
    });
    Some(CurveResult {
        of,
        severity,
        subjects: curve.subjects,
        ended: curve.points.iter().map(|point| point.events).sum(),
        points: points.collect(),
        median: curve.quantile(0.5, level, Variance::Clustered),
        p90: curve.quantile(0.9, level, Variance::Clustered),
        deadline_days: Vec::new(),
    })
}

/// The days that the policies in use promise for a severity.
fn deadline_days(scenario: &Scenario, severity: Severity) -> Vec<u32> {
    let catalogue = Catalogue::policies_of(scenario);
    let used: BTreeSet<&str> =
        scenario.customers.iter().map(|customer| customer.policy.value.as_str()).collect();
    let days = catalogue.iter().filter(|policy| used.contains(policy.name.as_str()));
    let days: BTreeSet<u32> = days.filter_map(|policy| policy.days[severity as usize]).collect();
    days.into_iter().collect()
}
