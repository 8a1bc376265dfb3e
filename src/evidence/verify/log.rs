//! A Merkle log from its tiles: the checkpoint is signed, the entries are those of its root, and
//! where they are not, which one it is.
use super::report::Report;
use bytes::Bytes;
use documents::checkpoint::{Checkpoint, VerifierKey};
use documents::divergence;
use documents::merkle::{Hash, Tree, leaf_hash};
use documents::tlog::{self, CHECKPOINT_PATH, TILE_WIDTH};
use std::collections::BTreeSet;
use std::path::Path;
use store::logs::Log;
use store::objects::{ObjectError, ObjectStore};

/// The largest tile or checkpoint that is read: 256 entries of 64 KiB.
const MAX_TILE_BYTES: u64 = 17 << 20;

/// Where tiles are.
pub(super) enum Tiles<'a> {
    Directory(&'a Path),
    World(&'a ObjectStore),
}

impl Tiles<'_> {
    /// A file of a log; nothing if there is none.
    async fn read(&self, name: &str) -> Result<Option<Bytes>, String> {
        match self {
            Tiles::Directory(path) => super::directory::read(&path.join(name), MAX_TILE_BYTES),
            Tiles::World(objects) => match objects.get(name, MAX_TILE_BYTES).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(ObjectError::Missing { .. }) => Ok(None),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

/// A log whose entries are those of its signed checkpoint.
pub(super) struct CheckedLog {
    pub(super) tree: Tree,
    /// The bundles of entries that are no longer kept, by their number.
    expired: BTreeSet<u64>,
}

impl CheckedLog {
    /// The names of the files that make it up, below its prefix; those that are kept.
    pub(super) fn files(&self) -> Vec<String> {
        let size = self.tree.size();
        let hashes = tlog::hash_tiles(&self.tree, 0, size).into_iter().map(|tile| tile.path);
        let entries = (0..size.div_ceil(TILE_WIDTH))
            .filter(|index| !self.expired.contains(index))
            .map(|index| tlog::entries_path(index, TILE_WIDTH.min(size - index * TILE_WIDTH)));
        hashes.chain(entries).chain([CHECKPOINT_PATH.to_owned()]).collect()
    }

    /// Whether the log holds that body at that index.
    pub(super) fn holds(&self, index: u64, body: &[u8]) -> bool {
        let leaf = usize::try_from(index).ok().and_then(|index| self.tree.level(0).get(index));
        leaf == Some(&leaf_hash(body))
    }
}

/// Checks a log; nothing comes back if its entries cannot be relied on. `expired`: the bundles of
/// entries that are no longer kept, so that only the hashes of their entries can be checked.
pub(super) async fn check(
    tiles: &Tiles<'_>,
    log: Log,
    key: &VerifierKey,
    expired: &BTreeSet<u64>,
    report: &mut Report,
) -> Option<CheckedLog> {
    let prefix = log.prefix();
    let place = format!("{prefix}{CHECKPOINT_PATH}");
    let note = match tiles.read(&place).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            report.problem(place, "the log has no checkpoint");
            return None;
        }
        Err(why) => {
            report.problem(place, why);
            return None;
        }
    };
    let note = String::from_utf8_lossy(&note);
    let checkpoint = match Checkpoint::verify_ed25519(&note, key, key.name()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            report.problem(place, error);
            return None;
        }
    };
    let (found, recorded) = match read_leaves(tiles, prefix, checkpoint.size, expired, report).await
    {
        Some(leaves) => leaves,
        None => return None,
    };
    let tree = Tree::from_leaf_hashes(found);
    if tree.root(checkpoint.size) == Some(checkpoint.root) {
        compare_tiles(tiles, prefix, &tree, report).await;
        return Some(CheckedLog { tree, expired: expired.clone() });
    }
    let recorded = Tree::from_leaf_hashes(recorded);
    if recorded.root(checkpoint.size) != Some(checkpoint.root) {
        report.problem(place, "neither entries nor hash tiles lead to its root: another history");
    } else if let Some(difference) = divergence::find(recorded.level(0), tree.level(0)) {
        report.problem(format!("{prefix}tile/entries"), difference);
    }
    None
}

/// The tiles of hashes are those of the entries, at every level.
async fn compare_tiles(tiles: &Tiles<'_>, prefix: &str, tree: &Tree, report: &mut Report) {
    for tile in tlog::hash_tiles(tree, 0, tree.size()) {
        let place = format!("{prefix}{}", tile.path);
        match tiles.read(&place).await {
            Ok(Some(found)) if found == tile.bytes => {}
            Ok(Some(_)) => report.problem(place, "its hashes are not those of the entries"),
            Ok(None) => report.problem(place, "it is missing"),
            Err(why) => report.problem(place, why),
        }
    }
}

/// The hashes of the entries, and those that the lowest hash tiles record; both as long as the
/// checkpoint says.
async fn read_leaves(
    tiles: &Tiles<'_>,
    prefix: &str,
    size: u64,
    expired: &BTreeSet<u64>,
    report: &mut Report,
) -> Option<(Vec<Hash>, Vec<Hash>)> {
    let (mut found, mut recorded) = (Vec::new(), Vec::new());
    for index in 0..size.div_ceil(TILE_WIDTH) {
        let width = TILE_WIDTH.min(size - index * TILE_WIDTH);
        let entries = format!("{prefix}{}", tlog::entries_path(index, width));
        let hashes = format!("{prefix}{}", tlog::hash_tile_path(0, index, width));
        let cut = |has: usize| {
            let has = index * TILE_WIDTH + has as u64;
            format!("the log was cut: it ends after {has} of {size} entries")
        };
        for (place, is_entries) in [(entries, true), (hashes, false)] {
            let tile = match tiles.read(&place).await {
                Ok(tile) => tile.unwrap_or_default(),
                Err(why) => {
                    report.problem(place, why);
                    return None;
                }
            };
            if is_entries && tile.is_empty() && width == TILE_WIDTH && expired.contains(&index) {
                continue;
            }
            let leaves = if is_entries {
                tlog::parse_entries(&tile)
                    .map(|entries| entries.into_iter().map(leaf_hash).collect::<Vec<_>>())
            } else if tile.is_empty() {
                Ok(Vec::new())
            } else {
                tlog::parse_hashes(&tile).map(<[Hash]>::to_vec)
            };
            match leaves {
                Ok(leaves) if leaves.len() as u64 == width => {
                    if is_entries { &mut found } else { &mut recorded }.extend(leaves);
                }
                Ok(leaves) => {
                    report.problem(place, cut(leaves.len()));
                    return None;
                }
                Err(error) => {
                    report.problem(place, error);
                    return None;
                }
            }
        }
        // Of what is no longer kept the recorded hashes stand for the entries: the root proves them.
        report.expired_leaves += (recorded.len() - found.len()) as u64;
        let known = found.len();
        found.extend_from_slice(&recorded[known..]);
    }
    Some((found, recorded))
}
