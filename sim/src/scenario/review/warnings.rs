//! What in a scenario is allowed and cannot work.
use super::{Load, Promise};
use crate::scenario::Scenario;
use crate::scenario::model::DistributionIdentity;
use serde::Serialize;

/// From this share on a clause about mass events takes out so much that it is worth a warning.
const MOST_EXCLUDED: f64 = 0.5;

/// Something that is allowed and cannot work.
#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    /// The field it is about.
    pub field: String,
    /// What is the matter, in a sentence, and what may help.
    pub text: String,
}

pub(super) fn all(
    scenario: &Scenario,
    load: &Load,
    policies: &[Promise],
    images: usize,
) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut warn = |field: &str, text: String| {
        out.push(Warning { field: field.to_owned(), text });
    };
    if load.share > 1.0 {
        let (needed, pool) = (load.needed_hours_per_day, load.pool_hours_per_day);
        let text = format!(
            "{needed:.1} builder-hours a day are asked for and the pool has {pool:.0}: it never \
             catches up; more builders, or a rebuild less often"
        );
        warn("builders.count", text);
    }
    let triggers = &scenario.triggers;
    if triggers.rebuild.is_none() && triggers.cve_fix.is_none() {
        let text = match (triggers.upstream || triggers.base_change, triggers.arrivals.is_empty()) {
            (false, true) => {
                "nothing fixes CVEs: `triggers.rebuild` is never and \
                              `triggers.cve_fix` off, and nothing else asks for builds"
            }
            _ => {
                "nothing fixes CVEs on purpose: `triggers.rebuild` is never and \
                  `triggers.cve_fix` off; a fix comes only with a build that something else asks for"
            }
        };
        warn("triggers", text.to_owned());
    }
    match scenario.distribution.identity {
        DistributionIdentity::Alpine => {}
        DistributionIdentity::Wolfi => {
            let text = "Trivy reports nothing of Wolfi where there is no fix yet, and takes every \
                        version before a fix for affected";
            warn("distribution.identity", text.to_owned());
        }
        DistributionIdentity::Wavetank => {
            let text =
                "no scanner knows this distribution: Trivy finds 0 packages and exits with 0";
            warn("distribution.identity", text.to_owned());
        }
    }
    if scenario.scanner.schedule.is_none() {
        let text = "a version is scanned only when it is pushed: what becomes known after that is \
                    not found before the next push";
        warn("scanner.schedule", text.to_owned());
    }
    if scenario.sla.check.is_none() && !policies.is_empty() {
        let text = "timers are evaluated only when somebody asks and at the scenario's end: nobody \
                    is warned before";
        warn("sla.check", text.to_owned());
    }
    for (index, policy) in policies.iter().enumerate() {
        if policy.customers == 0 {
            let text = format!("no customer has the policy `{}`", policy.name);
            warn(&format!("policies[{index}]"), text);
        }
        let (Some(over), Some(share)) = (policy.exclude_mass_events_over, policy.excluded_share)
        else {
            continue;
        };
        if share > MOST_EXCLUDED {
            let text = format!(
                "the clause about mass events (over {:.1} % of all images) of the policy `{}` would \
                 take out {:.0} % of what can be found on this fleet of {images} images; \
                 `exclude_mass_events_over: null` takes the clause away",
                over * 100.0,
                policy.name,
                share * 100.0
            );
            warn(&format!("policies[{index}].exclude_mass_events_over"), text);
        }
    }
    out
}
