//! What happens at a given instant: within the run, to what there is.
use super::{Invalid, Out, catalogue, end, inside, steps, time_draw, unknown};
use crate::catalogue::fleet_names;
use crate::scenario::model::{BuilderOutage, IncidentKind, Scenario};
use crate::strict_yaml::Step;
use crate::strict_yaml::error::MOST;
use crate::time::SimTime;
use std::collections::BTreeSet;

/// So many the schema lets through; more are not compared with each other.
const MAX_INCIDENTS: usize = 1_000;

pub(super) fn check(scenario: &Scenario, out: Out<'_>) {
    let (start, end) = (scenario.start.time(), end(scenario));
    if scenario.incidents.len() > MAX_INCIDENTS {
        return;
    }
    let names = image_names(scenario);
    for (index, incident) in scenario.incidents.iter().enumerate() {
        let at = incident.at.value.time();
        if at < start || at >= end {
            let expected = format!("an instant within the run, {start} to {end}");
            let invalid = Invalid::new(steps!["incidents", index, "at"], expected, at);
            out.push(invalid.involves(steps!["start"]).involves(steps!["duration"]));
        }
        match &incident.kind {
            IncidentKind::MassVulnerability(mass) => {
                let at = steps!["incidents", index, "mass_vulnerability"];
                if mass.image_share.value() <= 0.0 {
                    let at = inside(at.clone(), &["image_share"]);
                    out.push(Invalid::new(at, "a share above 0", "0"));
                }
                time_draw(inside(at, &["package_fix_after"]), &mass.package_fix_after, out);
            }
            IncidentKind::BuilderOutage(outage) => lost(index, at, outage, scenario, out),
            IncidentKind::RebuildAll(_) => {}
            IncidentKind::DistrustBuilder(distrust) => {
                distrusted(index, distrust.builder, scenario, out);
            }
            IncidentKind::TamperAttestation(tamper) => {
                let path = steps!["incidents", index, "tamper_attestation", "image"];
                known_image(path, tamper.image.as_str(), &names, out);
            }
        }
    }
}

/// The names of all images: those of the scenario, and the invented ones of its fleet. None when
/// there are too many images.
pub(super) fn image_names(scenario: &Scenario) -> BTreeSet<String> {
    if catalogue::count(scenario) > catalogue::MAX_IMAGES {
        return BTreeSet::new();
    }
    let named = scenario.images.iter().map(|image| image.name.value.as_str().to_owned());
    named.chain(fleet_names(scenario)).collect()
}

/// An image of the catalogue.
pub(super) fn known_image(path: Vec<Step>, image: &str, names: &BTreeSet<String>, out: Out<'_>) {
    if names.is_empty() || names.contains(image) || out.len() >= MOST {
        return;
    }
    let otherwise = || {
        let such_as = names.first().map_or_else(String::new, |name| format!(", such as `{name}`"));
        format!("it is one named under `images` or one of the fleet{such_as}")
    };
    let known = names.iter().map(String::as_str);
    let invalid = unknown(path, "the name of an image", image, known, otherwise);
    out.push(invalid.involves(steps!["fleet"]));
}

/// A builder of the pool, and each only once: no incident makes it trusted again.
fn distrusted(index: usize, builder: u32, scenario: &Scenario, out: Out<'_>) {
    let path = steps!["incidents", index, "distrust_builder", "builder"];
    let count = scenario.builders.count;
    if builder >= count {
        let expected = format!("a builder of the pool, 0 to {}", count.saturating_sub(1));
        let hint = format!("`builders.count` is {count}, and they are numbered from 0");
        let invalid = Invalid::new(path.clone(), expected, builder).hint(hint);
        out.push(invalid.involves(steps!["builders", "count"]));
    }
    let same = |kind: &IncidentKind| matches!(kind, IncidentKind::DistrustBuilder(other) if other.builder == builder);
    let first = scenario.incidents.iter().position(|other| same(&other.kind));
    if let Some(first) = first.filter(|first| *first < index) {
        let found = format!("{builder} a second time");
        let hint = format!("incidents[{first}] has it already");
        let invalid = Invalid::new(path, "each builder once", found).hint(hint);
        out.push(invalid.involves(steps!["incidents", first]));
    }
}

/// The outages in force when one begins must leave no less than no builder.
fn lost(index: usize, at: SimTime, own: &BuilderOutage, scenario: &Scenario, out: Out<'_>) {
    let path = steps!["incidents", index, "builder_outage", "builders"];
    let count = scenario.builders.count;
    let hint = format!("`builders.count` is {count}");
    let mut tell = |expected: String, found: String| {
        let invalid = Invalid::new(path.clone(), expected, found).hint(hint.clone());
        out.push(invalid.involves(steps!["builders", "count"]).involves(steps!["incidents"]));
    };
    if own.builders > count {
        tell(format!("1 to {count} builders of the pool"), own.builders.to_string());
        return;
    }
    let mut lost: u64 = 0;
    for other in &scenario.incidents {
        if let IncidentKind::BuilderOutage(outage) = &other.kind {
            let from = other.at.value.time();
            if from <= at && at < from + outage.duration.duration() {
                lost += u64::from(outage.builders);
            }
        }
    }
    if lost > u64::from(count) {
        let expected = format!("outages of at most the {count} builders at one time");
        tell(expected, format!("{lost} with the outages that overlap"));
    }
}
