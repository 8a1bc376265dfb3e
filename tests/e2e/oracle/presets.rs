//! The world with every preset and every clause: played in parts, and between them customers go back
//! to versions that they had left, end uses and begin them again, and builds fail elsewhere.
use super::calendar::HOUR;
use super::history::{Again, ClockStart, Policy};
use super::inputs::rows;
use super::rules::Clock;
use super::{Floors, Judged, agreed};
use crate::support::{data_dir, figures, lend, wavetank};
use sim::command::{Command, ImageDefinition, Report};
use sim::ids::{BuildId, CustomerId, ImageId, PackageId};
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

#[tokio::test]
async fn the_oracle_agrees_with_a_world_of_all_presets() {
    let data = data_dir();
    // The instants are those of evaluations: what is asked for then comes after them.
    play(data.path(), Some("8d4h30m"));
    let builds = go_back(data.path()).await;
    play(data.path(), Some("11d30m"));
    move_on(data.path(), &builds).await;
    play(data.path(), Some("14d8h30m"));
    go_back(data.path()).await;
    play(data.path(), None);
    let floors = Floors { timers: 2000, violations: 500, notifications: 300, decisions: 50 };
    let judged = agreed(data.path(), (4 * HOUR, HOUR / 2), &floors).await;
    presets_are_those_of_the_document(&judged);
    everything_happened(&judged);
}

fn play(data: &Path, until: Option<&str>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/oracle/presets.yaml");
    let mut command = wavetank();
    command.arg("run").arg(file).arg("--data-dir").arg(data).args(["--format", "json"]);
    if let Some(until) = until {
        command.args(["--until", until]);
    }
    figures(command);
}

/// Asks the world in a data directory for something.
struct Asking {
    conn: PgConnection,
}

impl Asking {
    async fn ask(&mut self, make: impl FnOnce(u64) -> Command) -> u64 {
        let mut tx = self.conn.begin().await.expect("a transaction");
        let seq = store::commands::submit(&mut tx, make).await.expect("a command");
        tx.commit().await.expect("committed");
        seq
    }

    /// A customer changes how it uses an image.
    async fn run(&mut self, customer: i64, image: i64, pin: Option<i32>) {
        let (customer, image) = (CustomerId(ordinal(customer)), ImageId(ordinal(image)));
        let pin = pin.map(|version| ordinal(version.into()));
        self.ask(|_| Command::UseImage { customer, image, pin, runtime: None }).await;
    }

    /// An external build of an image.
    async fn build(&mut self, image: i64, create: Option<ImageDefinition>) -> BuildId {
        let image = ImageId(ordinal(image));
        let make = |seq| Command::BuildImage {
            build: BuildId::of_command(seq),
            image,
            create,
            requested_by: None,
            external: true,
        };
        BuildId::of_command(self.ask(make).await)
    }
}

fn ordinal(id: i64) -> u32 {
    u32::try_from(id).expect("an ordinal")
}

async fn asking<T>(data: &Path, about: impl AsyncFnOnce(&mut Asking) -> T) -> T {
    let (lender, settings) = lend(data);
    let conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    let mut asking = Asking { conn };
    let answer = about(&mut asking).await;
    asking.conn.close().await.expect("closed");
    assert!(lender.stop(), "the services stop when they are asked to");
    answer
}

/// Customers go back to a version that is in use somewhere, with a finding that the version they
/// run does not have; others end uses; two builds begin elsewhere, one of a customer's own image.
async fn go_back(data: &Path) -> [BuildId; 2] {
    // Every customer of each image that can: to the newest such version.
    let back = "SELECT DISTINCT ON (u.customer_id, u.image_id) u.customer_id, u.image_id, f.version
        FROM customer_image_usage u
        JOIN customer_image_usage other ON other.image_id = u.image_id AND other.valid_to IS NULL
                                       AND other.version < u.version
        JOIN cve_findings f ON (f.image_id, f.version) = (other.image_id, other.version)
        WHERE u.valid_to IS NULL AND f.not_affected_at IS NULL
          AND NOT EXISTS (SELECT FROM cve_findings g
                          WHERE (g.image_id, g.version) = (u.image_id, u.version)
                            AND g.advisory_id = f.advisory_id)
        ORDER BY u.customer_id, u.image_id, f.version DESC";
    let used = "SELECT customer_id, image_id FROM customer_image_usage WHERE valid_to IS NULL
                ORDER BY customer_id, image_id";
    let last = "SELECT max(i.id), min(c.tenant_namespace) FILTER (WHERE c.id = 0)
                FROM images i, customers c";
    asking(data, async |world| {
        let back: Vec<(i64, i64, i32)> = rows(&mut world.conn, back).await;
        let used: Vec<(i64, i64)> = rows(&mut world.conn, used).await;
        let (last, tenant): (i64, String) = rows(&mut world.conn, last).await.swap_remove(0);
        // Not all of them, so that some leave the version by themselves.
        let back: Vec<_> = back.into_iter().filter(|(c, i, _)| (c + i) % 3 > 0).collect();
        assert!(back.len() > 10, "few go back: {back:?}");
        let mut changed = BTreeSet::new();
        for (customer, image, version) in back {
            world.run(customer, image, Some(version)).await;
            changed.insert((customer, image));
        }
        let ended = used.into_iter().filter(|pair| !changed.contains(pair));
        for (customer, image) in ended.step_by(4) {
            let (customer, image) = (CustomerId(ordinal(customer)), ImageId(ordinal(image)));
            world.ask(|_| Command::EndUse { customer, image }).await;
        }
        let own = ImageDefinition {
            name: format!("{tenant}.own-{last}").into(),
            base: Some(ImageId(0)),
            packages: (20..40).map(PackageId).collect(),
            owner: Some(CustomerId(0)),
        };
        world.ask(|_| Command::CheckSla).await;
        [world.build(last + 1, Some(own)).await, world.build(1, None).await]
    })
    .await
}

/// Every other customer that pins follows again, ended uses begin again, and the builds fail.
async fn move_on(data: &Path, builds: &[BuildId]) {
    let pinned = "SELECT customer_id, image_id FROM customer_image_usage
                  WHERE valid_to IS NULL AND mode = 'pin' ORDER BY customer_id, image_id";
    let ended = "SELECT customer_id, image_id FROM customer_image_usage
                 GROUP BY 1, 2 HAVING bool_and(valid_to IS NOT NULL) ORDER BY 1, 2";
    asking(data, async |world| {
        let pinned: Vec<(i64, i64)> = rows(&mut world.conn, pinned).await;
        let ended: Vec<(i64, i64)> = rows(&mut world.conn, ended).await;
        assert!(pinned.len() > 10 && ended.len() > 10, "{pinned:?} {ended:?}");
        for (customer, image) in pinned.into_iter().step_by(2).chain(ended) {
            world.run(customer, image, None).await;
        }
        for &build in builds {
            let failure = Some("no space left on device".into());
            let report = Arc::new(Report { succeeded: false, failure, log: None });
            world.ask(|_| Command::CompleteBuild { build, report }).await;
        }
    })
    .await;
}

/// The table of docs/model.md.
fn presets_are_those_of_the_document(judged: &Judged) {
    use ClockStart::{Detected, FixAvailable};
    type Preset<'a> = (&'a str, [i64; 4], bool, ClockStart, Option<i64>);
    let presets: [Preset<'_>; 5] = [
        ("hardened-vendor", [7, 14, 14, 14], false, FixAvailable, Some(250)),
        ("business-2-30", [2, 2, 30, 30], true, FixAvailable, None),
        ("fedramp-legacy", [30, 30, 90, 180], false, Detected, None),
        ("defectdojo-default", [7, 30, 90, 120], false, Detected, None),
        ("pci-critical", [30, 0, 0, 0], false, FixAvailable, None),
    ];
    for (name, days, business, starts, over) in presets {
        let named = ["critical", "high", "medium", "low"].map(str::to_owned);
        let days: BTreeMap<String, i64> = named.into_iter().zip(days).collect();
        let expected = Policy {
            name: name.to_owned(),
            days: days.into_iter().filter(|(_, days)| *days > 0).collect(),
            business,
            starts,
            // "Those that start with the fix also pause without one."
            pause_without_fix: starts == FixAvailable,
            excluded_over_permille: over,
            warn_permille: 750,
            again: Again::Continue,
        };
        let found = judged.world.policies.values().find(|policy| policy.name == name);
        assert_eq!(found, Some(&expected));
    }
}

/// What the world is there for has happened in it: else agreement would say little.
fn everything_happened(judged: &Judged) {
    let Judged { world, timers, told } = judged;
    let count = |so: &dyn Fn(&super::rules::TimerKey, &super::rules::Timer, &Policy) -> bool| {
        let all = timers.timers.iter();
        all.filter(|(key, timer)| so(key, timer, &world.policies[&timer.policy])).count()
    };
    let again = |again| count(&|key, _, terms| key.episode > 1 && terms.again == again);
    let stopped = |why| count(&|_, timer, _| timer.stopped.is_some_and(|(_, so)| so == why));
    let excluded = |excluded| {
        count(&|_, timer, terms| {
            terms.excluded_over_permille.is_some() && timer.excluded == excluded
        })
    };
    let kind = |kind| told.keys().filter(|(_, _, of)| *of == kind).count();
    let failed = |owner: &dyn Fn(&str) -> bool| {
        told.keys().filter(|(_, to, kind)| *kind == "build_failed" && owner(to)).count()
    };
    let happened = [
        ("episodes that continue", again(Again::Continue)),
        ("episodes that restart", again(Again::Restart)),
        ("episodes that are ignored", timers.ignored),
        ("third episodes", count(&|key, _, _| key.episode > 2)),
        (
            "later episodes on the provider clock",
            count(&|key, _, _| key.episode > 1 && key.clock == Clock::Provider),
        ),
        (
            "violations of later episodes",
            count(&|key, timer, _| key.episode > 1 && timer.breached.is_some()),
        ),
        (
            "deadlines that had passed at the opening",
            count(&|_, timer, _| timer.due.is_some_and(|due| due <= timer.opened)),
        ),
        ("excluded timers", excluded(Some(true))),
        ("timers that are not excluded", excluded(Some(false))),
        ("timers that are not decided", excluded(None)),
        ("fixed", stopped("fixed")),
        ("adopted", stopped("adopted")),
        ("judged", stopped("not_affected")),
        ("ended", stopped("ended")),
        (
            "clocks that never ran",
            count(&|_, timer, _| timer.started.is_none() && timer.stopped.is_some()),
        ),
        ("clocks that stand still", count(&|_, timer, _| timer.started.is_none())),
        (
            "breached and resolved by one evaluation",
            count(&|_, timer, _| {
                timer.breached.is_some()
                    && timer.resolved(world).map(|(_, seen)| seen) == timer.breached
            }),
        ),
        (
            "stopped late, before it was decided whether it counts",
            count(&|_, timer, terms| {
                let late = timer.stopped.zip(timer.breached);
                terms.excluded_over_permille.is_some()
                    && late.is_some_and(|((stopped, _), breached)| {
                        world.evaluated(stopped).is_some_and(|seen| seen < breached)
                    })
            }),
        ),
        ("critical findings told", kind("critical_cve")),
        ("risks told", kind("sla_at_risk")),
        ("violations told", kind("sla_breached")),
        ("resolutions told", kind("sla_resolved")),
        ("the platform's failed builds", failed(&|to| to == super::told::PLATFORM)),
        ("a customer's failed builds", failed(&|to| to != super::told::PLATFORM)),
    ];
    let never: Vec<_> = happened.iter().filter(|(_, times)| *times == 0).collect();
    assert!(never.is_empty(), "seed {}: {never:?} of {happened:?}", world.seed);
}
