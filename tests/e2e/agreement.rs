//! What a study's replication says of a world is what `wavetank run` counts in the database, for the
//! same seed and from the same instant on.
use crate::support::{data_dir, figures, wavetank};
use serde_json::Value;
use sim::fact::Clock;
use sim::severity::Severity;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use study::arms::{Source, compile};
use study::campaign::{Batch, play};
use study::file::{Measure, Selection};
use study::measure::Cell;

/// Plays a scenario both ways and compares the figures of service levels.
fn agreed(scenario: &str, seed: u64, from: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario);
    let data = data_dir();
    let mut command = wavetank();
    command.arg("run").arg(&file).arg("--data-dir").arg(data.path());
    command.args(["--format", "json", "--from", from, "--seed", &seed.to_string()]);
    let run = figures(command);

    let text = format!(
        "name: agreement\ntitle: Agreement\nscenario: it\nwarm_up: {from}\nseed: {seed}\n\
         replications: 1\narms: [{{name: as it is}}]\n"
    );
    let scenario = std::fs::read(&file).expect("a scenario");
    let load = |name: &str| Ok((name.to_owned(), scenario.clone()));
    let source = Source { file_name: "study.yaml", bytes: text.as_bytes() };
    let compiled = compile(source, &load).unwrap_or_else(|error| panic!("{error}"));
    let batch = Batch { round: 0, place: 0, variation: 0, first: 0, count: 1 };
    let played = play(&compiled, &batch, &AtomicBool::new(false)).expect("it was not stopped");
    let (outcome, tiers) = (&played.outcomes[0][0], &compiled.tiers.0);

    let mut missed = 0;
    for severity in Severity::ALL {
        for clock in [Clock::Provider, Clock::Customer] {
            let of = |measure| Selection {
                measure,
                clock: Some(clock),
                severity: Some(severity),
                tier: None,
            };
            let cell = outcome.timers(&of(Measure::Violations), tiers);
            assert_eq!(cell, counted(&run, clock, severity), "{clock:?} {severity:?}, seed {seed}");
            missed += cell.missed;
        }
        let of = Selection { severity: Some(severity), ..Selection::all(Measure::ExposureDays) };
        let days = outcome.value(&of, tiers, None).expect("always");
        let rows = run["sla"]["exposure_days"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["severity"] == severity.as_str());
        let said = row.map_or(0.0, |row| row["days"].as_f64().expect("days"));
        assert!(
            (days - said).abs() < 0.005_001,
            "{severity:?}: {days} and not {said}, seed {seed}"
        );
    }
    assert!(missed > 0, "seed {seed}: agreement says little where nothing is missed");
    assert_eq!(run["violations"], missed, "seed {seed}");
}

/// A row of the figures.
fn counted(run: &Value, clock: Clock, severity: Severity) -> Cell {
    let rows = run["sla"]["timers"].as_array().expect("rows");
    let row = rows
        .iter()
        .find(|row| row["clock"] == clock.as_str() && row["severity"] == severity.as_str());
    let count = |name: &str| row.map_or(0, |row| row[name].as_u64().expect("a count"));
    Cell {
        opened: count("opened"),
        excluded: count("excluded"),
        undecided: count("undecided"),
        never_ran: count("never_ran"),
        paused: count("paused"),
        running: count("running"),
        kept: count("kept"),
        missed: count("breached"),
    }
}

#[test]
fn a_study_of_the_classroom_agrees_with_a_run() {
    agreed("scenarios/classroom.yaml", 5, "2d");
}

#[test]
fn a_study_of_all_presets_agrees_with_a_run() {
    agreed("tests/e2e/oracle/presets.yaml", 18, "4d12h");
}
