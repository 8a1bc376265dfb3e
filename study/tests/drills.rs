//! Drills of the shipped Friday night: scored like the kernel's own test of it, and against what real
//! mass events took.
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use study::drill::{Drill, Error, Options, REFERENCE, drill};
use study::statistics::Level;

fn friday_night(
    incident: Option<usize>,
    replications: u32,
    threads: usize,
) -> Result<Drill, Error> {
    let bundled = sim::bundled::BUNDLED.iter().find(|of| of.name == "friday-night").expect("it");
    let scenario = sim::scenario::parse("friday-night", bundled.text.as_bytes()).expect("valid");
    let level = Level::new(0.95).expect("a level");
    let options = Options { incident, seed: scenario.seed, replications, level };
    let stop = AtomicBool::new(false);
    Ok(drill(&Arc::new(scenario), &options, threads, &stop)?.expect("it was not stopped"))
}

#[test]
fn the_friday_night_is_as_fast_as_docs_model_says() {
    let drill = friday_night(None, 1, 1).expect("a drill");
    let hours: Vec<f64> =
        drill.own.rebuilt.iter().take(4).map(|of| of.hours.expect("reached")).collect();
    // docs/model.md, "Validation": 28.5, 41.6, 65.8 and 66.8 hours.
    for (found, said) in hours.iter().zip([28.5, 41.6, 65.8, 66.8]) {
        assert!((found - said).abs() < 0.06, "{hours:?}");
    }
    for (found, reference) in hours.iter().zip(REFERENCE) {
        assert!((reference.least_hours..=reference.most_hours).contains(found), "{hours:?}");
    }
    assert!((315..=325).contains(&drill.own.images), "80 % of 400: {}", drill.own.images);
    // Detectable after four hours, scanned every four: known everywhere at the next pass, at midnight.
    assert_eq!(drill.own.scoped, drill.own.aware);
    assert!((4.0..=8.0).contains(&drill.own.aware.expect("found")));
    let cra = &drill.own.cra;
    let aware = drill.own.aware.expect("found");
    assert_eq!(cra.early_warning.due_hours, Some(aware + 24.0));
    assert_eq!(cra.notification.due_hours, Some(aware + 72.0));
    let first_fixed = drill.timeline.fixed[0];
    assert_eq!(cra.final_report.due_hours, Some(first_fixed + 14.0 * 24.0));
}

#[test]
fn threads_do_not_show_and_every_seed_counts() {
    let one = friday_night(Some(0), 4, 1).expect("a drill");
    let two = friday_night(Some(0), 4, 3).expect("a drill");
    assert_eq!(one, two);
    assert_eq!((one.replications, one.spread.rebuilt[0].reached), (4, 4));
}

#[test]
fn what_is_no_mass_vulnerability_cannot_be_drilled() {
    assert_eq!(friday_night(Some(1), 1, 1), Err(Error::OtherIncident(1, "0".to_owned())));
}
