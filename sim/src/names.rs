//! Invented names: plausible, free of real products, and the same for a seed on every machine.
use crate::cast;
use crate::random::{Purpose, RandomStreams};

const STEMS: [&str; 48] = [
    "amber", "anchor", "basin", "beacon", "bight", "bollard", "brine", "buoy", "cable", "capstan",
    "cove", "current", "delta", "dory", "drift", "eddy", "estuary", "fathom", "ferry", "fjord",
    "gale", "gull", "harbor", "hull", "inlet", "jetty", "keel", "kelp", "lagoon", "lantern",
    "marlin", "mast", "mooring", "nautil", "oar", "pier", "quay", "reef", "rudder", "sextant",
    "shoal", "skiff", "sonde", "spar", "tide", "tiller", "trawl", "wharf",
];
const ROLES: [&str; 30] = [
    "proxy",
    "gateway",
    "cache",
    "broker",
    "db",
    "api",
    "web",
    "worker",
    "scheduler",
    "exporter",
    "agent",
    "router",
    "index",
    "queue",
    "store",
    "mailer",
    "auth",
    "search",
    "metrics",
    "logs",
    "build",
    "runtime",
    "console",
    "bridge",
    "mesh",
    "vault",
    "dns",
    "batch",
    "stream",
    "ui",
];
const SUFFIXES: [&str; 12] =
    ["", "-libs", "-utils", "ssl", "zip", "xml", "json", "crypt", "codec", "net", "text", "fs"];
const PREFIXES: [&str; 10] =
    ["lib", "lib", "lib", "", "", "py3-", "perl-", "go-", "ruby-", "node-"];
const LICENSES: [(&str, u32); 9] = [
    ("MIT", 32),
    ("Apache-2.0", 24),
    ("BSD-3-Clause", 12),
    ("GPL-2.0-or-later", 9),
    ("LGPL-2.1-or-later", 9),
    ("ISC", 5),
    ("MPL-2.0", 4),
    ("BSD-2-Clause", 3),
    ("MIT OR Apache-2.0", 2),
];
const SUPPLIERS: [&str; 8] = [
    "Breakwater Foundation",
    "Leeward Project",
    "Plimsoll Software Society",
    "Windrose Collective",
    "Saltmarsh Labs",
    "Tidewater Maintainers",
    "Landfall Open Source",
    "Halyard Community",
];

/// What the parts would make up that is a package of Wolfi (2026-08) or Debian 12.
const TAKEN: [&str; 5] = ["amber", "delta", "driftnet", "fathom", "jetty9"];

/// The name of the package with this ordinal: distinct for distinct ordinals.
pub(crate) fn package(streams: &RandomStreams, ordinal: u32) -> String {
    let pick =
        |index, bound| streams.below(Purpose::Package, u64::from(ordinal), index, bound) as usize;
    // The stem and suffix walk through all pairs, so that the name is unique without a search.
    let stems = cast::ordinal(STEMS.len());
    let suffixes = cast::ordinal(SUFFIXES.len());
    let stem = STEMS[(ordinal % stems) as usize];
    let suffix = SUFFIXES[((ordinal / stems) % suffixes) as usize];
    let round = ordinal / (stems * suffixes);
    let prefix = PREFIXES[pick(0, cast::ordinal(PREFIXES.len()))];
    composed(prefix, stem, suffix, round)
}

/// An invented name: what looks at real advisories must not take it for a real package.
fn composed(prefix: &str, stem: &str, suffix: &str, round: u32) -> String {
    let number = if round == 0 { String::new() } else { (round + 1).to_string() };
    let name = format!("{prefix}{stem}{suffix}{number}");
    if TAKEN.contains(&&*name) { format!("{name}-wave") } else { name }
}

/// Licence expression, supplier and description of a package.
pub(crate) fn package_facts(
    streams: &RandomStreams,
    ordinal: u32,
    name: &str,
) -> (String, String, String) {
    let entity = u64::from(ordinal);
    let mut at = streams.below(Purpose::Package, entity, 1, LICENSES.iter().map(|l| l.1).sum());
    let license = LICENSES
        .iter()
        .find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        })
        .map_or("MIT", |l| l.0);
    let supplier =
        streams.below(Purpose::Package, entity, 2, cast::ordinal(SUPPLIERS.len())) as usize;
    let what =
        ROLES[streams.below(Purpose::Package, entity, 3, cast::ordinal(ROLES.len())) as usize];
    (
        license.to_owned(),
        SUPPLIERS[supplier].to_owned(),
        format!("{name}: simulated {what} component"),
    )
}

/// The name of the fleet's base with this ordinal.
pub(crate) fn base(ordinal: u32) -> String {
    const BASES: [&str; 6] = ["static", "base", "shell", "python", "node", "jvm"];
    let round = ordinal as usize / BASES.len();
    let name = BASES[ordinal as usize % BASES.len()];
    if round == 0 { format!("wave-{name}") } else { format!("wave-{name}-{}", round + 1) }
}

/// The name of the fleet's image with this ordinal: distinct for distinct ordinals.
pub(crate) fn image(ordinal: u32) -> String {
    let roles = cast::ordinal(ROLES.len());
    let stems = cast::ordinal(STEMS.len());
    // 7 and 30 have no common divisor, nor have 11 and 48: neighbours differ in both words.
    let role = ROLES[((ordinal * 7) % roles) as usize];
    let stem = STEMS[((ordinal / roles * 11 + ordinal * 5) % stems) as usize];
    let round = ordinal / (roles * stems);
    if round == 0 { format!("{stem}-{role}") } else { format!("{stem}-{role}-{}", round + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_no_real_packages() {
        let streams = RandomStreams::new(1);
        let packages: BTreeSet<_> = (0..5_000).map(|n| package(&streams, n)).collect();
        assert_eq!(packages.len(), 5_000);
        let stems = STEMS.into_iter().flat_map(|stem| SUFFIXES.map(|suffix| (stem, suffix)));
        let all: Vec<_> = stems
            .flat_map(|(stem, suffix)| PREFIXES[2..].iter().map(move |p| (*p, stem, suffix)))
            .flat_map(|(prefix, stem, suffix)| {
                (0..200).map(move |round| composed(prefix, stem, suffix, round))
            })
            .collect();
        // Of the names of 3,402 definitions of Wolfi (wolfi-dev/os, 8190a16) and of 63,697 packages
        // of Debian 12, those that begin with a prefix and a stem and are little longer.
        let real: BTreeSet<_> = include_str!("names/real.txt").lines().collect();
        assert!(TAKEN.iter().all(|name| real.contains(name)));
        for name in &all {
            assert!(!real.contains(&**name), "{name} is a real package");
        }
        let images: BTreeSet<_> = (0..1_440).map(image).collect();
        assert_eq!(images.len(), 1_440);
    }
}
