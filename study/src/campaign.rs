//! A study cut into batches of replications, which may be played anywhere and in any order, and put
//! together again in the one order that counts.
mod finish;

use crate::arms::{Compiled, Kind};
use crate::file::Selection;
use crate::measure::{Meter, Outcome};
use crate::result::StudyResult;
use crate::statistics::{Moments, Precision, Progress as Decision, Rule, Sequential};
use crate::tally::{Counting, Tally};
use serde::{Deserialize, Serialize};
use sim::World;
use sim::time::SimDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Some replications of all arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The round, from 0: a round is planned when all of the one before has been counted.
    pub round: u32,
    /// Its place in the round, from 0: in this order batches count.
    pub place: u32,
    /// How the uncertain inputs turn out; 0: as the scenarios have them.
    pub variation: u32,
    /// The first replication, from 0.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// By replication, then by arm.
    pub outcomes: Vec<Vec<Outcome>>,
}

/// A replication of an arm that counts.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The replication, from 1.
    pub replication: u64,
    /// Its seed.
    pub seed: u64,
    /// The arm's name.
    pub arm: &'a str,
    /// What was measured, in an order that is the same for all rows.
    pub selections: &'a [Selection],
    /// The values; none: there is nothing to measure.
    pub values: &'a [Option<f64>],
    /// All that was counted.
    pub outcome: &'a Outcome,
}

/// How far a study is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Replications of one arm that have been played and counted.
    pub done: u64,
    /// How many there will be, as far as that can be told now.
    pub expected: u64,
}

/// Worlds in a batch, all arms together.
const BATCH_WORLDS: usize = 32;
/// Replications before a precision is looked at for the first time.
const FIRST_STAGE: u32 = 30;

/// Plays a batch; none: it was stopped before it was done.
pub fn play(compiled: &Compiled, batch: &Batch, stop: &AtomicBool) -> Option<Played> {
    let variation = compiled.variations.get(batch.variation as usize)?;
    let mut outcomes = Vec::with_capacity(batch.count as usize);
    for replication in batch.first..batch.first.saturating_add(batch.count) {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let seed = compiled.study.seed.wrapping_add(u64::from(replication));
        let mut first: Option<World> = None;
        let mut of_arms = Vec::with_capacity(variation.scenarios.len());
        for scenario in &variation.scenarios {
            // What does not depend on the arms is made once for all of them.
            let fresh = match &first {
                Some(first) => World::new_like(first, Arc::clone(scenario)),
                None => World::new(Arc::clone(scenario), seed),
            };
            let mut world = match &first {
                Some(_) => fresh,
                None => first.insert(fresh).clone(),
            };
            let period = compiled.period(scenario);
            let mut meter = Meter::new(&world, &compiled.tiers, scenario.builders.count, period);
            while world.now() < period.until {
                if stop.load(Ordering::Relaxed) {
                    return None;
                }
                let step = world.now() + SimDuration::days(1);
                world.play(step.min(period.until), &mut meter);
            }
            of_arms.push(meter.outcome(&world));
        }
        outcomes.push(of_arms);
    }
    Some(Played { outcomes })
}

/// A study while it plays.
#[derive(Clone, Debug)]
pub struct Campaign {
    compiled: Arc<Compiled>,
    counting: Counting,
    tallies: Vec<Tally>,
    /// By arm, while a precision is waited for.
    rules: Vec<Sequential>,
    /// Replications that count.
    counted: u32,
    /// Whether no more replications are wanted.
    decided: bool,
    planned: u32,
    rounds: u32,
    /// By variation from 1 on, then by arm: the looked-at measure.
    varied: Vec<Vec<Moments>>,
    varied_planned: bool,
}

impl Campaign {
    /// Before the first replication.
    pub fn new(compiled: Arc<Compiled>) -> Self {
        let counting = Counting::new(&compiled);
        let arms = compiled.arms.len();
        let rules = match &compiled.study.precision {
            None => Vec::new(),
            Some(precision) => {
                let of = &precision.of;
                let within = match of.measure {
                    crate::file::Measure::AnyViolation => {
                        Precision::Proportion(precision.within.value())
                    }
                    _ => Precision::Relative(precision.within.value()),
                };
                let cap = u64::from(precision.budget);
                let rule = Sequential::new(Rule::new(within, compiled.level, cap));
                rule.map(|rule| vec![rule; arms]).unwrap_or_default()
            }
        };
        let budget = compiled.budget() as usize;
        let tallies = (0..arms).map(|_| Tally::new(&counting, budget)).collect();
        let varied = vec![vec![Moments::default(); arms]; compiled.variations.len() - 1];
        Campaign {
            counting,
            tallies,
            rules,
            counted: 0,
            decided: false,
            planned: 0,
            rounds: 0,
            varied,
            varied_planned: false,
            compiled,
        }
    }

    /// The batches to play next, in the order in which they count; none: the study is done.
    pub fn next_round(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        if !self.decided && self.planned < self.compiled.budget() {
            let until = self.next_stage();
            let from = self.planned;
            self.plan(&mut batches, 0, from, until);
            self.planned = until;
        } else if !self.varied_planned {
            self.varied_planned = true;
            let inner = self.compiled.study.uncertain.as_ref().map_or(0, |of| of.replications);
            for variation in (1_u32..).take(self.varied.len()) {
                self.plan(&mut batches, variation, 0, inner);
            }
        }
        self.rounds += u32::from(!batches.is_empty());
        batches
    }

    fn next_stage(&self) -> u32 {
        let budget = self.compiled.budget();
        if self.rules.is_empty() {
            return budget;
        }
        if self.planned == 0 {
            return budget.min(FIRST_STAGE);
        }
        let needed = self.rules.iter().filter_map(Sequential::needed).max();
        let needed = needed.map_or(self.planned, |n| u32::try_from(n).unwrap_or(u32::MAX));
        // The estimate of what is needed is rough: not too few, and not more than twice as many.
        let more = needed.clamp(10, self.planned.max(10));
        self.planned.saturating_add(more).min(budget)
    }

    fn plan(&self, batches: &mut Vec<Batch>, variation: u32, from: u32, until: u32) {
        let size = (BATCH_WORLDS / self.compiled.arms.len()).max(1);
        let size = u32::try_from(size).unwrap_or(1);
        let mut first = from;
        while first < until {
            let count = size.min(until - first);
            let place = u32::try_from(batches.len()).unwrap_or(u32::MAX);
            batches.push(Batch { round: self.rounds, place, variation, first, count });
            first += count;
        }
    }

    /// Counts a batch. Those of a round come in its order; `row` sees every replication that counts.
    pub fn absorb(&mut self, batch: &Batch, played: &Played, row: &mut dyn FnMut(Row<'_>)) {
        if let Some(variation) = (batch.variation as usize).checked_sub(1) {
            self.absorb_varied(variation, played);
            return;
        }
        for (outcomes, nth) in played.outcomes.iter().zip(batch.first..) {
            if self.decided {
                return;
            }
            self.count(outcomes, nth, row);
        }
        self.decided |= self.counted >= self.compiled.budget();
    }

    fn count(&mut self, outcomes: &[Outcome], nth: u32, row: &mut dyn FnMut(Row<'_>)) {
        let compiled = Arc::clone(&self.compiled);
        for (arm, outcome) in outcomes.iter().enumerate() {
            let tally = &mut self.tallies[arm];
            tally.add(&self.counting, &compiled, outcome);
            let values: Vec<Option<f64>> = tally
                .values
                .iter()
                .map(|of| of.last().copied().filter(|value| !value.is_nan()))
                .collect();
            row(Row {
                replication: u64::from(nth) + 1,
                seed: compiled.study.seed.wrapping_add(u64::from(nth)),
                arm: &compiled.arms[arm].name,
                selections: &self.counting.selections,
                values: &values,
                outcome,
            });
        }
        self.counted += 1;
        if let Some(precision) = &compiled.study.precision {
            for (arm, rule) in self.rules.iter_mut().enumerate() {
                let last = self.tallies[arm].of(&self.counting, &precision.of).last().copied();
                // A replication in which there is nothing to measure says nothing of the mean.
                if let Some(value) = last.filter(|value| !value.is_nan()) {
                    rule.feed(value);
                }
            }
            let ended = |rule: &Sequential| rule.progress() != Decision::Continue;
            self.decided = self.rules.iter().all(ended);
        }
    }

    fn absorb_varied(&mut self, variation: usize, played: &Played) {
        let of = self.uncertain_measure();
        for outcomes in &played.outcomes {
            for (arm, outcome) in outcomes.iter().enumerate() {
                let tiers = &self.compiled.tiers.0;
                if let Some(value) = outcome.value(&of, tiers, self.compiled.costs()) {
                    self.varied[variation][arm].push(value);
                }
            }
        }
    }

    fn uncertain_measure(&self) -> Selection {
        let uncertain = self.compiled.study.uncertain.as_ref();
        let named = uncertain.and_then(|uncertain| uncertain.of.clone());
        named.unwrap_or_else(|| self.compiled.main_measure())
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let inner = self.compiled.study.uncertain.as_ref().map_or(0, |of| of.replications);
        let varied = self.varied.len() as u64 * u64::from(inner);
        let varied_done: u64 =
            self.varied.iter().filter_map(|arms| arms.first()).map(|m| m.n).sum();
        let stage = if self.decided { self.counted } else { self.planned.max(self.counted) };
        let fixed = self.rules.is_empty();
        let expected = if fixed { self.compiled.budget() } else { stage };
        Progress {
            done: u64::from(self.counted) + varied_done,
            expected: u64::from(expected) + varied,
        }
    }

    /// The result, when there are no more rounds.
    pub fn finish(self) -> StudyResult {
        finish::finish(&self)
    }

    /// The means of a variation and arm.
    fn varied(&self, wanted: impl Fn(&Kind) -> bool, arm: usize) -> Vec<(&Kind, &Moments)> {
        let all = self.compiled.variations[1..].iter().zip(&self.varied);
        let those = all.filter(|(variation, _)| wanted(&variation.kind));
        those.map(|(variation, moments)| (&variation.kind, &moments[arm])).collect()
    }
}
