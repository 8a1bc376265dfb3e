//! Builds under way, broken images, and requests to come.
use super::*;
use crate::support::{play, world};
use sim::command::Command;
use sim::fact::{Cause, FailureReason, Outcome};
use sim::ids::{BuildId, ImageId};

fn build(world: &mut World) {
    let command = Command::BuildImage {
        build: BuildId::of_command(1),
        image: ImageId(0),
        create: None,
        requested_by: None,
        external: false,
    };
    world.submit(&command, &mut |_| {}).expect("image 0 exists");
}

fn ends(kind: &FactKind) -> bool {
    matches!(kind, FactKind::BuildFinished(_) | FactKind::BuildFlaked { .. })
}

#[test]
fn a_running_build_lasts_as_long_as_those_that_have_lasted_so_long() {
    let builders = "builders: { count: 1, flake: 0.3, breakage: 0, \
        duration: { lognormal: { median: 6h, sigma: 0.9 } } }\n";
    let yaml = quiet("per_day: 0", &format!("{STILL}{IDLE}{builders}"));
    let running = |seed| {
        let mut world = world(&yaml, seed);
        play(&mut world, 1, |_| {});
        build(&mut world);
        let world = at(&world, world.now() + SimDuration(8 * HOUR_MS));
        (world.running_builds().count() == 1).then_some(world)
    };
    let world = (0..100).find_map(running).expect("a long build");
    let exact = given(|t| lognormal_survival(6.0 * HOUR, 0.9, t), 8.0 * HOUR);
    assert_distribution("build", waits(&world, 20, ends), exact);
    let flaked = |seed: &u64| {
        let mut first = None;
        let mut fork = world.fork(*seed);
        fork.advance(world.now() + SimDuration::days(40), &mut |fact| {
            if first.is_none() && ends(&fact.kind) {
                first = Some(matches!(fact.kind, FactKind::BuildFlaked { .. }));
            }
        });
        first == Some(true)
    };
    assert_share("flaked", (0..FORKS).filter(flaked).count(), FORKS, 0.3);
}

/// Every release of the one package may break the one image.
fn breaking(builders: &str) -> String {
    let distribution = "distribution: { packages: 1, end_of_life: 0, \
        releases_per_year: { lognormal_number: { mu: 3, sigma: 0 } } }\n";
    let rest = "triggers: { cve_fix: null }\nscanner: { schedule: null }\n";
    quiet(
        "per_day: 0",
        &format!("{distribution}{rest}builders: {{ count: 1, flake: 0, {builders} }}\n"),
    )
}

fn first_release(yaml: &str, seed: u64) -> Option<SimTime> {
    let mut first = None;
    play(&mut world(yaml, seed), 30, |fact| {
        if let FactKind::PackageReleased { .. } = fact.kind
            && first.is_none()
        {
            first = Some(fact.at);
        }
    });
    first
}

#[test]
fn a_broken_image_is_repaired_after_the_rest_of_its_time() {
    let yaml = breaking(
        "breakage: 1, back_off: null, duration: { constant: 1m }, \
         repair: { lognormal: { median: 8h, sigma: 1 } }",
    );
    let broken = |seed| {
        let released = first_release(&yaml, seed)?;
        let mut requests = 0;
        let mut world = world(&yaml, seed);
        world.advance(released + SimDuration(12 * HOUR_MS), &mut |fact| {
            requests += u32::from(matches!(fact.kind, FactKind::BuildRequested { .. }));
        });
        // One, for the release: the other will be for its repair.
        (requests == 1).then_some(world)
    };
    let world = (0..100).find_map(broken).expect("a long repair");
    let repairs = |kind: &FactKind| {
        matches!(kind, FactKind::BuildRequested { cause: Cause::Upstream { release: Some(release), .. }, .. }
            if release.release == 1)
    };
    let exact = given(|t| lognormal_survival(8.0 * HOUR, 1.0, t), 12.0 * HOUR);
    assert_distribution("repair", waits(&world, 30, repairs), exact);
}

#[test]
fn whether_an_untried_image_is_broken_is_not_known() {
    let yaml = breaking(
        "breakage: 0.5, back_off: null, duration: { constant: 10h }, \
         repair: { lognormal: { median: 8h, sigma: 1 } }",
    );
    // P(broken | no repair after 6 h): 0.5 S / (1 - 0.5 + 0.5 S).
    let lasts = 0.5 * lognormal_survival(8.0 * HOUR, 1.0, 6.0 * HOUR);
    let exact = lasts / (0.5 + lasts);
    let mut truths = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let Some(released) = first_release(&yaml, seed) else { continue };
        let world = at(&world(&yaml, seed), released + SimDuration(6 * HOUR_MS));
        if world.builds_in_system() != 1 {
            continue;
        }
        let broken = |mut world: World| {
            let mut broken = None;
            world.advance(world.now() + SimDuration(5 * HOUR_MS), &mut |fact| {
                if let FactKind::BuildFinished(result) = &fact.kind {
                    let reason = Outcome::Failed { reason: FailureReason::Broken };
                    broken = broken.or(Some(result.outcome == reason));
                }
            });
            broken.expect("it ends four hours later")
        };
        truths.insert(broken(world.clone()));
        let found = (0..FORKS).filter(|seed| broken(world.fork(*seed))).count();
        assert_share("broken", found, FORKS, exact);
    }
    assert_eq!(truths.len(), 2, "it was broken in some of these worlds and not in others");
}

#[test]
fn the_next_request_of_a_stream_given_the_last() {
    let gap = |gap: &str| {
        let triggers = format!(
            "triggers: {{ upstream: false, cve_fix: null, arrivals: [{{ trigger: manual, gap: {{ {gap} }} }}] }}\n\
             scanner: {{ schedule: null }}\n"
        );
        quiet("per_day: 0", &format!("{STILL}{triggers}"))
    };
    let asks = |kind: &FactKind| matches!(kind, FactKind::BuildRequested { .. });
    let cases: [(&str, Curve); 3] = [
        ("uniform: { min: 2h, max: 20h }", |t| ((20.0 * HOUR - t) / (18.0 * HOUR)).clamp(0.0, 1.0)),
        ("lognormal: { median: 10h, sigma: 0.5 }", |t| lognormal_survival(10.0 * HOUR, 0.5, t)),
        ("exponential: { mean: 10h }", |t| (-t / (10.0 * HOUR)).exp()),
    ];
    for (text, survival) in cases {
        let yaml = gap(text);
        let mut times = Vec::new();
        play(&mut world(&yaml, 6), 30, |fact| {
            if asks(&fact.kind) {
                times.push(fact.at);
            }
        });
        let long = times.windows(2).find(|pair| pair[1].since(pair[0]).0 > 11 * HOUR_MS);
        let world = at(&world(&yaml, 6), long.expect("a long gap")[0] + SimDuration(11 * HOUR_MS));
        assert_distribution(text, waits(&world, 8, asks), given(survival, 11.0 * HOUR));
    }
}
