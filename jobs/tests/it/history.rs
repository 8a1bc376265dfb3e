//! The status of a build at a past instant is the one that the facts gave it then.
use crate::support::Bench;
use crate::support::conducting::scenario;
use crate::support::handlers::Script;
use jobs::conductor::{Options, Progress, Stop};
use sim::World;
use sim::fact::FactKind;
use sim::ids::BuildId;
use sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use store::read::{Moment, builds};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One builder for three images, and nearly every second attempt flakes: builds wait again.
const FLAKY: &str = "\
name: flaky
title: Builds that flake
start: 2026-01-05T00:00:00Z
duration: 3d
distribution: { packages: 20 }
images:
  - { name: base, packages: 3 }
  - { name: one, base: base, packages: 3 }
  - { name: two, base: base, packages: 3 }
builders: { count: 1, flake: 0.45, retries: 3 }
triggers: { rebuild: 0 */3 * * * }
";
const SEED: u64 = 8;

/// The status of every build from each instant on, as the facts tell it.
fn told(until: SimTime) -> BTreeMap<BuildId, Vec<(SimTime, &'static str)>> {
    let mut world = World::new(scenario(FLAKY), SEED);
    let mut told: BTreeMap<BuildId, Vec<(SimTime, &'static str)>> = BTreeMap::new();
    world.advance(until, &mut |fact| {
        let (build, status) = match &fact.kind {
            FactKind::BuildRequested { build, .. } | FactKind::BuildFlaked { build, .. } => {
                (*build, "pending")
            }
            FactKind::BuildStarted { build, .. } => (*build, "running"),
            FactKind::BuildMerged { build, .. } => (*build, "merged"),
            FactKind::BuildFinished(result) => (result.build, result.outcome.as_str()),
            _ => return,
        };
        told.entry(build).or_default().push((fact.at, status));
    });
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaked_build_is_pending_until_its_next_attempt() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.work(&Script::new([]));
    let plan = scenario(FLAKY);
    let until = plan.start.time() + plan.duration.duration();
    let told = told(until);
    // Windows end between a flake and the next attempt, whose end the next window tells.
    let flakes = told.values().flat_map(|told| {
        told[1..].iter().filter(|(_, status)| *status == "pending").map(|(at, _)| SimTime(at.0 + 1))
    });
    let ends: BTreeSet<SimTime> = flakes.chain([until]).filter(|at| *at <= until).collect();
    for end in ends {
        let options = Options { stop_at: Some(end), stop_when_held: true, ..Options::default() };
        let conductor = bench.open_as(FLAKY, SEED, options).await.unwrap();
        let (progress, _watched) = watch::channel(Progress::default());
        let ended = conductor.run(progress, CancellationToken::new()).await.unwrap();
        assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
    }
    stop.cancel();
    workers.stopped().await;

    let mut conn = bench.pool.acquire().await.unwrap();
    let (mut asked, mut again) = (0, 0);
    for (build, told) in told {
        again += told[1..].iter().filter(|(_, status)| *status == "pending").count();
        for (place, (at, _)) in told.iter().enumerate() {
            // Of several facts of one instant the last one counts.
            let Some((_, status)) = told[place..].iter().rfind(|(same, _)| same == at) else {
                continue;
            };
            for late_ms in [0, 1] {
                let at = SimTime(at.0 + late_ms);
                if told.iter().any(|(other, _)| late_ms > 0 && *other == at) || at > until {
                    continue;
                }
                let moment = Moment { as_of: at.to_datetime().unwrap(), newest: false };
                let row = builds::build(&mut conn, moment, build.0 as i64).await.unwrap().unwrap();
                assert_eq!(row.status, *status, "build {} at {at}, seed {SEED}: {told:?}", build.0);
                asked += 1;
            }
        }
    }
    assert!(asked > 200 && again > 10, "the test proves little: {asked} questions, {again} flakes");
}
