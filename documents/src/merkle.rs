//! The Merkle tree of RFC 6962, section 2: one implementation for the transparency log and for
//! the audit log.

mod proof;

use sha2::{Digest as _, Sha256};

pub use proof::{verify_consistency, verify_inclusion};

/// A leaf's or a node's hash.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 of 0x00 and the data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// The hash of a node: SHA-256 of 0x01 and both children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tree that grows by appending. It keeps the hash of every complete subtree (64 bytes a leaf),
/// so each root and proof of any earlier size takes logarithmic time.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// `levels[height][index]` is the hash of the leaves `index << height` to
    /// `(index + 1) << height`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree of those leaves.
    pub fn from_leaf_hashes(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree
    }

    /// Appends a leaf's hash and returns its index.
    pub fn push(&mut self, leaf: Hash) -> u64 {
        let index = self.size();
        let mut hash = leaf;
        let mut height = 0;
        loop {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.push(hash);
            if !level.len().is_multiple_of(2) {
                return index;
            }
            hash = node_hash(&level[level.len() - 2], &level[level.len() - 1]);
            height += 1;
        }
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hashes of all complete subtrees of `2^height` leaves, in order.
    pub fn level(&self, height: usize) -> &[Hash] {
        self.levels.get(height).map_or(&[], Vec::as_slice)
    }

    /// The root when the tree had `size` leaves; nothing if it never had.
    pub fn root(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty_root()),
            _ if size > self.size() => None,
            _ => Some(self.subtree(0, size)),
        }
    }

    /// The proof that leaf `index` is in the tree of `size` leaves; nothing if it is not.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let mut path = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.subtree(middle, end));
                end = middle;
            } else {
                path.push(self.subtree(start, middle));
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the tree of `new_size` leaves only appended to that of `old_size`; nothing
    /// if there were no such trees. It is empty if `old_size` is 0 or equal to `new_size`.
    pub fn consistency_proof(&self, old_size: u64, new_size: u64) -> Option<Vec<Hash>> {
        if old_size > new_size || new_size > self.size() {
            return None;
        }
        let mut path = Vec::new();
        if old_size == 0 || old_size == new_size {
            return Some(path);
        }
        let (mut start, mut end) = (0, new_size);
        // Down to the subtree at which the old tree ends; whether it is a node of the old tree
        // that the verifier already knows decides if its hash is needed.
        while old_size != end {
            let middle = start + split(end - start);
            if old_size <= middle {
                path.push(self.subtree(middle, end));
                end = middle;
            } else {
                path.push(self.subtree(start, middle));
                start = middle;
            }
        }
        if start != 0 {
            path.push(self.subtree(start, end));
        }
        path.reverse();
        Some(path)
    }

    /// The hash over the leaves from `start` to `end`, of which `start` is a multiple of the
    /// largest power of two below the length (so it is where RFC 6962 splits).
    fn subtree(&self, start: u64, end: u64) -> Hash {
        let size = end - start;
        if size.is_power_of_two() {
            let height = size.trailing_zeros() as usize;
            return self.levels[height][in_memory(start >> height)];
        }
        let middle = start + split(size);
        node_hash(&self.subtree(start, middle), &self.subtree(middle, end))
    }
}

/// A place in a tree that is in memory, as an index.
///
/// # Panics
/// It is larger than an address: no such tree is in memory.
pub(crate) fn in_memory(place: u64) -> usize {
    usize::try_from(place).expect("a tree in memory has fewer leaves than addresses")
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests;
