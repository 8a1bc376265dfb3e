//! The commands that look ahead: a forecast of a world in a data directory, and a drill of a scenario.
use crate::support::{data_dir, figures, run, said, scenario, wavetank};
use sim::World;
use sim::time::SimDuration;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use study::statistics::Level;

#[test]
fn a_forecast_is_that_of_the_world_in_the_data_directory() {
    let data = data_dir();
    figures(run("classroom", data.path(), &[]));
    let ask = |seed: &str| {
        let mut command = wavetank();
        command.args(["forecast", "--horizon", "7d", "--futures", "6", "--seed", seed]);
        command.args(["--format", "json", "--data-dir"]).arg(data.path());
        figures(command)
    };
    let told = ask("5");
    assert_eq!(told, ask("5"), "one seed has one forecast");
    assert_ne!(told, ask("6"));
    // The same world, played by `sim` alone.
    let text = std::fs::read(scenario("classroom")).expect("the scenario");
    let classroom = sim::scenario::parse("classroom", &text).expect("a scenario");
    let (seed, end) = (classroom.seed, classroom.start.time() + classroom.duration.duration());
    let mut world = World::new(Arc::new(classroom), seed);
    world.advance(end, &mut |_| ());
    let (horizon, level) = (SimDuration::days(7), Level::new(0.95).expect("a level"));
    let options = study::forecast::Options { horizon, futures: 6, seed: 5, level };
    let ours = study::forecast::forecast(&world, options, 1, &AtomicBool::new(false));
    let ours = serde_json::to_value(ours.expect("nobody stopped it")).expect("JSON");
    assert_eq!(told, ours);
}

#[test]
fn a_drill_scores_its_event_or_says_why_there_is_none() {
    let drill = |name: &str| {
        let mut command = wavetank();
        command.arg("drill").arg(scenario(name));
        command.args(["--seed", "3", "--replications", "3", "--format", "json"]);
        command
    };
    let card = figures(drill("friday-night"));
    assert_eq!(card, figures(drill("friday-night")), "one seed has one card");
    let number = |pointer: &str| card.pointer(pointer).and_then(serde_json::Value::as_f64);
    let aware = number("/own/aware").expect("it was found");
    let due = number("/own/cra/early_warning/due_hours").expect("the clock has started");
    assert!((due - aware - 24.0).abs() < 1e-9, "24 hours of becoming aware");
    assert_eq!(card["replications"], 3);
    let output = drill("classroom").output().expect("the program runs");
    assert!(!output.status.success());
    assert!(said(&output).contains("no mass vulnerability"), "{}", said(&output));
}
