//! A study that is stopped ends at once, on any number of threads, and what it needs does not depend on
//! how many replications it has.
#[path = "support/studies.rs"]
mod studies;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use study::arms::Compiled;
use study::campaign::{Batch, Campaign, play};
use study::runner::run;

fn ready(more: &str) -> Arc<Compiled> {
    let text = format!(
        "name: s\ntitle: S\nscenario: classroom\nhorizon: 3650d\nwarm_up: 14d\n\
         arms: [{{name: a}}, {{name: b, set: {{builders.count: 2}}}}]\n{more}\n"
    );
    studies::ready(&text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_batch_that_is_stopped_gives_nothing() {
    let compiled = ready("replications: 50000");
    let batch = Batch { round: 0, place: 0, variation: 0, first: 0, count: 50_000 };
    // Ten years of two arms, 50,000 times: it ends because the stop is looked at every day.
    assert_eq!(play(&compiled, &batch, &AtomicBool::new(true)), None);
    // Nor is there anything to play in a variation that the study does not have.
    let other = Batch { variation: 7, count: 1, ..batch };
    assert_eq!(play(&compiled, &other, &AtomicBool::new(false)), None);
}

#[test]
fn a_study_that_is_stopped_ends_on_any_number_of_threads() {
    let compiled = studies::ready(
        "name: s\ntitle: S\nscenario: classroom\nhorizon: 5d\narms: [{name: a}]\n\
         replications: 100000\n",
        &[],
    );
    let compiled = compiled.unwrap_or_else(|error| panic!("{error}"));
    for threads in [1, 2, 5] {
        let before = AtomicBool::new(true);
        assert_eq!(run(&compiled, threads, &before, &mut |_| (), &mut |_| ()), None);
        let stop = AtomicBool::new(false);
        let mut rows = 0;
        let result = run(&compiled, threads, &stop, &mut |_| (), &mut |_| {
            rows += 1;
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(result, None);
        // What had been played by then may still be counted, and is bounded.
        assert!(rows <= 32 * (4 * threads + threads + 2), "{rows} of {threads} threads");
    }
}

#[test]
fn a_round_is_planned_in_few_bytes() {
    // The largest study: one round of batches, each of which is five numbers, and none is played.
    let compiled = ready("replications: 50000");
    let mut campaign = Campaign::new(Arc::clone(&compiled));
    let round = campaign.next_round();
    assert_eq!(round.iter().map(|batch| u64::from(batch.count)).sum::<u64>(), 50_000);
    assert!(std::mem::size_of_val(&round[..]) < 1 << 17, "{} batches", round.len());
    assert!(campaign.next_round().is_empty());
}
