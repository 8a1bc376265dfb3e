//! Customers and the policies that hold for them.
use super::{Checked, Invalid, catalogue, steps, time_draw, unique, within};
use crate::scenario::error::{did_you_mean, excerpt};
use crate::scenario::model::{Days, Scenario};

/// The most customers in all.
const MAX_CUSTOMERS: u32 = 10_000;
/// The most uses of images by customers.
const MAX_USES: u64 = 5_000_000;
/// The most policies.
const MAX_POLICIES: usize = 1_000;

pub(super) fn check(scenario: &Scenario) -> Checked {
    let policies = policies(scenario)?;
    unique("customers", scenario.customers.iter().map(|entry| entry.name.value.as_str()))?;
    let images = catalogue::count(scenario);
    let (mut customers, mut uses) = (0, 0);
    for (index, entry) in scenario.customers.iter().enumerate() {
        let at = |key: &str| steps!["customers", index, key];
        let count = entry.count.unwrap_or(1);
        within(at("count"), count, 1..=MAX_CUSTOMERS)?;
        let policy = entry.policy.value.as_str();
        if !policies.contains(&policy) {
            let hint = did_you_mean(policy, policies.iter().copied()).unwrap_or_else(|| {
                "policies are named under `policies`: `- {name: gold, preset: hardened-vendor}`"
                    .to_owned()
            });
            let expected = "the name of a policy";
            return Err(Invalid::new(at("policy"), expected, excerpt(policy)).hint(hint));
        }
        if entry.images == 0 || u64::from(entry.images) > images {
            let expected = format!("1 to {images}, the images of the scenario");
            return Err(Invalid::new(at("images"), expected, entry.images));
        }
        time_draw(at("adoption_lag"), &entry.adoption_lag)?;
        time_draw(at("pin_age"), &entry.pin_age)?;
        customers += u64::from(count);
        uses += u64::from(count) * u64::from(entry.images);
    }
    if customers > u64::from(MAX_CUSTOMERS) {
        let expected = format!("at most {MAX_CUSTOMERS} customers in all");
        return Err(Invalid::new(steps!["customers"], expected, customers));
    }
    if uses > MAX_USES {
        let expected = format!("at most {MAX_USES} uses of images in all");
        return Err(Invalid::new(steps!["customers"], expected, uses));
    }
    Ok(())
}

fn policies(scenario: &Scenario) -> Result<Vec<&str>, Invalid> {
    let found = scenario.policies.len();
    if found > MAX_POLICIES {
        let expected = format!("at most {MAX_POLICIES} policies");
        return Err(Invalid::new(steps!["policies"], expected, found));
    }
    for (index, policy) in scenario.policies.iter().enumerate() {
        if let Some(days) = &policy.days {
            limits(index, days)?;
        }
        let promises = policy.days.as_ref().is_some_and(|days| named(days).any(|(_, d)| d > 0));
        if policy.preset.is_none() && !promises {
            let hint = "presets are hardened-vendor, business-2-30, fedramp-legacy, \
                        defectdojo-default and pci-critical";
            let expected = "a preset, or days for some severity";
            return Err(Invalid::new(steps!["policies", index], expected, "neither").hint(hint));
        }
    }
    unique("policies", scenario.policies.iter().map(|policy| policy.name.value.as_str()))
}

fn limits(index: usize, days: &Days) -> Checked {
    for (severity, days) in named(days) {
        within(steps!["policies", index, "days", severity], days, 1..=3650)?;
    }
    Ok(())
}

/// The severities that have a deadline.
fn named(days: &Days) -> impl Iterator<Item = (&'static str, u32)> {
    let all = [
        ("critical", days.critical),
        ("high", days.high),
        ("medium", days.medium),
        ("low", days.low),
    ];
    all.into_iter().filter_map(|(severity, days)| Some((severity, days?)))
}
