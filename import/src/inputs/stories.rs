//! What became of each advisory: when its package was fixed, as far as is known within a window.
use super::{FixBasis, Selected, Setting, Window, representative};
use crate::cast::count_u32;
use crate::evidence::{Evidence, Fix};
use crate::fit::Observation;
use crate::moment::{Moment, between};
use std::collections::BTreeMap;

/// An advisory from its publication to its fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Story {
    /// When it was published, in milliseconds since 1970.
    pub published_ms: i64,
    /// When the package that stands for it was fixed; none: not yet.
    pub fixed_ms: Option<i64>,
}

/// Whether upstream fixes have dates.
pub(super) fn has_upstream(cves: &[Selected<'_>]) -> bool {
    cves.iter().any(|(_, cve, _)| cve.fix_available.is_some())
}

/// The lags of fixed packages, and by what they are measured.
pub(super) fn fixes(
    evidence: &Evidence,
    setting: &Setting,
    cves: &[Selected<'_>],
    window: Window,
) -> (Vec<Observation>, FixBasis) {
    let upstream = has_upstream(cves);
    let chosen = cves.iter().filter_map(|(_, cve, _)| representative(evidence, setting, cve));
    let mut names: Vec<&str> = chosen.map(|(package, _)| evidence.text(package)).collect();
    names.sort_unstable();
    names.dedup();
    let mut all = Vec::new();
    for (id, cve, published) in cves {
        let Some((package, fix)) = representative(evidence, setting, cve) else { continue };
        let begin = if upstream { window.known(cve.fix_available) } else { Some(*published) };
        // A fix upstream before publication: the wait begins with the publication.
        let Some(begin) = begin.map(|begin| begin.max(*published)) else { continue };
        let seen = match fix {
            Fix::Unknown => continue,
            Fix::At(at) if at.from_ms < window.until_ms => at.after(begin),
            Fix::Before(at) if at.from_ms < window.until_ms => {
                between(0.0, (at.end_ms() - begin.from_ms).max(1) as f64)
            }
            Fix::Before(_) => continue,
            Fix::At(_) | Fix::NotYet => begin.not_until(window.until_ms),
        };
        // Without names of packages nothing tells what never ends.
        let name = evidence.text(package);
        let group = (name != &***id).then(|| count_u32(names.partition_point(|it| *it < name)));
        all.push(Observation { seen, spread: cve.packages.len() > 1, group });
    }
    if !all.is_empty() {
        let basis = if upstream { FixBasis::Upstream } else { FixBasis::Publication };
        return (all, basis);
    }
    let closed = closed(evidence);
    let of = cves.iter().filter_map(|(id, _, published)| {
        let seen = match window.known(*closed.get(&***id)?) {
            Some(at) => at.after(*published),
            None => published.not_until(window.until_ms),
        };
        Some(Observation::alone(seen))
    });
    (of.collect(), FixBasis::Closed)
}

/// By advisory that was found: when the first finding of it was closed.
fn closed(evidence: &Evidence) -> BTreeMap<&str, Option<Moment>> {
    let mut closed: BTreeMap<&str, Option<Moment>> = BTreeMap::new();
    for finding in &evidence.findings {
        let first = closed.entry(&finding.cve).or_default();
        *first = match (*first, finding.closed) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    closed
}

/// All stories of a window, for comparison with what a model says; and whether fixes are known by
/// date.
pub(crate) fn stories(
    evidence: &Evidence,
    setting: &Setting,
    window: Window,
) -> (Vec<Story>, bool) {
    let cves = super::selected(evidence, setting, window, &mut super::Fits::default());
    let (observations, basis) = fixes(evidence, setting, &cves, window);
    let dated = observations.iter().any(|it| it.seen.is_event())
        && !cves
            .iter()
            .any(|(_, cve, _)| cve.packages.values().any(|fix| matches!(fix, Fix::Before(_))));
    let closed = if basis == FixBasis::Closed { closed(evidence) } else { BTreeMap::new() };
    let of = cves.iter().map(|(id, cve, published)| {
        let fixed = match basis {
            FixBasis::Closed => closed.get(&***id).copied().flatten(),
            _ => match representative(evidence, setting, cve) {
                Some((_, Fix::At(at))) => Some(at),
                _ => None,
            },
        };
        let fixed_ms = window.known(fixed).map(|at| at.from_ms.max(published.from_ms));
        Story { published_ms: published.from_ms, fixed_ms }
    });
    (of.collect(), dated)
}
