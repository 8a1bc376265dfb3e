//! Customers and the policies that hold for them.
use super::incidents::{image_names, known_image};
use super::{Invalid, Out, catalogue, inside, steps, time_draw, unique, unknown};
use crate::scenario::model::{CustomerImages, Customers, Scenario};
use crate::strict_yaml::Step;
use crate::strict_yaml::error::{MOST, excerpt};
use std::collections::BTreeSet;

/// The most customers in all.
const MAX_CUSTOMERS: u64 = 10_000;
/// The most uses of images by customers.
const MAX_USES: u64 = 5_000_000;

pub(super) fn check(scenario: &Scenario, out: Out<'_>) {
    promises(scenario, out);
    let names = scenario.policies.iter().map(|policy| policy.name.value.as_str());
    let policies = unique("policies", names, out);
    unique("customers", scenario.customers.iter().map(|entry| entry.name.value.as_str()), out);
    let images = catalogue::count(scenario);
    let known = image_names(scenario);
    let (mut customers, mut uses) = (0, 0);
    for (index, entry) in scenario.customers.iter().enumerate() {
        let at = |key: &str| steps!["customers", index, key];
        let policy = entry.policy.value.as_str();
        if !policies.contains_key(policy) && out.len() < MOST {
            let otherwise = || {
                "policies are named under `policies`: `- {name: gold, preset: hardened-vendor}`"
                    .to_owned()
            };
            let names = policies.keys().copied();
            let invalid = unknown(at("policy"), "the name of a policy", policy, names, otherwise);
            out.push(invalid);
        }
        used(at("images"), entry, images, &known, out);
        time_draw(at("adoption_lag"), &entry.adoption_lag, out);
        time_draw(at("pin_age"), &entry.pin_age, out);
        let count = u64::from(entry.count.unwrap_or(1));
        customers += count;
        uses += count.saturating_mul(CustomerImages::count(entry.images.as_ref(), images));
    }
    let all = steps!["customers"];
    if customers > MAX_CUSTOMERS {
        let expected = format!("at most {MAX_CUSTOMERS} customers in all");
        out.push(Invalid::new(all.clone(), expected, customers));
    }
    if uses > MAX_USES {
        let expected = format!("at most {MAX_USES} uses of images in all");
        out.push(Invalid::new(all, expected, uses));
    }
}

/// The images of a customer are images of the scenario, each once.
fn used(path: Vec<Step>, entry: &Customers, images: u64, known: &BTreeSet<String>, out: Out<'_>) {
    match &entry.images {
        None => {}
        Some(CustomerImages::Count(count)) if u64::from(*count) > images => {
            let expected = format!("1 to {images}, the images of the scenario");
            let invalid = Invalid::new(path, expected, count);
            out.push(invalid.involves(steps!["images"]).involves(steps!["fleet"]));
        }
        Some(CustomerImages::Count(_)) => {}
        Some(CustomerImages::Named(names)) => {
            let mut seen = BTreeSet::new();
            for (index, name) in names.iter().enumerate() {
                let mut at = path.clone();
                at.push(index.into());
                if !seen.insert(name) {
                    let found = format!("{} a second time", excerpt(name.as_str()));
                    out.push(Invalid::new(at.clone(), "each image once", found));
                }
                known_image(at, name.as_str(), known, out);
            }
        }
    }
}

/// A policy promises something: what is left of its preset and of what it says itself.
fn promises(scenario: &Scenario, out: Out<'_>) {
    for (index, policy) in scenario.policies.iter().enumerate() {
        if crate::catalogue::policy(policy).days.iter().any(Option::is_some) {
            continue;
        }
        let at = steps!["policies", index];
        let invalid = match (policy.preset, &policy.days) {
            (None, None) => {
                let hint = "presets are hardened-vendor, business-2-30, fedramp-legacy, \
                            defectdojo-default and pci-critical; or `days: {critical: 7}`";
                Invalid::new(at, "a preset, or days for some severity", "neither").hint(hint)
            }
            (_, _) => {
                let days = inside(at, &["days"]);
                let hint = "give some severity days: `days: {critical: 7}`; null takes those of \
                            the preset away";
                Invalid::new(days, "days for some severity", "a promise of nothing").hint(hint)
            }
        };
        out.push(invalid);
    }
}
