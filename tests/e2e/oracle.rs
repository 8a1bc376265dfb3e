//! An oracle for service levels: written from docs/model.md, not from the code, it replays what was
//! published, found, judged and run, and must agree with every timer, violation, notification and
//! decision about a mass event that the program has written.
//!
//! It is simple where the program is fast: it looks at each pair of customer and image by itself,
//! knows the whole history, and asks for each timer what every evaluation says.
mod calendar;
mod history;
mod inputs;
mod presets;
mod rules;
mod tables;
mod told;

use crate::support::{data_dir, figures, lend, run};
use calendar::{HOUR, Ms, shown};
use history::World;
use rules::Timers;
use sqlx::{Connection, PgConnection};
use std::path::Path;
use tables::differences;

/// A world's history, and what the oracle makes of it.
struct Judged {
    world: World,
    timers: Timers,
    told: told::Notifications,
}

/// How many rows there must be at least, so that agreement means something.
struct Floors {
    timers: usize,
    violations: usize,
    notifications: usize,
    decisions: usize,
}

#[tokio::test]
async fn the_oracle_agrees_with_the_classroom() {
    let data = data_dir();
    figures(run("classroom", data.path(), &[]));
    let floors = Floors { timers: 80, violations: 5, notifications: 10, decisions: 3 };
    agreed(data.path(), (HOUR, 0), &floors).await;
}

#[tokio::test]
async fn the_oracle_agrees_with_the_friday_night() {
    let data = data_dir();
    figures(run("friday-night", data.path(), &[]));
    let floors = Floors { timers: 1000, violations: 100, notifications: 100, decisions: 1 };
    agreed(data.path(), (HOUR, 0), &floors).await;
}

/// Compares what a world's tables say with what the oracle says; `every` and `offset` tell when
/// evaluations come after midnight.
async fn agreed(data: &Path, (every, offset): (Ms, Ms), floors: &Floors) -> Judged {
    let (lender, settings) = lend(data);
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    let world = World::read(&mut conn).await;
    came_when_due(&world, every, offset);
    let decisions = rules::decisions(&world);
    let timers = rules::timers(&world, &decisions);
    let told = told::notifications(&world, &timers);
    let written = tables::decisions(&mut conn).await;
    let (resolved, column) = tables::resolutions(&world);
    let compared = [
        ("cve_findings", 0, resolved, column),
        (
            "mass_event_decisions",
            floors.decisions,
            tables::expected_decisions(&timers, &decisions, &written),
            written,
        ),
        (
            "sla_timers",
            floors.timers,
            tables::expected_timers(&world, &timers),
            tables::timers(&mut conn).await,
        ),
        (
            "sla_violations",
            floors.violations,
            tables::expected_violations(&world, &timers),
            tables::violations(&mut conn).await,
        ),
        (
            "notifications",
            floors.notifications,
            tables::expected_notifications(&world, &told),
            tables::notifications(&mut conn).await,
        ),
    ];
    conn.close().await.expect("closed");
    assert!(lender.stop(), "the services stop when they are asked to");
    let mut said = String::new();
    for (table, floor, oracle, program) in &compared {
        said += &differences(&world, table, oracle, program);
        let (scenario, seed, rows) = (&world.name, world.seed, program.len());
        if rows < *floor {
            said += &format!("\n{scenario}, seed {seed}: {table} has {rows} rows, not {floor}");
        }
    }
    assert!(said.is_empty(), "{said}");
    Judged { world, timers, told }
}

/// Evaluations came on their schedule, and at the end of the scenario.
fn came_when_due(world: &World, every: Ms, offset: Ms) {
    let (scenario, seed) = (&world.name, world.seed);
    assert_eq!(shown(world.last()), shown(world.ends), "{scenario}, seed {seed}: the last one");
    let first = (world.starts - offset + every - 1).div_euclid(every) * every + offset;
    let mut due = first;
    while due <= world.ends {
        let came = world.evaluations.binary_search(&due).is_ok();
        assert!(came, "{scenario}, seed {seed}: nothing was evaluated at {}", shown(due));
        due += every;
    }
}

#[test]
fn every_kind_of_difference_is_told() {
    let world = World::of_nothing("a world", 7);
    let oracle = tables::table(&[("one", "1"), ("two", "2"), ("three", "3")]);
    assert_eq!(differences(&world, "t", &oracle, &oracle), "");
    let program = tables::table(&[("one", "1"), ("two", "4"), ("five", "5")]);
    let said = differences(&world, "t", &oracle, &program);
    for part in [
        "a world, seed 7: 3 of 4 rows of t differ",
        "t two: value\n  oracle:  value=2\n  program: value=4",
        "t three: the program does not have it\n  oracle:  value=3\n  program: -",
        "t five: the oracle does not have it\n  oracle:  -\n  program: value=5",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}
