//! Who is told what by each evaluation, as docs/model.md says it under "Notifications".
use super::calendar::Ms;
use super::history::World;
use super::rules::{Clock, TimerKey, Timers};
use std::collections::BTreeMap;

/// The instant, the receiver's namespace and the kind; how many things it sums up.
pub(super) type Notifications = BTreeMap<(Ms, String, &'static str), usize>;

/// The owner of what is shared, whom the platform's own team stands for.
pub(super) const PLATFORM: &str = "catalogue";

pub(super) fn notifications(world: &World, timers: &Timers) -> Notifications {
    let mut told = Notifications::new();
    // Everything belongs to the first evaluation that sees it.
    let mut tell = |at: Option<Ms>, receiver: &str, kind| {
        if let Some(at) = at {
            *told.entry((at, receiver.to_owned(), kind)).or_default() += 1;
        }
    };
    for (failed, owner) in &world.failed_builds {
        tell(world.evaluated(*failed), owner, "build_failed");
    }
    for (key, timer) in &timers.timers {
        let TimerKey { customer, clock, .. } = *key;
        let receiver = &world.customers[&customer].tenant;
        if clock == Clock::Customer && timer.severity == "critical" {
            tell(world.evaluated(timer.opened), receiver, "critical_cve");
        }
        tell(timer.warned, receiver, "sla_at_risk");
        let resolved = timer.resolved(world).map(|(_, evaluation)| evaluation);
        // "A timer that is breached and resolved by one evaluation is told as resolved only."
        if resolved != timer.breached {
            tell(timer.breached, receiver, "sla_breached");
        }
        tell(resolved, receiver, "sla_resolved");
    }
    told
}
