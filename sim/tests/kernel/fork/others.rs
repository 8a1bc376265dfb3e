//! What is disclosed, found, judged, released and adopted later.
use super::*;
use crate::support::{play, shipped, world};
use sim::command::Command;
use sim::ids::{BuildId, ImageId};

#[test]
fn the_rest_of_a_day_given_what_it_has_brought() {
    for (dispersion, seed) in [(0.0, 1), (0.384, 2), (3.0, 3)] {
        let yaml = quiet(
            &format!("dispersion: {dispersion}, per_day: 4, fixed_at_disclosure: 1"),
            &format!("{STILL}{IDLE}"),
        );
        let discloses = |kind: &FactKind| matches!(kind, FactKind::AdvisoryPublished(_));
        // Some day of which 15 hours have brought at least six.
        let mut day = world(&yaml, seed);
        let seen = loop {
            let mut seen = 0;
            let begin = day.now() + SimDuration::days(1);
            day.advance(SimTime(begin.0 - 1), &mut |_| {});
            day.advance(begin + SimDuration(15 * HOUR_MS), &mut |fact| {
                seen += u32::from(discloses(&fact.kind));
            });
            if seen >= 6 {
                break f64::from(seen);
            }
            day.advance(begin, &mut |_| {});
            let midnight = SimTime(begin.0 + DAY_MS);
            day.advance(midnight, &mut |_| {});
        };
        let mut counts = Vec::new();
        let mut instants = Vec::new();
        for fork in 0..FORKS {
            let mut fork = day.fork(fork);
            let before = instants.len();
            fork.advance(SimTime(day.now().0 + 9 * HOUR_MS - 1), &mut |fact| {
                if discloses(&fact.kind) {
                    instants.push(fact.at.since(day.now()).0 as f64);
                }
            });
            counts.push((instants.len() - before) as f64);
        }
        // Gamma and Poisson: the rate is (k + n) / (k + 4 * 15/24) of the mean of nine hours.
        let (passed, rest) = (15.0 / 24.0, 4.0 * 9.0 / 24.0);
        let mean = match dispersion {
            0.0 => rest,
            k => rest * (k + seen) / (k + 4.0 * passed),
        };
        let variance =
            mean + if dispersion > 0.0 { mean * mean / (dispersion + seen) } else { 0.0 };
        crate::support::assert_close("the rest of the day", mean, variance.sqrt(), &counts, seed);
        let spread = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / FORKS as f64;
        assert!((spread / variance - 1.0).abs() < 0.15, "variance {spread} for {variance}");
        // Instants of one fork hang together by their number alone.
        assert_distribution("instants", instants, |x| x / (9.0 * HOUR));
    }
}

#[test]
fn a_cve_that_no_scanner_has_seen() {
    let yaml = quiet(
        "per_day: 1, fixed_at_disclosure: 0, detection_lag: { uniform: { min: 33h, max: 87h } }",
        &format!(
            "{STILL}triggers: {{ upstream: false, cve_fix: null }}\n\
            scanner: {{ schedule: \"*/10 * * * *\", false_positives: 0 }}\n"
        ),
    );
    let mut found = std::collections::BTreeMap::new();
    let finds = |kind: &FactKind, advisory| {
        matches!(kind, FactKind::Scanned(scan) if scan.targets.iter().any(|target| {
            target.new.iter().any(|new| new.finding.advisory == advisory)
        }))
    };
    play(&mut world(&yaml, 8), 30, |fact| {
        if let FactKind::Scanned(scan) = &fact.kind {
            let new = scan.targets.iter().flat_map(|target| &target.new);
            found.extend(new.map(|new| (new.finding.advisory, fact.at)));
        }
    });
    let elapsed = SimDuration(57 * HOUR_MS);
    let late = |(id, published, _): &(AdvisoryId, SimTime, _)| {
        found.get(id).is_some_and(|at| at.since(*published) > elapsed)
    };
    let all = advisories(&yaml, 8, 25);
    let (advisory, published, _) = all.into_iter().find(late).expect("one that is seen late");
    let world = at(&world(&yaml, 8), published + elapsed);
    let waits = waits(&world, 2, |kind| finds(kind, advisory));
    // Scans are ten minutes apart: less than the bound of the test.
    assert_distribution("detection", waits, |x| (x / (30.0 * HOUR)).min(1.0));
}

#[test]
fn a_finding_that_nobody_has_judged() {
    let yaml = quiet(
        "per_day: 0.3, fixed_at_disclosure: 0, detection_lag: { constant: 0s }",
        &format!(
            "{STILL}triggers: {{ upstream: false, cve_fix: null }}\nscanner: {{ \
            schedule: \"0 */4 * * *\", false_positives: 0.5, triage: {{ lognormal: {{ median: 2d, sigma: 1 }} }} }}\n"
        ),
    );
    let mut played = world(&yaml, 9);
    play(&mut played, 40, |_| {});
    let elapsed = SimDuration::days(3);
    let open = played
        .image_exposures()
        .find(|exposure| exposure.judged.is_none_or(|at| at.since(exposure.detected) > elapsed));
    let open = open.expect("one that is not judged for three days");
    let world = at(&world(&yaml, 9), open.detected + elapsed);
    let judges = |kind: &FactKind| matches!(kind, FactKind::FindingTriaged { advisory, .. } if *advisory == open.advisory);
    let survival = |t| lognormal_survival(2.0 * DAY, 1.0, t);
    let lasts = 0.5 * survival(3.0 * DAY);
    let wrong = lasts / (0.5 + lasts);
    let exact = given(survival, 3.0 * DAY);
    let found = waits(&world, 40, judges);
    let judged = found.iter().filter(|wait| wait.is_finite()).count();
    assert_share("judged at all", judged, FORKS, wrong * exact(40.0 * DAY));
    assert_distribution("triage", found, |x| wrong * exact(x));
}

#[test]
fn releases_have_no_memory() {
    let distribution = "distribution: { packages: 1, end_of_life: 0, \
        releases_per_year: { lognormal_number: { mu: 3, sigma: 0 } } }\n";
    let mut world = world(&quiet("per_day: 0", &format!("{distribution}{IDLE}")), 1);
    play(&mut world, 40, |_| {});
    let waits = waits(&world, 120, |kind| matches!(kind, FactKind::PackageReleased { .. }));
    let mean = 365.0 * DAY / 3.0_f64.exp();
    assert_distribution("release", waits, |x| 1.0 - (-x / mean).exp());
}

/// Many customers, of an image that has a new version one day after the start.
fn new_version(customers: &str) -> World {
    let rest = format!(
        "{STILL}{IDLE}builders: {{ duration: {{ constant: 1s }}, flake: 0, breakage: 0 }}\n\
         policies: [{{ name: p, days: {{ low: 1 }} }}]\n\
         customers: [{{ name: c, count: 40, policy: p, images: 1, {customers} }}]\n"
    );
    let mut world = world(&quiet("per_day: 0", &rest), 1);
    play(&mut world, 1, |_| {});
    let command = Command::UpstreamChanged {
        build: BuildId::of_command(1),
        image: ImageId(0),
        revision: None,
    };
    world.submit(&command, &mut |_| {}).expect("image 0 exists");
    world
}

/// The rest of the moves of those who have not moved `elapsed` after the start (`from` 0) or the new
/// version: all of them have the same distribution and do not depend on each other.
fn moves(world: &World, days: i64) -> Vec<f64> {
    let moves = |kind: &FactKind| match kind {
        FactKind::UsageChanged { customer, .. } => Some(*customer),
        _ => None,
    };
    let mut pending = std::collections::BTreeSet::new();
    world.clone().advance(world.now() + SimDuration::days(days), &mut |fact| {
        pending.extend(moves(&fact.kind));
    });
    let mut all = Vec::new();
    for seed in 0..FORKS / 10 {
        let mut waits = std::collections::BTreeMap::new();
        world.fork(seed).advance(world.now() + SimDuration::days(days), &mut |fact| {
            if let Some(customer) = moves(&fact.kind) {
                waits.entry(customer).or_insert(fact.at.since(world.now()).0 as f64);
            }
        });
        assert!(waits.len() <= pending.len());
        all.extend(pending.iter().map(|c| waits.get(c).copied().unwrap_or(f64::INFINITY)));
    }
    assert!(all.len() as u64 > FORKS / 2);
    all
}

#[test]
fn adoption_and_pins_go_on_from_where_they_are() {
    let world = new_version("pinned: 0, adoption_lag: { lognormal: { median: 12h, sigma: 1 } }");
    // One second after the command the version is there.
    let world = at(&world, world.now() + SimDuration(20 * HOUR_MS + 1_000));
    let exact = given(|t| lognormal_survival(12.0 * HOUR, 1.0, t), 20.0 * HOUR);
    assert_distribution("adoption", moves(&world, 200), exact);
    let world = new_version("pinned: 1, pin_age: { lognormal: { median: 21d, sigma: 0.7 } }");
    let world = at(&world, world.now() + SimDuration::days(24));
    let exact = given(|t| lognormal_survival(21.0 * DAY, 0.7, t), 25.0 * DAY);
    assert_distribution("pins", moves(&world, 700), exact);
}

#[test]
fn what_is_said_to_happen_happens_in_every_fork() {
    let yaml = shipped("friday-night");
    let mut original = world(&yaml, 3);
    play(&mut original, 2, |_| {});
    let command = Command::BuilderOutage { builders: 1, duration: SimDuration(30 * HOUR_MS) };
    original.submit(&command, &mut |_| {}).expect("there is a builder");
    let settled = |mut world: World| {
        let mut facts = Vec::new();
        let mut seq = world.seq();
        world.advance(world.now() + SimDuration::days(4), &mut |fact| {
            seq += 1;
            assert_eq!(fact.seq, seq, "facts are numbered on");
            match &fact.kind {
                FactKind::BuilderOutage { .. } => facts.push(format!("{} outage", fact.at)),
                FactKind::SlaChecked(_) => facts.push(format!("{} evaluation", fact.at)),
                FactKind::AdvisoryPublished(advisory) if advisory.known_exploited => {
                    let packages: Vec<_> =
                        advisory.affected.iter().map(|hit| hit.introduced.package).collect();
                    facts.push(format!("{} incident {packages:?}", fact.at));
                }
                _ => {}
            }
        });
        facts
    };
    let expected = settled(original.clone());
    assert!(expected.len() > 90);
    for seed in 0..5 {
        let incidents = |facts: Vec<String>| {
            let exploited = |fact: &String| fact.contains("incident") && !expected.contains(fact);
            facts.into_iter().filter(|fact| !exploited(fact)).collect::<Vec<_>>()
        };
        assert_eq!(incidents(settled(original.fork(seed))), expected, "fork {seed}");
    }
}
