//! A study that is put together: what was played is counted in the one order there is, round by round.
//! Pure: the director reads and writes what it needs and what it makes.
use super::documents::{Documents, Table};
use super::outcome;
use std::sync::Arc;
use store::studies::parts::PlayedPart;
use study::arms::Compiled;
use study::campaign::{Batch, Campaign, Progress};

/// A study while it plays.
pub(super) struct Assembly {
    campaign: Campaign,
    table: Table,
    round: Vec<Batch>,
    next: usize,
}

impl Assembly {
    /// Before the first round.
    pub(super) fn new(compiled: Arc<Compiled>) -> Self {
        Assembly {
            campaign: Campaign::new(compiled),
            table: Table::default(),
            round: Vec::new(),
            next: 0,
        }
    }

    /// Whether all batches of the round have been counted.
    pub(super) fn is_round_over(&self) -> bool {
        self.next >= self.round.len()
    }

    /// The round, from 0.
    pub(super) fn round(&self) -> i32 {
        self.round.first().and_then(|batch| i32::try_from(batch.round).ok()).unwrap_or(0)
    }

    /// The place of the batch that counts next.
    pub(super) fn next_place(&self) -> i32 {
        i32::try_from(self.next).unwrap_or(i32::MAX)
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Progress {
        self.campaign.progress()
    }

    /// The batches of the next round, as they are stored; none: all has been counted.
    pub(super) fn next_round(&mut self) -> Result<Vec<String>, String> {
        self.round = self.campaign.next_round();
        self.next = 0;
        let stored = self.round.iter().map(serde_json::to_string).collect::<Result<_, _>>();
        stored.map_err(|error| error.to_string())
    }

    /// Counts the batches that come next.
    pub(super) fn count(&mut self, parts: &[PlayedPart]) -> Result<(), String> {
        for part in parts {
            let batch = self.round.get(self.next).filter(|_| part.place == self.next_place());
            let batch = batch.ok_or_else(|| format!("batch {} is not its turn", part.place))?;
            let played = outcome::decode(&part.outcome)
                .map_err(|why| format!("batch {} is stored in another form: {why}", part.place))?;
            let table = &mut self.table;
            self.campaign.absorb(batch, &played, &mut |row| table.add(&row));
            self.next += 1;
        }
        Ok(())
    }

    /// The documents, when all has been counted.
    pub(super) fn finish(self) -> Result<Documents, String> {
        Documents::new(&self.campaign.finish(), self.table)
    }
}
