//! Where a list departs from what its log recorded: not only that something was changed, but
//! which entry, and how.

use std::collections::HashSet;
use std::fmt;

use crate::merkle::Hash;

/// The first place at which the found leaves are not the recorded ones, and the likeliest cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// The entry at `index` was edited: the entries after it are still in place.
    Edited {
        /// Its index.
        index: u64,
    },
    /// The entry at `index` was deleted: what follows moved up.
    Deleted {
        /// Its index.
        index: u64,
    },
    /// An entry that was never recorded stands at `index`.
    Inserted {
        /// Its index.
        index: u64,
    },
    /// The entry at `index` is one that was recorded elsewhere, and its own is elsewhere too.
    Reordered {
        /// Its index.
        index: u64,
    },
    /// The list ends at `size`, earlier than recorded.
    Truncated {
        /// Its length.
        size: u64,
    },
    /// From `index` on it is another history.
    Forked {
        /// Where it begins.
        index: u64,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { index } => write!(formatter, "entry {index} was edited"),
            Self::Deleted { index } => write!(formatter, "entry {index} was deleted"),
            Self::Inserted { index } => write!(formatter, "entry {index} was never recorded"),
            Self::Reordered { index } => write!(formatter, "entry {index} stands out of order"),
            Self::Truncated { size } => write!(formatter, "the list was cut after {size} entries"),
            Self::Forked { index } => write!(formatter, "another history from entry {index} on"),
        }
    }
}

/// Compares leaf hashes with the recorded ones; nothing if they agree. Entries beyond the record
/// are fine (they are not yet in a checkpoint): compare with the newest record.
pub fn find(recorded: &[Hash], found: &[Hash]) -> Option<Divergence> {
    let agreeing = recorded.iter().zip(found).take_while(|(left, right)| left == right).count();
    let index = agreeing as u64;
    if agreeing == recorded.len() {
        return None;
    }
    if agreeing == found.len() {
        return Some(Divergence::Truncated { size: index });
    }
    let (recorded_rest, found_rest) = (&recorded[agreeing..], &found[agreeing..]);
    let recorded_set: HashSet<&Hash> = recorded_rest.iter().collect();
    let found_set: HashSet<&Hash> = found_rest.iter().collect();
    let own_is_elsewhere = found_set.contains(&recorded_rest[0]);
    let found_is_recorded = recorded_set.contains(&found_rest[0]);
    Some(match (own_is_elsewhere, found_is_recorded) {
        (true, true) => Divergence::Reordered { index },
        (true, false) => Divergence::Inserted { index },
        (false, true) => Divergence::Deleted { index },
        (false, false) => {
            // Something of the record goes on behind it, or nothing does.
            let goes_on = recorded_rest.len() == 1
                || found_rest[1..].iter().any(|hash| recorded_set.contains(hash));
            if goes_on { Divergence::Edited { index } } else { Divergence::Forked { index } }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    fn leaves(numbers: impl IntoIterator<Item = u32>) -> Vec<Hash> {
        numbers.into_iter().map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn each_kind_is_found_at_its_place() {
        let recorded = leaves(0..10);
        let check = |found: Vec<Hash>| find(&recorded, &found);
        assert_eq!(check(leaves(0..10)), None);
        assert_eq!(check(leaves(0..12)), None);
        assert_eq!(find(&[], &[]), None);
        let mut edited = leaves(0..10);
        edited[4] = leaf_hash(b"edited");
        assert_eq!(check(edited.clone()), Some(Divergence::Edited { index: 4 }));
        edited[4] = recorded[4];
        edited[9] = leaf_hash(b"edited");
        assert_eq!(check(edited), Some(Divergence::Edited { index: 9 }));
        assert_eq!(check(leaves((0..3).chain(4..10))), Some(Divergence::Deleted { index: 3 }));
        assert_eq!(
            check(leaves((0..3).chain([99]).chain(3..10))),
            Some(Divergence::Inserted { index: 3 })
        );
        let mut reordered = leaves(0..10);
        reordered.swap(2, 7);
        assert_eq!(check(reordered), Some(Divergence::Reordered { index: 2 }));
        assert_eq!(check(leaves(0..6)), Some(Divergence::Truncated { size: 6 }));
        assert_eq!(check(vec![]), Some(Divergence::Truncated { size: 0 }));
        assert_eq!(check(leaves((0..5).chain(50..60))), Some(Divergence::Forked { index: 5 }));
    }
}
