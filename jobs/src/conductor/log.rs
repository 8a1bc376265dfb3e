//! The two Merkle logs. When the builds and scans of a window are done, what they signed gets its
//! places in the transparency log, and the window's lines theirs in the audit log, in the order of
//! facts. So the logs do not depend on workers or on how windows are cut.
//!
//! The leaves are rows; the tiles and the checkpoint in the object store follow from them, and are
//! written again from where it is certain that they are there.
use super::error::ConductorError;
use crate::attest::first_leaf;
use bytes::Bytes;
use documents::checkpoint::Checkpoint;
use documents::merkle::{Hash, Tree, empty_root, leaf_hash};
use documents::rekor::genesis_body;
use documents::tlog::{self, CHECKPOINT_PATH, CHECKPOINT_TYPE, TILE_TYPE, TILE_WIDTH, Tile};
use documents::world_keys::WorldKeys;
use sqlx::{PgConnection, PgPool};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::logs::{self, Log};
use store::objects::{NewObject, ObjectStore};
use store::retention::leaves::expired;
use store::{attestations, audit, world};

/// What the conductor knows of the logs.
pub(super) struct Logs {
    pool: PgPool,
    objects: ObjectStore,
    keys: Arc<WorldKeys>,
    term: i64,
    state: [GrowingLog; 2],
}

/// A log as it grows.
struct GrowingLog {
    log: Log,
    tree: Tree,
    /// Up to here its tiles are in the object store.
    published: u64,
}

impl Logs {
    /// Reads the logs and completes what an earlier conductor left unpublished.
    ///
    /// # Errors
    /// A log's leaves are not those of its recorded root.
    pub(super) async fn load(
        pool: PgPool,
        objects: ObjectStore,
        keys: Arc<WorldKeys>,
        term: i64,
    ) -> Result<Self, ConductorError> {
        let mut conn = pool.acquire().await?;
        let transparency = GrowingLog::load(&mut conn, Log::Transparency, &keys).await?;
        let audit = GrowingLog::load(&mut conn, Log::Audit, &keys).await?;
        drop(conn);
        let mut logs = Logs { pool, objects, keys, term, state: [transparency, audit] };
        logs.publish().await?;
        logs.delete_stale_tiles().await?;
        Ok(logs)
    }

    /// Gives the leaves of the facts up to one their places. Running it again changes nothing;
    /// after an error the logs must be loaded again.
    pub(super) async fn append(&mut self, through_seq: u64) -> Result<(), ConductorError> {
        let mut tx = self.pool.begin().await?;
        // The ledger still owes the window: what a crash loses here is done again.
        store::db::relax_commit(&mut tx).await?;
        world::assert_term(&mut tx, self.term).await?;
        for growing in &mut self.state {
            let size = growing.tree.size();
            let leaves = match growing.log {
                Log::Transparency => {
                    attestations::append_to_log(&mut tx, size, through_seq).await?
                }
                Log::Audit => audit::append_to_log(&mut tx, size, through_seq).await?,
            };
            growing.extend(leaves);
            let (size, root) = growing.newest();
            logs::advance(&mut tx, growing.log, size, &root, growing.published).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Writes the tiles that are new or have grown, then the checkpoint, then takes away partial
    /// tiles that have been outgrown.
    pub(super) async fn publish(&mut self) -> Result<(), ConductorError> {
        for growing in &mut self.state {
            let (old, new) = (growing.published, growing.tree.size());
            if old == new {
                continue;
            }
            let mut conn = self.pool.acquire().await?;
            let tiles = growing.tiles(&mut conn, &self.keys).await?;
            drop(conn);
            let prefix = growing.log.prefix();
            let object = |tile| tile_object(growing.log, tile);
            self.objects.put_all(tiles.into_iter().map(object).collect()).await?;
            let note = Bytes::from(growing.checkpoint(&self.keys));
            let checkpoint = format!("{prefix}{CHECKPOINT_PATH}");
            self.objects.put(&checkpoint, note, CHECKPOINT_TYPE).await?;
            growing.published = new;
            let current = partial_tiles(new);
            for path in partial_tiles(old).difference(&current) {
                self.objects.delete(&format!("{prefix}{path}")).await?;
            }
        }
        Ok(())
    }

    /// Takes away partial tiles of other sizes, which a crash may have left.
    async fn delete_stale_tiles(&self) -> Result<(), ConductorError> {
        for growing in &self.state {
            let prefix = growing.log.prefix();
            let current = partial_tiles(growing.published);
            let listed = self.objects.list(&format!("{prefix}tile/")).await?;
            let keys = listed.into_iter().map(|object| object.key);
            let stale = keys.filter(|key| {
                let path = &key[prefix.len()..];
                path.contains(".p/") && !current.contains(path)
            });
            self.objects.delete_all(&stale.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

/// The objects of a log as its rows have it.
#[derive(Default)]
pub(crate) struct LogObjects {
    /// Tiles, and the checkpoint last: the bytes that a conductor has written, or will write next.
    pub(crate) objects: Vec<NewObject>,
    /// How many bundles of entries cannot be made: some of their rows are no longer kept.
    pub(crate) unmade: usize,
}

/// All objects of a log. Bundles of entries that are no longer kept are none.
///
/// # Errors
/// The log's leaves are not those of its recorded root.
pub(crate) async fn objects_of(
    conn: &mut PgConnection,
    log: Log,
    keys: &WorldKeys,
) -> Result<LogObjects, ConductorError> {
    let whole = GrowingLog::load(conn, log, keys).await?;
    let recorded = logs::state(conn, log).await?.map_or(0, |state| state.size);
    if recorded == 0 {
        return Ok(LogObjects::default());
    }
    let size = whole.tree.size();
    let gone: BTreeSet<u64> =
        expired(conn, log, 0).await?.into_iter().map(|(index, _)| index).collect();
    let kept = (0..size).filter(|index| !gone.contains(index));
    let bodies = whole.entries(conn, keys, 0).await?;
    let found = bodies.len() as u64;
    // Rows may have been changed since they were logged: they count for nothing until they hash to
    // the recorded leaves.
    let entries: BTreeMap<u64, Vec<u8>> = kept.zip(bodies).collect();
    let leaves = whole.tree.level(0).iter().zip(0..);
    let mut kept = leaves.filter(|(_, index)| !gone.contains(index));
    let hold = kept.all(|(leaf, index)| entries.get(&index).is_some_and(|b| leaf_hash(b) == *leaf));
    if !hold || found != entries.len() as u64 {
        return Err(ConductorError::LogMismatch { name: log.as_str(), size: recorded, found });
    }
    let mut tiles = tlog::hash_tiles(&whole.tree, 0, size);
    let mut unmade = 0;
    for bundle in 0..size.div_ceil(TILE_WIDTH) {
        let (from, to) = (bundle * TILE_WIDTH, size.min((bundle + 1) * TILE_WIDTH));
        match entries.range(from..to).count() as u64 {
            0 => {}
            all if all == to - from => {
                tiles.extend(tlog::entry_tiles(from, to, |index| &entries[&index])?);
            }
            _ => unmade += 1,
        }
    }
    let mut objects: Vec<_> = tiles.into_iter().map(|tile| tile_object(log, tile)).collect();
    objects.push(NewObject {
        key: format!("{}{CHECKPOINT_PATH}", log.prefix()),
        bytes: whole.checkpoint(keys).into(),
        media_type: CHECKPOINT_TYPE,
        packed: false,
    });
    Ok(LogObjects { objects, unmade })
}

fn tile_object(log: Log, tile: Tile) -> NewObject {
    NewObject {
        key: format!("{}{}", log.prefix(), tile.path),
        bytes: tile.bytes.into(),
        media_type: TILE_TYPE,
        packed: false,
    }
}

impl GrowingLog {
    async fn load(
        conn: &mut PgConnection,
        log: Log,
        keys: &WorldKeys,
    ) -> Result<Self, ConductorError> {
        let state = logs::state(conn, log).await?.ok_or(store::error::Error::NoWorld)?;
        let mut growing = GrowingLog { log, tree: Tree::default(), published: state.published };
        match log {
            Log::Transparency => {
                growing.extend([first_leaf(&keys.identity)?]);
                growing.extend(attestations::leaf_hashes(conn, 1).await?);
            }
            Log::Audit => growing.extend(audit::leaf_hashes(conn, 0).await?),
        }
        let found = growing.tree.size();
        // A world that has just been made: the log's first leaf is not recorded yet.
        let recorded = if state.size == 0 { 0 } else { found };
        if state.size != recorded || growing.tree.root(state.size) != Some(state.root) {
            return Err(ConductorError::LogMismatch {
                name: log.as_str(),
                size: state.size,
                found,
            });
        }
        Ok(growing)
    }

    fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) {
        for leaf in leaves {
            self.tree.push(leaf);
        }
    }

    /// Its size and root now.
    fn newest(&self) -> (u64, Hash) {
        let size = self.tree.size();
        (size, self.tree.root(size).unwrap_or_else(empty_root))
    }

    /// The tiles that are new or have grown since the last publication.
    async fn tiles(
        &self,
        conn: &mut PgConnection,
        keys: &WorldKeys,
    ) -> Result<Vec<Tile>, ConductorError> {
        let (old, new) = (self.published, self.tree.size());
        let first = old / TILE_WIDTH * TILE_WIDTH;
        let entries = self.entries(conn, keys, first).await?;
        if (entries.len() as u64) < new - first {
            let (size, needed) = (first + entries.len() as u64, new);
            return Err(store::error::Error::ShortLog { size, needed }.into());
        }
        let mut tiles = tlog::hash_tiles(&self.tree, old, new);
        tiles.extend(tlog::entry_tiles(old, new, |index| {
            // Both are within the entries that were just read.
            &entries[usize::try_from(index - first).unwrap_or(usize::MAX)]
        })?);
        Ok(tiles)
    }

    /// The entries from an index on that rows are kept of, in order, made from the rows as they stand
    /// now.
    async fn entries(
        &self,
        conn: &mut PgConnection,
        keys: &WorldKeys,
        first: u64,
    ) -> Result<Vec<Vec<u8>>, ConductorError> {
        if self.log == Log::Audit {
            return Ok(audit::leaves(conn, first).await?);
        }
        let identity = &keys.identity;
        let mut entries = Vec::new();
        if first == 0 {
            entries.push(genesis_body(&identity.rekor_origin)?);
        }
        for (_, logged) in attestations::logged(conn, first.max(1), self.tree.size()).await? {
            entries.push(logged.body(&identity.signer)?);
        }
        Ok(entries)
    }

    fn checkpoint(&self, keys: &WorldKeys) -> String {
        let (verifier, key) = match self.log {
            Log::Transparency => (&keys.identity.log_verifier, &keys.log_checkpoint),
            Log::Audit => (&keys.identity.audit_verifier, &keys.audit_checkpoint),
        };
        let (size, root) = self.newest();
        let origin = verifier.name().to_owned();
        Checkpoint { origin, size, root }.sign_ed25519(verifier.name(), key)
    }
}

/// The partial tiles of a log of that size.
fn partial_tiles(size: u64) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut items = size;
    let mut level = 0;
    while items > 0 {
        let (index, width) = (items / TILE_WIDTH, items % TILE_WIDTH);
        if width > 0 {
            paths.insert(tlog::hash_tile_path(level, index, width));
            if level == 0 {
                paths.insert(tlog::entries_path(index, width));
            }
        }
        items /= TILE_WIDTH;
        level += 1;
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_tiles_are_those_at_the_ends_of_levels() {
        let all = |size| partial_tiles(size).into_iter().collect::<Vec<_>>();
        assert_eq!(all(0), Vec::<String>::new());
        assert_eq!(all(3), ["tile/0/000.p/3", "tile/entries/000.p/3"]);
        assert_eq!(all(256), ["tile/1/000.p/1"]);
        assert_eq!(all(515), ["tile/0/002.p/3", "tile/1/000.p/2", "tile/entries/002.p/3"]);
    }
}
