//! Fixes that have not come: upstream, and in the distribution.
use super::*;
use crate::support::{play, world};
use sim::command::{Command, NewAdvisory, NewRange};
use sim::ids::PackageId;
use sim::random::{Purpose, RandomStreams, normal_quantile};
use sim::severity::{Severity, Vector};

/// Many forks of a world in which an upstream fix has not come for `elapsed`.
fn upstream(delay: &str, elapsed: SimDuration, days: i64) -> Vec<f64> {
    let vulnerabilities =
        format!("per_day: 0.3, fixed_at_disclosure: 0, upstream_fix: {{ {delay} }}");
    let yaml = quiet(&vulnerabilities, &format!("{STILL}{IDLE}"));
    let pending = advisories(&yaml, 1, 200)
        .into_iter()
        .find(|(_, published, fix)| fix.is_none_or(|fix| fix.since(*published) > elapsed));
    let (advisory, published, _) = pending.expect("one that takes longer");
    let world = at(&world(&yaml, 1), published + elapsed);
    waits(&world, days, |kind| *kind == FactKind::FixAvailable { advisory })
}

#[test]
fn an_upstream_fix_that_has_not_come_after_nine_days() {
    let nine = SimDuration::days(9);
    let lognormal = upstream("lognormal: { median: 5d, sigma: 1 }", nine, 90);
    assert_distribution(
        "lognormal",
        lognormal,
        given(|t| lognormal_survival(5.0 * DAY, 1.0, t), 9.0 * DAY),
    );
    let exponential = upstream("exponential: { mean: 10d }", nine, 60);
    assert_distribution("exponential", exponential, |x| 1.0 - (-x / (10.0 * DAY)).exp());
    let uniform = upstream("uniform: { min: 2d, max: 20d }", nine, 12);
    assert_distribution("uniform", uniform, |x| x / (11.0 * DAY));
    let constant = upstream("constant: 12d", nine, 4);
    assert!(constant.iter().all(|wait| *wait == 3.0 * DAY), "a constant keeps its instant");
}

#[test]
fn the_fixed_package_of_a_cve_that_hits_one() {
    let fix = "per_day: 0.3, fixed_at_disclosure: 1, package_fix: { lognormal: { median: 3d, sigma: 1.788 } }";
    let yaml = quiet(fix, &format!("{STILL}{IDLE}"));
    let mut fixed = std::collections::BTreeMap::new();
    play(&mut world(&yaml, 2), 300, |fact| {
        if let FactKind::PackageReleased { fixes, .. } = &fact.kind {
            fixed.extend(fixes.iter().map(|advisory| (*advisory, fact.at)));
        }
    });
    let elapsed = SimDuration::days(9);
    let mut all = advisories(&yaml, 2, 200).into_iter();
    let late = |(id, published, _): &(AdvisoryId, SimTime, _)| {
        fixed.get(id).is_none_or(|at| at.since(*published) > elapsed)
    };
    let (advisory, published, _) = all.find(late).expect("one that takes longer");
    let world = at(&world(&yaml, 2), published + elapsed);
    let fixes = |kind: &FactKind| matches!(kind, FactKind::PackageReleased { fixes, .. } if fixes.contains(&advisory));
    let exact = given(|t| lognormal_survival(3.0 * DAY, 1.788, t), 9.0 * DAY);
    assert_distribution("package fix", waits(&world, 120, fixes), exact);
}

/// Every CVE hits two of four packages.
fn pairs(package_fix: &str) -> String {
    quiet(
        &format!(
            "per_day: 0.3, fixed_at_disclosure: 1, blast_radius_max: 0.5, single_package: 0, \
             package_fix: {{ {package_fix} }}"
        ),
        &format!("{}{IDLE}", STILL.replace("packages: 1", "packages: 4")),
    )
    .replace("single_package: 1, ", "")
}

/// When the fixes of each advisory came, after its publication.
fn fix_delays(yaml: &str, seed: u64) -> Vec<(AdvisoryId, SimTime, Vec<SimDuration>)> {
    let mut world = world(yaml, seed);
    let mut all: Vec<(AdvisoryId, SimTime, Vec<SimDuration>)> = Vec::new();
    play(&mut world, 600, |fact| match &fact.kind {
        FactKind::AdvisoryPublished(advisory) => {
            assert_eq!(advisory.affected.len(), 2);
            all.push((advisory.id, fact.at, Vec::new()));
        }
        FactKind::PackageReleased { fixes, .. } => {
            for advisory in fixes.iter() {
                let (_, published, delays) = &mut all[advisory.index()];
                delays.push(fact.at.since(*published));
            }
        }
        _ => {}
    });
    all
}

/// Both delays of a pair by the model of docs/model.md, in ms.
fn drawn_pair(streams: &RandomStreams, n: u64, factor: impl Fn(f64) -> f64) -> [f64; 2] {
    let u = |index| streams.uniform(Purpose::Fix, n, index);
    let shared = factor(u(0));
    [1, 2].map(|index| shared * (0.35 * normal_quantile(u(index))).exp())
}

/// Two samples of one distribution, by Kolmogorov and Smirnov at 0.001.
fn assert_same(what: &str, mut a: Vec<f64>, mut b: Vec<f64>) {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    assert!(a.len() > 1_000 && b.len() > 1_000, "{what}: {} and {}", a.len(), b.len());
    let below = |of: &[f64], x: f64| of.partition_point(|v| *v <= x) as f64 / of.len() as f64;
    let distances = a.iter().chain(&b).filter(|x| x.is_finite());
    let distance = distances.map(|x| (below(&a, *x) - below(&b, *x)).abs()).fold(0.0, f64::max);
    let critical = 1.95 * (1.0 / a.len() as f64 + 1.0 / b.len() as f64).sqrt();
    assert!(distance < critical, "{what}: {distance} apart, at most {critical}");
}

/// What is left of the two delays in forks: the first and the second fix to come.
fn pair_in_forks(world: &World, advisory: AdvisoryId, days: i64) -> Vec<Vec<f64>> {
    (0..FORKS)
        .map(|seed| {
            let mut fork = world.fork(seed);
            let mut waits = Vec::new();
            fork.advance(world.now() + SimDuration::days(days), &mut |fact| {
                if let FactKind::PackageReleased { fixes, .. } = &fact.kind
                    && fixes.contains(&advisory)
                {
                    waits.push(fact.at.since(world.now()).0 as f64);
                }
            });
            waits
        })
        .collect()
}

const FACTORS: [(&str, Curve); 3] = [
    ("lognormal: { median: 3d, sigma: 1.788 }", |u| 3.0 * DAY * (1.788 * normal_quantile(u)).exp()),
    ("uniform: { min: 1d, max: 12d }", |u| DAY + u * 11.0 * DAY),
    ("exponential: { mean: 6d }", |u| -6.0 * DAY * (1.0 - u).ln()),
];

#[test]
fn the_second_package_of_a_cve_given_when_the_first_was_fixed() {
    for (text, factor) in FACTORS {
        let yaml = pairs(text);
        let elapsed = SimDuration::days(7);
        let all = fix_delays(&yaml, 3);
        let half = all.into_iter().find(|(_, _, delays)| {
            delays.len() == 2
                && delays[0] < elapsed
                && delays[0] > SimDuration::days(4)
                && delays[1] > elapsed
        });
        let (advisory, published, delays) = half.expect("one half fixed");
        let world = at(&world(&yaml, 3), published + elapsed);
        let forks = pair_in_forks(&world, advisory, 60);
        let found = forks.iter().map(|w| w.first().copied().unwrap_or(f64::INFINITY)).collect();
        // Rejection: pairs of which one is fixed at that time and the other is not.
        let (seen, elapsed) = (delays[0].0 as f64, elapsed.0 as f64);
        let streams = RandomStreams::new(31);
        let pairs = (0..3_000_000).map(|n| drawn_pair(&streams, n, factor));
        let agrees = |pair: &[f64; 2]| (pair[0] / seen).ln().abs() < 0.02 && pair[1] > elapsed;
        let expected = pairs.filter(agrees).map(|pair| pair[1] - elapsed);
        let cut = |wait: f64| if wait < 60.0 * DAY { wait } else { f64::INFINITY };
        assert_same(text, found, expected.map(cut).take(20_000).collect());
    }
}

#[test]
fn both_packages_of_a_cve_given_that_neither_is_fixed() {
    for (text, factor) in FACTORS {
        let yaml = pairs(text);
        let elapsed = SimDuration::days(9);
        let all = fix_delays(&yaml, 4);
        let open = all.into_iter().find(|(_, _, delays)| delays.iter().all(|d| *d > elapsed));
        let (advisory, published, _) = open.expect("one that is open");
        let world = at(&world(&yaml, 4), published + elapsed);
        let forks = pair_in_forks(&world, advisory, 150);
        let elapsed = elapsed.0 as f64;
        let streams = RandomStreams::new(41);
        let pairs = (0..300_000).map(|n| drawn_pair(&streams, n, factor));
        let expected: Vec<_> = pairs.filter(|pair| pair.iter().all(|d| *d > elapsed)).collect();
        let cut = |wait: f64| if wait < 150.0 * DAY { wait } else { f64::INFINITY };
        let wait = |w: &Vec<f64>, place: usize| w.get(place).copied().unwrap_or(f64::INFINITY);
        // First and last say how far the two are apart, so whether they share their factor.
        let firsts = expected.iter().map(|[a, b]| cut(a.min(*b) - elapsed)).collect();
        assert_same(text, forks.iter().map(|w| wait(w, 0)).collect(), firsts);
        let lasts = expected.iter().map(|[a, b]| cut(a.max(*b) - elapsed)).collect();
        assert_same(text, forks.iter().map(|w| wait(w, 1)).collect(), lasts);
        let gap = |first: f64, last: f64| if last.is_finite() { last - first } else { last };
        let gaps = expected.iter().map(|[a, b]| gap(a.min(*b), elapsed + cut(a.max(*b) - elapsed)));
        assert_same(
            text,
            forks.iter().map(|w| gap(wait(w, 0), wait(w, 1))).collect(),
            gaps.collect(),
        );
    }
}

#[test]
fn the_fixes_of_an_incident_and_of_a_command() {
    let incident = "incidents:\n  - { at: 2026-01-06T00:00:00Z, mass_vulnerability: { image_share: 1, \
        severity: high, upstream_fix_after: 1d, \
        package_fix_after: { lognormal: { median: 2d, sigma: 1 } }, detectable_after: 6h } }\n";
    let yaml = quiet("per_day: 0", &format!("{STILL}{IDLE}{incident}"));
    let fixes = |kind: &FactKind| matches!(kind, FactKind::PackageReleased { fixes, .. } if !fixes.is_empty());
    let start = world(&yaml, 0).now();
    let late = |seed: &u64| {
        let mut fixed = false;
        play(&mut world(&yaml, *seed), 7, |fact| fixed |= fixes(&fact.kind));
        !fixed
    };
    let seed = (0..200).find(late).expect("one that takes longer");
    // The upstream fix is out since day 2.
    let forked = at(&world(&yaml, seed), start + SimDuration::days(7));
    let exact = given(|t| lognormal_survival(2.0 * DAY, 1.0, t), 5.0 * DAY);
    assert_distribution("incident", waits(&forked, 60, fixes), exact);
    // Before the incident all of it is still as the scenario says, but for what it draws.
    let before = at(&world(&yaml, seed), start + SimDuration(HOUR_MS));
    let upstream = waits(&before, 3, |kind| matches!(kind, FactKind::FixAvailable { .. }));
    assert!(upstream.iter().all(|wait| *wait == 47.0 * HOUR));
    let packages = waits(&before, 80, fixes);
    let packages = packages.iter().map(|wait| wait - 47.0 * HOUR).collect();
    let whole = |x| 1.0 - lognormal_survival(2.0 * DAY, 1.0, x);
    assert_distribution("the incident's own draws", packages, whole);

    let mut commanded = world(&quiet("per_day: 0", &format!("{STILL}{IDLE}")), 1);
    play(&mut commanded, 1, |_| {});
    let advisory = NewAdvisory {
        cve: None,
        severity: Severity::High,
        vector: Vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()),
        known_exploited: false,
        packages: vec![NewRange { package: PackageId(0), introduced: 0, fixed: None }],
        image_share_permille: None,
        detectable_after: SimDuration(0),
        fix_after: Some(SimDuration::days(2)),
        package_fix_after: SimDuration::days(3),
    };
    let command = Command::DiscloseAdvisory(std::sync::Arc::new(advisory));
    commanded.submit(&command, &mut |_| {}).expect("a package of this world");
    for (days, left) in [(1, 4.0), (4, 1.0)] {
        let forked = at(&commanded, commanded.now() + SimDuration::days(days));
        assert!(waits(&forked, 5, fixes).iter().all(|wait| *wait == left * DAY), "as commanded");
    }
}
