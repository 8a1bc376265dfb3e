//! What keeps the world busy: builders, triggers, the scanner, incidents.
use super::{Checked, Invalid, end, schedule, steps, time_draw, within};
use crate::catalogue::fleet_names;
use crate::fact::Trigger;
use crate::scenario::error::{did_you_mean, excerpt};
use crate::scenario::model::{Arrivals, BackOff, Draw, IncidentKind, Scenario};
use crate::scenario::tree::Step;
use crate::scenario::units::Span;
use crate::time::SimTime;

/// The most requests of one stream in one run.
const MAX_ARRIVALS: f64 = 1e8;
/// The most incidents.
const MAX_INCIDENTS: usize = 1_000;

pub(super) fn check(scenario: &Scenario) -> Checked {
    builders(scenario)?;
    let triggers = &scenario.triggers;
    schedule(steps!["triggers", "rebuild"], triggers.rebuild.as_ref(), scenario)?;
    for (index, stream) in triggers.arrivals.iter().enumerate() {
        arrivals(index, stream, scenario)?;
    }
    let scanner = &scenario.scanner;
    schedule(steps!["scanner", "schedule"], scanner.schedule.as_ref(), scenario)?;
    time_draw(steps!["scanner", "triage"], &scanner.triage)?;
    schedule(steps!["sla", "check"], scenario.sla.check.as_ref(), scenario)?;
    incidents(scenario)
}

fn builders(scenario: &Scenario) -> Checked {
    let builders = &scenario.builders;
    within(steps!["builders", "count"], builders.count, 1..=10_000)?;
    within(steps!["builders", "retries"], builders.retries, 0..=100)?;
    time_draw(steps!["builders", "duration"], &builders.duration)?;
    time_draw(steps!["builders", "repair"], &builders.repair)?;
    if let Some(back_off) = &builders.back_off {
        check_back_off(back_off)?;
    }
    let priority = &builders.queue.priority;
    for (index, trigger) in priority.iter().enumerate() {
        let at = steps!["builders", "queue", "priority", index];
        queued(at.clone(), *trigger)?;
        if priority[..index].contains(trigger) {
            let found = format!("{} a second time", excerpt(trigger.as_str()));
            return Err(Invalid::new(at, "each trigger once", found));
        }
    }
    Ok(())
}

/// A wait that grows from something to something.
fn check_back_off(back_off: &BackOff) -> Checked {
    let BackOff { first, max } = back_off;
    let at = |key: &str| steps!["builders", "back_off", key];
    if *first == Span::of_ms(0) {
        let hint = "`back_off: null` switches it off";
        return Err(Invalid::new(at("first"), "a length of time above 0", first).hint(hint));
    }
    if max < first {
        let expected = format!("at least `first`, {first}");
        return Err(Invalid::new(at("max"), expected, max));
    }
    if *max > Span::days(365) {
        return Err(Invalid::new(at("max"), "a length of time up to 365d", max));
    }
    Ok(())
}

/// The inventory a world begins with is never queued, and a retry has no class of its own.
fn queued(path: Vec<Step>, trigger: Trigger) -> Checked {
    let hint = match trigger {
        Trigger::Bootstrap => {
            "bootstrap is the inventory the world begins with; it never waits in a queue"
        }
        Trigger::Retry => "a retry waits in the class of the build that failed",
        _ => return Ok(()),
    };
    let expected = "cve_fix, manual, upstream, base_change or cron";
    Err(Invalid::new(path, expected, format!("`{}`", trigger.as_str())).hint(hint))
}

fn arrivals(index: usize, stream: &Arrivals, scenario: &Scenario) -> Checked {
    let gap = steps!["triggers", "arrivals", index, "gap"];
    time_draw(gap.clone(), &stream.gap)?;
    let typical_ms = match &stream.gap {
        Draw::Constant(gap) => gap.duration().0 as f64,
        Draw::Uniform { min, max } => (min.duration().0 + max.duration().0) as f64 / 2.0,
        Draw::Exponential { mean } => mean.duration().0 as f64,
        Draw::Lognormal { median, .. } => median.duration().0 as f64,
        Draw::LognormalNumber { .. } => 0.0,
    };
    let requests = scenario.duration.duration().0 as f64 / typical_ms;
    if requests <= MAX_ARRIVALS {
        return Ok(());
    }
    let expected = format!("a gap that lets at most {MAX_ARRIVALS:.0} requests into the run");
    Err(Invalid::new(gap, expected, format!("about {requests:.0}")))
}

fn incidents(scenario: &Scenario) -> Checked {
    let found = scenario.incidents.len();
    if found > MAX_INCIDENTS {
        let expected = format!("at most {MAX_INCIDENTS} incidents");
        return Err(Invalid::new(steps!["incidents"], expected, found));
    }
    let (start, end) = (scenario.start.time(), end(scenario));
    let names = image_names(scenario);
    for (index, incident) in scenario.incidents.iter().enumerate() {
        let at = incident.at.value.time();
        if at < start || at >= end {
            let expected = format!("an instant within the run, {start} to {end}");
            return Err(Invalid::new(steps!["incidents", index, "at"], expected, at));
        }
        match &incident.kind {
            IncidentKind::MassVulnerability(mass) => {
                let at = steps!["incidents", index, "mass_vulnerability"];
                if mass.image_share.value() <= 0.0 {
                    let at = super::inside(at, &["image_share"]);
                    return Err(Invalid::new(at, "a share above 0", "0"));
                }
                time_draw(super::inside(at, &["package_fix_after"]), &mass.package_fix_after)?;
            }
            IncidentKind::BuilderOutage(_) => outage(index, at, scenario)?,
            IncidentKind::RebuildAll(_) => {}
            IncidentKind::DistrustBuilder(distrust) => {
                distrusted(index, distrust.builder, scenario)?;
            }
            IncidentKind::TamperAttestation(tamper) => {
                tampered(index, tamper.image.as_str(), &names)?;
            }
        }
    }
    Ok(())
}

/// A builder of the pool, and each only once: no incident makes it trusted again.
fn distrusted(index: usize, builder: u32, scenario: &Scenario) -> Checked {
    let path = steps!["incidents", index, "distrust_builder", "builder"];
    let count = scenario.builders.count;
    if builder >= count {
        let expected = format!("a builder of the pool, 0 to {}", count - 1);
        let hint = format!("`builders.count` is {count}, and they are numbered from 0");
        return Err(Invalid::new(path, expected, builder).hint(hint));
    }
    let same = |kind: &IncidentKind| matches!(kind, IncidentKind::DistrustBuilder(other) if other.builder == builder);
    match scenario.incidents.iter().position(|other| same(&other.kind)) {
        Some(first) if first < index => {
            let found = format!("{builder} a second time");
            let hint = format!("incidents[{first}] has it already");
            Err(Invalid::new(path, "each builder once", found).hint(hint))
        }
        _ => Ok(()),
    }
}

/// The names of all images: those of the scenario, and the invented ones of its fleet.
fn image_names(scenario: &Scenario) -> Vec<String> {
    let named = scenario.images.iter().map(|image| image.name.value.as_str().to_owned());
    named.chain(fleet_names(scenario)).collect()
}

/// An image of the catalogue.
fn tampered(index: usize, image: &str, names: &[String]) -> Checked {
    if names.iter().any(|name| name == image) {
        return Ok(());
    }
    let path = steps!["incidents", index, "tamper_attestation", "image"];
    let hint = did_you_mean(image, names.iter().map(String::as_str)).unwrap_or_else(|| {
        format!("it is one named under `images` or one of the fleet, such as `{}`", names[0])
    });
    Err(Invalid::new(path, "the name of an image", excerpt(image)).hint(hint))
}

/// The outages in force when one begins must leave no less than no builder.
fn outage(index: usize, at: SimTime, scenario: &Scenario) -> Checked {
    let mut out: u64 = 0;
    for other in &scenario.incidents {
        if let IncidentKind::BuilderOutage(outage) = &other.kind {
            let from = other.at.value.time();
            if from <= at && at < from + outage.duration.duration() {
                out += u64::from(outage.builders);
            }
        }
    }
    let IncidentKind::BuilderOutage(own) = &scenario.incidents[index].kind else { return Ok(()) };
    let path = steps!["incidents", index, "builder_outage", "builders"];
    let count = scenario.builders.count;
    within(path.clone(), own.builders, 1..=count)?;
    if out <= u64::from(count) {
        return Ok(());
    }
    let expected = format!("outages of at most the {count} builders at one time");
    Err(Invalid::new(path, expected, format!("{out} with the outages that overlap")))
}
