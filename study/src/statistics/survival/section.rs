//! What is counted while a replication runs: events and censorings by time, a few bytes for each
//! time at which there is any.
use serde::{Deserialize, Serialize};

/// Counts at one time of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The time, in steps of the grid.
    pub time: u32,
    /// Subjects that had the event at it.
    pub events: u64,
    /// Subjects of which it is known only that they lasted until it.
    pub censored: u64,
}

/// The subjects of one replication, or of a fixed section of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    tallies: Vec<Tally>,
}

impl Section {
    /// A subject had the event at this time.
    pub fn event(&mut self, time: u32) {
        self.add(time, 1, 0);
    }

    /// A subject lasted until this time at least.
    pub fn censored(&mut self, time: u32) {
        self.add(time, 0, 1);
    }

    /// Adds counts at a time; in any order of times.
    pub fn add(&mut self, time: u32, events: u64, censored: u64) {
        if events == 0 && censored == 0 {
            return;
        }
        match self.tallies.binary_search_by_key(&time, |tally| tally.time) {
            Ok(place) => {
                self.tallies[place].events += events;
                self.tallies[place].censored += censored;
            }
            Err(place) => self.tallies.insert(place, Tally { time, events, censored }),
        }
    }

    /// Adds the subjects of another section: the same whatever the order of merging.
    pub fn merge(&mut self, other: &Section) {
        let mut merged = Vec::with_capacity(self.tallies.len().max(other.tallies.len()));
        let (mut mine, mut theirs) = (self.tallies.iter().peekable(), other.tallies.iter());
        for tally in theirs.by_ref() {
            while let Some(before) = mine.next_if(|own| own.time < tally.time) {
                merged.push(*before);
            }
            let own = mine.next_if(|own| own.time == tally.time);
            let (events, censored) = own.map_or((0, 0), |own| (own.events, own.censored));
            merged.push(Tally {
                time: tally.time,
                events: tally.events + events,
                censored: tally.censored + censored,
            });
        }
        merged.extend(mine);
        self.tallies = merged;
    }

    /// The counts, by ascending time.
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// All subjects.
    pub fn subjects(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.events + tally.censored).sum()
    }
}
