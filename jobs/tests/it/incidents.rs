//! Trust incidents, conducted with real jobs: SLSA levels before and after them.
use crate::support::Bench;
use crate::support::conducting::{Conducting, scenario};
use documents::bundle::{Bundle, MAX_BUNDLE_BYTES};
use documents::slsa_level::{Check, CheckResult};
use documents::tamper::FOREIGN_BUILDER;
use jobs::conductor::{Options, Progress, Stop};
use sim::World;
use sim::command::Command;
use sim::fact::{FactKind, Outcome};
use sim::ids::{BuilderId, CustomerId, ImageId, VersionRef};
use sim::time::SimTime;
use std::collections::BTreeMap;
use store::read::{artifacts, versions};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Two builders, of which one loses its trust on Thursday, and customers who are never up to date.
const SHAKEN: &str = "\
name: shaken
title: Trust that is lost
start: 2026-01-05T00:00:00Z
duration: 5d
distribution: { packages: 20, end_of_life: 0, releases_per_year: { lognormal_number: { mu: 5, sigma: 0 } } }
vulnerabilities: { per_day: 0 }
images:
  - { name: base, packages: 3 }
  - { name: one, base: base, packages: 3 }
  - { name: two, base: base, packages: 3 }
  - { name: three, base: base, packages: 3 }
builders: { count: 2 }
triggers: { rebuild: 0 */6 * * * }
policies: [{ name: p, preset: pci-critical }]
customers:
  - { name: slow, count: 4, policy: p, images: 3, pinned: 0, adoption_lag: { uniform: { min: 10h, max: 2d } } }
incidents:
  - { at: 2026-01-06T12:00:00Z, tamper_attestation: { image: two } }
  - { at: 2026-01-08T12:00:00Z, distrust_builder: { builder: 0 } }
  - { at: 2026-01-08T12:00:00Z, tamper_attestation: { image: one } }
  - { at: 2026-01-08T12:00:00Z, tamper_attestation: { image: two } }
";
const SEED: u64 = 5;

/// A level, since which fact, and the last check that was made.
type Assessed = (VersionRef, u64, u8, Check);

/// What the facts say that the assessments must be.
#[derive(Default)]
struct Expected {
    builders: BTreeMap<VersionRef, Option<BuilderId>>,
    newest: BTreeMap<ImageId, u32>,
    used: BTreeMap<(CustomerId, ImageId), u32>,
    distrusted: Vec<BuilderId>,
    tampered: Vec<(VersionRef, SimTime)>,
    assessed: Vec<Assessed>,
}

impl Expected {
    fn of(until: SimTime) -> Self {
        let mut world = World::new(scenario(SHAKEN), SEED);
        let mut expected = Expected::default();
        world.advance(until, &mut |fact| expected.take(fact.seq, fact.at, &fact.kind));
        expected
    }

    fn take(&mut self, seq: u64, at: SimTime, kind: &FactKind) {
        match kind {
            FactKind::BuildFinished(result) => {
                let Outcome::Published(published) = &result.outcome else { return };
                let version = VersionRef { image: result.image, version: published.version };
                self.builders.insert(version, result.builder);
                self.newest.insert(version.image, version.version);
                let (level, last) = match result.builder {
                    None => (2, Check::Parameters),
                    Some(builder) if self.distrusted.contains(&builder) => (1, Check::Builder),
                    Some(_) => (3, Check::Parameters),
                };
                self.assessed.push((version, seq, level, last));
            }
            FactKind::UsageChanged { customer, version, .. } => {
                self.used.insert((*customer, version.image), version.version);
            }
            FactKind::AttestationTampered { version } => {
                self.tampered.push((*version, at));
                self.assessed.push((*version, seq, 1, Check::Signature));
            }
            FactKind::BuilderDistrusted { builder } => {
                self.distrusted.push(*builder);
                let whole = |version: &&VersionRef| {
                    let concerned = self.newest.get(&version.image) == Some(&version.version)
                        || self.used.iter().any(|((_, image), used)| {
                            (*image, *used) == (version.image, version.version)
                        });
                    concerned && !self.tampered.iter().any(|(tampered, _)| tampered == *version)
                };
                let built = self.builders.iter().filter(|(_, by)| **by == Some(*builder));
                let fallen: Vec<_> = built.map(|(version, _)| version).filter(whole).collect();
                let fallen = fallen.into_iter().map(|version| (*version, seq, 1, Check::Builder));
                self.assessed.extend(fallen);
            }
            _ => {}
        }
    }
}

/// Versions fell at the distrust, an old one among them; after it one builder is still trusted.
fn tells_something_apart(expected: &Expected) {
    let all = &expected.assessed;
    let distrust = all.iter().find(|one| one.3 == Check::Builder).unwrap().1;
    let fallen: Vec<_> = all.iter().filter(|one| one.1 == distrust).collect();
    let outdated = |one: &Assessed| {
        let newer = |other: &Assessed| {
            other.0.image == one.0.image && other.0 > one.0 && other.1 < distrust
        };
        all.iter().any(newer)
    };
    assert!(fallen.len() > 1 && fallen.iter().any(|one| outdated(one)), "{all:?}");
    let later = |level| {
        all.iter()
            .filter(move |one| one.1 > distrust && one.2 == level && one.3 != Check::Signature)
    };
    assert!(later(1).count() > 1 && later(3).count() > 1, "{all:?}");
}

async fn conduct(bench: &Bench, options: Options) -> Conducting {
    let conductor = bench.open_as(SHAKEN, SEED, options).await.unwrap();
    let (sender, progress) = watch::channel(Progress::default());
    let stop = CancellationToken::new();
    let ended = tokio::spawn(conductor.run(sender, stop.clone()));
    Conducting { progress, stop, ended }
}

async fn assessments(bench: &Bench) -> Vec<(Assessed, String)> {
    type Row = (i64, i32, i64, i32, sqlx::types::Json<Vec<CheckResult>>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT image_id, version, seq, slsa_level, checks FROM slsa_assessments
         ORDER BY seq, image_id, version",
    )
    .fetch_all(&bench.pool)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(image, version, seq, level, checks)| {
            let version = VersionRef { image: ImageId(image as u32), version: version as u32 };
            let last = checks.0.last().unwrap();
            assert_eq!(last.passed, level > 1, "{last:?}");
            ((version, seq as u64, level as u8, last.check), last.detail.clone())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_trust_lowers_the_slsa_level_of_what_depends_on_it() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let plan = scenario(SHAKEN);
    let until = plan.start.time() + plan.duration.duration();
    let options = Options { stop_at: Some(until), stop_when_held: true, ..Options::default() };
    let ended = conduct(&bench, options).await.ended.await.unwrap().unwrap();
    assert_eq!(ended, Stop::ReachedEnd, "seed {SEED}");
    stop.cancel();
    workers.stopped().await;

    let expected = Expected::of(until);
    let found = assessments(&bench).await;
    let levels: Vec<Assessed> = found.iter().map(|(assessed, _)| *assessed).collect();
    assert_eq!(levels, expected.assessed, "seed {SEED}");
    for (assessed, detail) in &found {
        match assessed.3 {
            Check::Signature => assert!(detail.contains(FOREIGN_BUILDER), "{detail}"),
            Check::Builder => assert!(detail.contains("builders/builder-0 is not"), "{detail}"),
            _ => {}
        }
    }
    tells_something_apart(&expected);
    assert_eq!(expected.tampered.len(), 3);
    for (version, at) in &expected.tampered {
        replaced(&bench, *version, *at).await;
    }
}

/// Before the instant the signed bundle is shown, from it on the forged one; both can be had.
async fn replaced(bench: &Bench, version: VersionRef, at: SimTime) {
    let mut conn = bench.pool.acquire().await.unwrap();
    let (image, number) = (i64::from(version.image.0), version.version as i32);
    let mut levels = Vec::new();
    let mut bundles = Vec::new();
    for at in [SimTime(at.0 - 1), at] {
        let as_of = at.to_datetime().unwrap();
        let rows = versions::attestations(&mut conn, as_of, image, number).await.unwrap();
        let row = rows.iter().find(|row| row.predicate_type.contains("provenance")).unwrap();
        let held = versions::assessment(&mut conn, as_of, image, number).await.unwrap().unwrap();
        levels.push(held.slsa_level);
        let found = row.sha256.as_deref().unwrap();
        let stored = artifacts::by_sha256(&mut conn, found).await.unwrap().unwrap();
        assert_eq!(stored.kind, "bundle");
        let limit = MAX_BUNDLE_BYTES as u64;
        let bytes = bench.ctx.objects.get(&stored.object_key, limit).await.unwrap();
        assert_eq!(Some(bytes.len() as i64), row.bytes);
        let document = row.document_sha256.as_deref().unwrap();
        let stored = artifacts::by_sha256(&mut conn, document).await.unwrap().unwrap();
        assert_eq!(stored.kind, "provenance");
        let statement = bench.ctx.objects.get(&stored.object_key, limit).await.unwrap();
        let bundle = Bundle::parse(&bytes).unwrap();
        assert_eq!(bundle.envelope.payload, statement);
        bundles.push((bundle, row.log_index, row.created_at));
    }
    // (What falls at the instant may have fallen by another fact of that instant before.)
    assert!(levels[0] >= 2 && levels[1] == 1, "{version:?}: {levels:?}");
    let names = |place: usize| {
        let (bundle, ..) = &bundles[place];
        String::from_utf8_lossy(&bundle.envelope.payload).contains(FOREIGN_BUILDER)
    };
    assert_eq!((names(0), names(1)), (false, true), "{version:?}");
    assert_eq!(bundles[0].0.envelope.signature, bundles[1].0.envelope.signature);
    assert_eq!(bundles[0].0.log_entry, bundles[1].0.log_entry);
    assert_eq!((bundles[0].1, bundles[0].2), (bundles[1].1, bundles[1].2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_world_accepts_incidents_as_commands_and_refuses_impossible_ones() {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let mut conducting = conduct(&bench, Options::default()).await;
    let mut seqs = Vec::new();
    for command in [
        Command::TamperAttestation { image: ImageId(1) },
        Command::DistrustBuilder { builder: BuilderId(1) },
        Command::TamperAttestation { image: ImageId(1) },
        Command::DistrustBuilder { builder: BuilderId(2) },
    ] {
        let mut tx = bench.pool.begin().await.unwrap();
        seqs.push(store::commands::submit(&mut tx, |_| command).await.unwrap());
        tx.commit().await.unwrap();
        bench.holds("SELECT bool_and(applied_at IS NOT NULL) FROM commands").await;
    }
    let answers: Vec<Option<String>> =
        sqlx::query_scalar("SELECT rejected FROM commands ORDER BY seq")
            .fetch_all(&bench.pool)
            .await
            .unwrap();
    let refusals = [
        "the provenance of version 1 of image 1 has been replaced already",
        "there is no builder 2: the pool has 2, numbered from 0",
    ];
    assert_eq!(answers[..2], [None, None]);
    assert_eq!(answers[2..], refusals.map(|said| Some(said.to_owned())));
    let sealed = "SELECT materialized_seq = released_seq AND materialized_seq > 0 FROM world";
    bench.holds(sealed).await;
    conducting.is(|progress| progress.jobs_in_flight == 0).await;
    conducting.stop.cancel();
    assert_eq!(conducting.ended.await.unwrap().unwrap(), Stop::Shutdown);
    stop.cancel();
    workers.stopped().await;

    // Both happened at the world's first instant, after what was published then.
    let fallen: Vec<_> = assessments(&bench).await.into_iter().filter(|one| one.0.2 == 1).collect();
    let [((version, _, _, check), _)] = fallen.as_slice() else { panic!("{fallen:?}") };
    assert_eq!(
        (*version, *check),
        (VersionRef { image: ImageId(1), version: 1 }, Check::Signature)
    );
    let ended = "SELECT count(*) FROM trusted_builders t JOIN audit_logs a ON a.id = t.ended_seq
                 WHERE t.builder = 'builder-1' AND t.valid_to = t.valid_from
                   AND a.action = 'builder.distrust'";
    assert_eq!(bench.count(ended).await, 1);
}
