//! Fixes that have not come: upstream ones, and those of the distribution's packages.
use super::shared_factor::Known;
use super::{Elapsed, World};
use crate::cast::ordinal;
use crate::ids::{AdvisoryId, PackageId};
use crate::random::{Purpose, Sampler};
use crate::scenario::model::IncidentKind;
use crate::time::SimDuration;
use crate::world::exogenous::FIX_SPREAD;
use crate::world::state::Fixing;

impl World {
    /// Given that it has not come since the disclosure.
    pub(super) fn rest_of_upstream_fix(
        &self,
        advisory: AdvisoryId,
        elapsed: Elapsed,
    ) -> SimDuration {
        let state = &self.advisories[advisory.index()];
        let Fixing::Drawn(key) = state.fixing else { return SimDuration(1) };
        let u = self.streams.uniform(Purpose::Disclosure, key, 5);
        self.config.upstream_fix.rest(elapsed(self.now, state.info.published), u)
    }

    /// Given that it has not come since the upstream fix, and when those of the other packages have.
    pub(super) fn rest_of_package_fix(
        &self,
        advisory: AdvisoryId,
        package: PackageId,
        elapsed: Elapsed,
        factor: &mut Option<(AdvisoryId, f64)>,
    ) -> SimDuration {
        let state = &self.advisories[advisory.index()];
        let passed = elapsed(self.now, state.fix_available.unwrap_or(self.now));
        match state.fixing {
            Fixing::Drawn(key) if state.hits.len() == 1 => {
                self.config.package_fix.rest(passed, self.streams.uniform(Purpose::Fix, key, 1))
            }
            Fixing::Drawn(key) => {
                let mu = match *factor {
                    Some((of, mu)) if of == advisory => mu,
                    _ => self.log_factor(advisory, key, passed),
                };
                *factor = Some((advisory, mu));
                let u = self.streams.uniform(Purpose::Fix, key ^ u64::from(package.0) << 16, 2);
                Sampler::Lognormal { mu, sigma: FIX_SPREAD }.rest(passed, u)
            }
            Fixing::Incident(index) => {
                let IncidentKind::MassVulnerability(event) =
                    &self.config.incidents[index as usize].kind
                else {
                    return SimDuration(1);
                };
                let u = self.streams.uniform(Purpose::Incident, u64::from(index), package.0);
                Sampler::of(&event.package_fix_after).rest(passed, u)
            }
            Fixing::Commanded(wait) => SimDuration((wait.0 - passed.0).max(1)),
        }
    }

    /// The logarithm of what the delays of an advisory's packages have in common, in ms.
    fn log_factor(&self, advisory: AdvisoryId, key: u64, passed: SimDuration) -> f64 {
        let state = &self.advisories[advisory.index()];
        let fixed = state.hits.iter().filter(|hit| hit.fixed.is_some()).count();
        let ends = |package: PackageId| self.catalogue.packages[package.index()].end_of_life;
        let pending = state.hits.iter().filter(|hit| hit.fixed.is_none() && !ends(hit.package));
        let known = Known {
            spread: FIX_SPREAD,
            fixed: ordinal(fixed),
            fixed_log_ms: state.fixed_log_ms,
            pending: ordinal(pending.count()),
            elapsed_ms: passed.0 as f64,
        };
        let u = self.streams.uniform(Purpose::Fix, key, 1);
        known.log_factor(&self.config.package_fix, u)
    }
}
