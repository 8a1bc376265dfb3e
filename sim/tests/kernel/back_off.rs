//! Back-off after failed builds, by docs/model.md: what is owed stays owed, and a broken image does
//! not burn the pool.
use crate::support::{play, world};
use sim::command::Command;
use sim::fact::{Cause, FactKind, Outcome, Trigger};
use sim::ids::{BuildId, ImageId};
use sim::time::{DAY_MS, HOUR_MS, MINUTE_MS, SimTime};

/// One image whose only package is hit by CVEs that are fixed at once; every attempt flakes with this
/// share, and nothing but fixes asks for builds.
fn flaky(flake: &str, builders: &str) -> String {
    format!(
        "name: one\ntitle: One image\nstart: 2026-01-05T00:00:00Z\nduration: 30d\n\
         distribution: {{ packages: 1, end_of_life: 0, releases_per_year: {{ lognormal_number: {{ mu: -10, sigma: 0 }} }} }}\n\
         vulnerabilities: {{ per_day: 0.2, single_package: 1, fixed_at_disclosure: 1, \
         detection_lag: {{ constant: 0s }}, package_fix: {{ constant: 1h }} }}\n\
         images: [{{ name: only, packages: 1 }}]\n\
         triggers: {{ upstream: false, base_change: false, cve_fix: low }}\n\
         scanner: {{ false_positives: 0 }}\n\
         builders: {{ flake: {flake}, retries: 0, breakage: 0, duration: {{ constant: 5m }}{builders} }}\n"
    )
}

#[test]
fn a_fix_that_failed_to_build_is_built_again() {
    let mut retries = 0;
    for seed in 0..20 {
        let mut world = world(&flaky("50%", ""), seed);
        let (mut released, mut published) = (0, 0);
        // The last fix may be on its way: every build that is owed is tried at least once in two days.
        let last = world.now().0 + 26 * DAY_MS;
        play(&mut world, 60, |fact| match &fact.kind {
            FactKind::PackageReleased { release, .. } if fact.at.0 < last => {
                released = release.release;
            }
            FactKind::BuildFinished(result) => {
                retries += u32::from(result.cause.trigger() == Trigger::Retry);
                if let Outcome::Published(version) = &result.outcome {
                    published = published.max(version.contents[0].release);
                }
            }
            _ => {}
        });
        assert!(published >= released, "seed {seed}: release {released} is not published");
    }
    assert!(retries > 20, "{retries} retries: too few failed for this to show anything");
}

#[test]
fn the_wait_doubles_up_to_the_most_and_names_what_failed() {
    let mut world = world(&flaky("100%", ""), 1);
    let mut failed: Vec<(u64, i64)> = Vec::new();
    let mut waits = Vec::new();
    play(&mut world, 30, |fact| match &fact.kind {
        FactKind::BuildFinished(result) if matches!(result.outcome, Outcome::Failed { .. }) => {
            failed.push((result.build.0, fact.at.0));
        }
        FactKind::BuildRequested { cause: Cause::Retry { of, failures }, .. } => {
            let (build, at) = failed.last().copied().expect("something failed before");
            assert_eq!((of.0, *failures as usize), (build, failed.len()));
            waits.push((fact.at.0 - at) / HOUR_MS);
        }
        _ => {}
    });
    assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 48, 48], "hours");
    // CVEs go on asking, and the fixes wait with the rest: one build an episode of waiting.
    let builds = failed.len();
    assert!((15..=21).contains(&builds), "{builds} builds of an image that never builds, in 30 d");
}

#[test]
fn without_back_off_every_request_is_a_build() {
    let count = |builders: &str| {
        let mut world = world(&flaky("100%", builders), 3);
        let (mut builds, mut retries) = (0, 0);
        play(&mut world, 30, |fact| {
            if let FactKind::BuildRequested { cause, .. } = &fact.kind {
                builds += 1;
                retries += u32::from(cause.trigger() == Trigger::Retry);
            }
        });
        (builds, retries)
    };
    let (_, none) = count(", back_off: null");
    let (_, some) = count(", back_off: {first: 30m, max: 1h}");
    assert_eq!(none, 0);
    assert!(some > 300, "{some} retries, one an hour");
}

#[test]
fn a_manual_request_does_not_wait() {
    let yaml = flaky("100%", "").replace(
        "triggers: { upstream: false,",
        "triggers: { arrivals: [{trigger: manual, gap: {constant: 3h}}], upstream: false,",
    );
    let mut world = world(&yaml, 4);
    let mut manual = 0;
    play(&mut world, 10, |fact| {
        if let FactKind::BuildRequested { cause: Cause::Manual { .. }, .. } = &fact.kind {
            manual += 1;
        }
    });
    assert_eq!(manual, 80, "one every three hours for ten days");
}

/// Two fixes of one package, at 01:30 and 01:38, each of which is found at once and builds in 5 min.
const TWO_FIXES: &str = "name: two\ntitle: Two fixes\nstart: 2026-01-05T00:00:00Z\nduration: 2d\n\
    distribution: { packages: 1, end_of_life: 0, releases_per_year: { lognormal_number: { mu: -10, sigma: 0 } } }\n\
    vulnerabilities: { per_day: 0 }\nimages: [{ name: only, packages: 1 }]\n\
    triggers: { upstream: false, base_change: false, cve_fix: low }\n\
    scanner: { schedule: \"* * * * *\", false_positives: 0 }\n\
    builders: { count: 1, flake: 50%, retries: 0, breakage: 0, duration: { constant: 5m } }\n\
    incidents:\n\
    - { at: 2026-01-05T01:00:00Z, mass_vulnerability: { image_share: 100%, severity: high, \
        upstream_fix_after: 0s, package_fix_after: { constant: 30m }, detectable_after: 1m } }\n\
    - { at: 2026-01-05T01:00:00Z, mass_vulnerability: { image_share: 100%, severity: high, \
        upstream_fix_after: 0s, package_fix_after: { constant: 38m }, detectable_after: 1m } }\n";

#[test]
fn a_success_without_what_was_put_off_leaves_it_owed() {
    let mut shown = 0;
    for seed in 0..60 {
        let mut world = world(TWO_FIXES, seed);
        let start = world.now().0;
        let (mut ends, mut published) = (Vec::new(), 0);
        let mut see = |fact: sim::fact::Fact| {
            if let FactKind::BuildFinished(result) = &fact.kind {
                let at = (fact.at.0 - start) / MINUTE_MS;
                ends.push((at, result.cause.trigger(), result.failure().is_some()));
                if let Outcome::Published(version) = &result.outcome {
                    published = published.max(version.contents[0].release);
                }
            }
        };
        world.advance(SimTime(start + 96 * MINUTE_MS), &mut see);
        let manual = Command::BuildImage {
            build: BuildId::of_command(1),
            image: ImageId(0),
            create: None,
            requested_by: None,
            external: false,
        };
        world.submit(&manual, &mut see).expect("an image");
        // The second fix comes while the manual build runs. Half of the retries fail, for two weeks.
        world.advance(SimTime(start + 14 * DAY_MS), &mut see);
        let first_failed = ends.contains(&(95, Trigger::CveFix, true));
        let manual_built = ends.contains(&(101, Trigger::Manual, false));
        shown += u32::from(first_failed && manual_built);
        assert_eq!(published, 2, "seed {seed}: {ends:?}");
    }
    assert!(shown > 5, "{shown} worlds in which a manual build without the fix succeeded");
}

#[test]
fn a_repair_ends_the_row_and_says_how_long_it_was() {
    let yaml = "name: broken\ntitle: A broken image\nstart: 2026-01-05T00:00:00Z\nduration: 60d\n\
        distribution: { packages: 1, end_of_life: 0, releases_per_year: { lognormal_number: { mu: 3, sigma: 0 } } }\n\
        vulnerabilities: { per_day: 0 }\nimages: [{ name: only, packages: 1 }]\n\
        triggers: { upstream: false, rebuild: \"0 * * * *\" }\n\
        builders: { flake: 0, breakage: 100%, repair: { constant: 7h30m }, duration: { constant: 5m } }\n";
    let mut world = world(yaml, 5);
    let (mut failed, mut repaired, mut retries) = (0_u32, 0, 0);
    play(&mut world, 60, |fact| match &fact.kind {
        FactKind::BuildFinished(result) if result.failure().is_some() => failed += 1,
        FactKind::BuildFinished(_) => failed = 0,
        FactKind::BuildRequested { cause: Cause::Retry { failures, .. }, .. } => {
            assert_eq!(*failures, failed, "as many as had failed in a row");
            retries += 1;
            // A back-off of 1, 2, 4, ... h ends on a minute of the hour at which builds end; a repair, at
            // any instant.
            repaired += u32::from(fact.at.0 % HOUR_MS != 5 * MINUTE_MS);
        }
        _ => {}
    });
    assert!(retries > 10 && repaired > 5, "{retries} retries, {repaired} of them after a repair");
}
