//! What a worker keeps in memory: parsed SBOMs and signed statements, found by the SHA-256 of
//! their bytes, the transparency log's tree, which only grows, and the scenario's rebuild schedule,
//! which never changes. So an entry is never stale; and all are bounded, so a worker's memory is.
use crate::error::JobError;
use anyhow::Context;
use documents::Digest;
use documents::merkle::{Hash, Tree};
use lru::LruCache;
use sim::scenario::units::CronSchedule;
use std::hash::Hash as StdHash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{attestations, world};
use tokio::sync::OnceCell;

/// How many components all cached SBOMs may hold together: about 50 MB.
const MAX_COMPONENTS: usize = 500_000;
/// How many bytes all cached statements may have together.
const MAX_STATEMENT_BYTES: usize = 64 << 20;

/// A package in an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its name.
    pub name: Arc<str>,
    /// Its apk version.
    pub version: Arc<str>,
}

/// The packages of an SBOM, in document order.
pub type Packages = Arc<[Package]>;

/// The caches of a worker process, shared by its jobs.
#[derive(Debug)]
pub struct Caches {
    sboms: Mutex<Bounded<String, Packages>>,
    statements: Mutex<Bounded<Digest, Vec<u8>>>,
    log: tokio::sync::Mutex<Tree>,
    rebuild: OnceCell<Option<CronSchedule>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self::new(MAX_COMPONENTS)
    }
}

impl Caches {
    /// Caches that hold SBOMs of at most `max_components` components together.
    pub fn new(max_components: usize) -> Self {
        Caches {
            sboms: Mutex::new(Bounded::new(max_components)),
            statements: Mutex::new(Bounded::new(MAX_STATEMENT_BYTES)),
            log: tokio::sync::Mutex::default(),
            rebuild: OnceCell::new(),
        }
    }

    /// The packages of an SBOM that was seen before.
    pub fn sbom(&self, sha256: &str) -> Option<Packages> {
        locked(&self.sboms).entries.get(sha256).map(|(packages, _)| packages.clone())
    }

    /// Keeps the packages of an SBOM; the least recently used ones make room.
    pub fn keep_sbom(&self, sha256: &str, packages: &Packages) {
        locked(&self.sboms).keep(sha256.to_owned(), Arc::clone(packages), packages.len());
    }

    /// Keeps a signed statement until its bundle is made; the oldest ones make room.
    pub fn keep_statement(&self, sha256: Digest, statement: Vec<u8>) {
        let bytes = statement.len();
        locked(&self.statements).keep(sha256, statement, bytes);
    }

    /// A signed statement that this process made, which is then no longer kept.
    pub fn take_statement(&self, sha256: &Digest) -> Option<Vec<u8>> {
        locked(&self.statements).take(sha256)
    }

    /// The schedule of periodic rebuilds in the scenario of the world that the database holds.
    ///
    /// # Errors
    /// Postgres failed, or there is no world yet.
    pub async fn rebuild_schedule(
        &self,
        conn: &mut sqlx::PgConnection,
    ) -> Result<Option<&CronSchedule>, JobError> {
        let read = self.rebuild.get_or_try_init(|| async {
            let text = world::get(conn).await?.origin.scenario;
            let scenario = sim::scenario::parse("the stored scenario", text.as_bytes());
            Ok::<_, JobError>(scenario.context("reading the rebuild schedule")?.triggers.rebuild)
        });
        Ok(read.await?.as_ref())
    }

    /// The transparency log's tree with at least that many leaves; `first` is its first leaf. What
    /// it lacks is read from the stored leaves.
    ///
    /// # Errors
    /// Postgres failed, or the stored log is shorter than that.
    pub async fn log(
        &self,
        conn: &mut sqlx::PgConnection,
        first: Hash,
        size: u64,
    ) -> Result<tokio::sync::MutexGuard<'_, Tree>, store::error::Error> {
        let mut tree = self.log.lock().await;
        if tree.size() == 0 {
            tree.push(first);
        }
        if tree.size() < size {
            for leaf in attestations::leaf_hashes(conn, tree.size()).await? {
                tree.push(leaf);
            }
        }
        if tree.size() < size {
            return Err(store::error::Error::ShortLog { size: tree.size(), needed: size });
        }
        Ok(tree)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Entries that weigh at most so much together; the least recently used ones make room.
#[derive(Debug)]
struct Bounded<K: StdHash + Eq, V> {
    entries: LruCache<K, (V, usize)>,
    weight: usize,
    limit: usize,
}

impl<K: StdHash + Eq, V> Bounded<K, V> {
    fn new(limit: usize) -> Self {
        Bounded { entries: LruCache::unbounded(), weight: 0, limit }
    }

    fn keep(&mut self, key: K, value: V, weight: usize) {
        if let Some((_, before)) = self.entries.put(key, (value, weight)) {
            self.weight -= before;
        }
        self.weight += weight;
        while self.weight > self.limit
            && let Some((_, (_, oldest))) = self.entries.pop_lru()
        {
            self.weight -= oldest;
        }
    }

    fn take(&mut self, key: &K) -> Option<V> {
        let (value, weight) = self.entries.pop(key)?;
        self.weight -= weight;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(count: usize) -> Packages {
        let package = Package { name: "keel".into(), version: "1.0-r0".into() };
        vec![package; count].into()
    }

    #[test]
    fn the_oldest_make_room() {
        let caches = Caches::new(10);
        caches.keep_sbom("a", &packages(4));
        caches.keep_sbom("b", &packages(4));
        assert!(caches.sbom("a").is_some());
        caches.keep_sbom("c", &packages(4));
        assert!(caches.sbom("b").is_none(), "b was used least recently");
        assert!(caches.sbom("a").is_some() && caches.sbom("c").is_some());
        caches.keep_sbom("c", &packages(6));
        assert!(caches.sbom("a").is_some(), "replacing counts the new size only");
        caches.keep_sbom("huge", &packages(11));
        assert!(caches.sbom("huge").is_none(), "what never fits is not kept");
    }

    #[test]
    fn statements_are_taken_once() {
        let caches = Caches::default();
        let sha256 = Digest::of(b"statement");
        caches.keep_statement(sha256, b"statement".to_vec());
        assert_eq!(caches.take_statement(&sha256).as_deref(), Some(b"statement".as_slice()));
        assert_eq!(caches.take_statement(&sha256), None);
    }
}
