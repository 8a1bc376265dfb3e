//! What keeps the world busy: builders, triggers, the scanner.
use super::{Invalid, Out, schedule, steps, time_draw};
use crate::fact::Trigger;
use crate::scenario::model::{Arrivals, BackOff, Draw, Scenario};
use crate::scenario::units::Span;
use crate::strict_yaml::Step;
use crate::strict_yaml::error::excerpt;

/// The most requests of one stream in one run.
const MAX_ARRIVALS: f64 = 1e8;

pub(super) fn check(scenario: &Scenario, out: Out<'_>) {
    builders(scenario, out);
    let triggers = &scenario.triggers;
    schedule(steps!["triggers", "rebuild"], triggers.rebuild.as_ref(), scenario, out);
    for (index, stream) in triggers.arrivals.iter().enumerate() {
        arrivals(index, stream, scenario, out);
    }
    let scanner = &scenario.scanner;
    schedule(steps!["scanner", "schedule"], scanner.schedule.as_ref(), scenario, out);
    time_draw(steps!["scanner", "triage"], &scanner.triage, out);
    schedule(steps!["sla", "check"], scenario.sla.check.as_ref(), scenario, out);
}

fn builders(scenario: &Scenario, out: Out<'_>) {
    let builders = &scenario.builders;
    time_draw(steps!["builders", "duration"], &builders.duration, out);
    time_draw(steps!["builders", "repair"], &builders.repair, out);
    if let Some(wait) = &builders.back_off {
        back_off(wait, out);
    }
    let priority = &builders.queue.priority;
    for (index, trigger) in priority.iter().enumerate() {
        let at = steps!["builders", "queue", "priority", index];
        queued(at.clone(), *trigger, out);
        if priority[..index].contains(trigger) {
            let found = format!("{} a second time", excerpt(trigger.as_str()));
            out.push(Invalid::new(at, "each trigger once", found));
        }
    }
}

/// A wait that grows from something to something.
fn back_off(BackOff { first, max }: &BackOff, out: Out<'_>) {
    let at = |key: &str| steps!["builders", "back_off", key];
    if *first == Span::of_ms(0) {
        let hint = "`back_off: null` switches it off";
        out.push(Invalid::new(at("first"), "a length of time above 0", first).hint(hint));
    }
    if max < first {
        let larger = Invalid::new(at("max"), format!("at least `first`, {first}"), max);
        let smaller = Invalid::new(at("first"), format!("at most `max`, {max} by default"), first);
        out.push(larger.or(smaller.hint("say `max` too")).involves(at("first")));
    }
    if *max > Span::days(365) {
        out.push(Invalid::new(at("max"), "a length of time up to 365d", max));
    }
}

/// The inventory a world begins with is never queued, and a retry has no class of its own.
fn queued(path: Vec<Step>, trigger: Trigger, out: Out<'_>) {
    let hint = match trigger {
        Trigger::Bootstrap => {
            "bootstrap is the inventory the world begins with; it never waits in a queue"
        }
        Trigger::Retry => "a retry waits in the class of the build that failed",
        _ => return,
    };
    let expected = "cve_fix, manual, upstream, base_change or cron";
    out.push(Invalid::new(path, expected, format!("`{}`", trigger.as_str())).hint(hint));
}

fn arrivals(index: usize, stream: &Arrivals, scenario: &Scenario, out: Out<'_>) {
    let gap = steps!["triggers", "arrivals", index, "gap"];
    time_draw(gap.clone(), &stream.gap, out);
    let typical_ms = match &stream.gap {
        Draw::Constant(gap) => gap.duration().0 as f64,
        Draw::Uniform { min, max } => (min.duration().0 + max.duration().0) as f64 / 2.0,
        Draw::Exponential { mean } => mean.duration().0 as f64,
        Draw::Lognormal { median, .. } => median.duration().0 as f64,
    };
    let requests = scenario.duration.duration().0 as f64 / typical_ms;
    if requests.is_nan() || requests > MAX_ARRIVALS {
        let expected = format!("a gap that lets at most {MAX_ARRIVALS:.0} requests into the run");
        let found = format!("about {requests:.0}");
        out.push(Invalid::new(gap, expected, found).involves(steps!["duration"]));
    }
}
