//! Objects as files. Whatever happens, an object is there whole or not at all: it is written under
//! a temporary name and then renamed, and a full disk ends before the rename.
//!
//! ```text
//! <dir>/credentials.json         <dir>/tmp/       cleared at every start
//! <dir>/buckets/<bucket>/<shard, 00 to ff>/<name of the key>
//! ```
//!
//! Durable means: the bytes are flushed before the rename, and the directory after it, before the
//! put is answered. Writers of different shards flush side by side, and file systems join such
//! flushes into one, so it costs throughput little when several puts are under way.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::SystemTime,
};

use tempfile::NamedTempFile;

use super::{
    Durability,
    format::{self, Meta, Stored},
    index::{Keys, Place, SHARDS, shard_path},
};
use crate::EmbeddedError;

/// All buckets. Its methods block: call them where blocking is allowed.
#[derive(Debug)]
pub(super) struct Files {
    tmp: PathBuf,
    root: PathBuf,
    durability: Durability,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
}

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    path: PathBuf,
    created: SystemTime,
    durability: Durability,
    tmp: PathBuf,
    keys: Keys,
    // Held while a name appears or goes, so that the set of keys follows the directory.
    shards: Vec<Mutex<()>>,
}

/// When a put may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always.
    None,
    /// If the key has no object.
    Absent,
    /// If the key has an object.
    Present,
    /// If the key's object has this tag.
    Tag(String),
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// The object is there.
    Done,
    /// The condition did not hold; nothing changed.
    Refused,
    /// The condition names a tag, and the key has no object.
    Missing,
}

impl Files {
    /// Opens the store, and removes what writers that were killed left behind.
    pub(super) fn open(dir: &Path, durability: Durability) -> Result<Self, EmbeddedError> {
        let create = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        let tmp = dir.join("tmp");
        let root = dir.join("buckets");
        create(dir).map_err(EmbeddedError::io("create", dir))?;
        match fs::remove_dir_all(&tmp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EmbeddedError::io("clear", tmp)(error));
            }
            _ => {}
        }
        create(&tmp).map_err(EmbeddedError::io("create", &tmp))?;
        create(&root).map_err(EmbeddedError::io("create", &root))?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(&root).map_err(EmbeddedError::io("read", &root))? {
            let entry = entry.map_err(EmbeddedError::io("read", &root))?;
            if let Ok(name) = entry.file_name().into_string() {
                let bucket = Bucket::new(entry.path(), &tmp, durability);
                buckets.insert(name, Arc::new(bucket));
            }
        }
        Ok(Self { tmp, root, durability, buckets: RwLock::new(buckets) })
    }

    /// The bucket with this name.
    pub(super) fn bucket(&self, name: &str) -> Option<Arc<Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All buckets: name and when it was made.
    pub(super) fn buckets(&self) -> Vec<(String, SystemTime)> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.iter().map(|(name, bucket)| (name.clone(), bucket.created)).collect()
    }

    /// Makes a bucket; `false` if it is there already.
    pub(super) fn create_bucket(&self, name: &str) -> io::Result<bool> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Ok(false);
        }
        let making = tempfile::Builder::new().tempdir_in(&self.tmp)?;
        for shard in 0..SHARDS {
            DirBuilder::new().mode(0o700).create(shard_path(making.path(), shard))?;
        }
        self.durability.sync_dir(making.path())?;
        let path = self.root.join(name);
        fs::rename(making.path(), &path)?;
        // It is no temporary directory any more.
        let _ = making.keep();
        self.durability.sync_dir(&self.root)?;
        let bucket = Bucket::new(path, &self.tmp, self.durability);
        buckets.insert(name.to_owned(), Arc::new(bucket));
        Ok(true)
    }

    /// A file to write an object to before its key is known to be free.
    pub(super) fn temporary(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.tmp)
    }
}

impl Durability {
    fn sync_dir(self, path: &Path) -> io::Result<()> {
        if self == Self::Synced { File::open(path)?.sync_all() } else { Ok(()) }
    }
}

impl Bucket {
    fn new(path: PathBuf, tmp: &Path, durability: Durability) -> Self {
        let created = fs::metadata(&path).and_then(|found| found.modified());
        Self {
            created: created.unwrap_or(SystemTime::UNIX_EPOCH),
            path,
            durability,
            tmp: tmp.to_owned(),
            keys: Keys::default(),
            shards: (0..SHARDS).map(|_| Mutex::new(())).collect(),
        }
    }

    fn lock(&self, place: &Place) -> MutexGuard<'_, ()> {
        self.shards[place.shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an object. A file that is not whole (a power cut, without durability) is no object.
    pub(super) fn get(&self, key: &str) -> io::Result<Option<Stored>> {
        match format::open(&Place::of(key).path(&self.path)) {
            Ok(stored) if stored.meta.key == key => Ok(Some(stored)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::warn!(key, %error, "an object counts as absent");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the condition holds now; `None` says it does.
    fn refusal(&self, key: &str, condition: &Condition) -> io::Result<Option<Put>> {
        Ok(match (condition, self.get(key)?) {
            (Condition::None, _) | (Condition::Absent, None) | (Condition::Present, Some(_)) => {
                None
            }
            (Condition::Tag(_) | Condition::Present, None) => Some(Put::Missing),
            (Condition::Tag(tag), Some(found)) if *tag == found.meta.etag => None,
            (Condition::Tag(_) | Condition::Absent, Some(_)) => Some(Put::Refused),
        })
    }

    /// Puts an object whose bytes are in memory.
    pub(super) fn put(&self, bytes: &[u8], meta: &Meta, condition: &Condition) -> io::Result<Put> {
        // Look first: a refused put need not write.
        if *condition != Condition::None
            && let Some(refused) = self.refusal(&meta.key, condition)?
        {
            return Ok(refused);
        }
        let mut file = NamedTempFile::new_in(&self.tmp)?;
        file.write_all(bytes)?;
        self.finish(file, bytes.len() as u64, meta, condition)
    }

    /// Puts an object whose `size` bytes are in a temporary file already.
    pub(super) fn finish(
        &self,
        mut file: NamedTempFile,
        size: u64,
        meta: &Meta,
        condition: &Condition,
    ) -> io::Result<Put> {
        file.write_all(&format::trailer(meta, size)?)?;
        if self.durability == Durability::Synced {
            file.as_file().sync_data()?;
        }
        let place = Place::of(&meta.key);
        {
            // All names of the shard appear and go under this lock, so that what the condition
            // sees is still so when the name appears.
            let _lock = self.lock(&place);
            if *condition != Condition::None
                && let Some(refused) = self.refusal(&meta.key, condition)?
            {
                return Ok(refused);
            }
            file.persist(place.path(&self.path))?;
            self.keys.add(&meta.key);
        }
        self.durability.sync_dir(&shard_path(&self.path, place.shard))?;
        Ok(Put::Done)
    }

    /// Deletes an object; it is no error if there is none.
    pub(super) fn delete(&self, key: &str) -> io::Result<()> {
        let place = Place::of(key);
        {
            let _lock = self.lock(&place);
            match fs::remove_file(place.path(&self.path)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            }
            self.keys.remove(key);
        }
        self.durability.sync_dir(&shard_path(&self.path, place.shard))
    }

    /// The keys, and the directory they are read from at the first time.
    pub(super) fn list<T>(
        &self,
        read: impl FnOnce(&std::collections::BTreeSet<String>) -> T,
    ) -> io::Result<T> {
        self.keys.with(&self.path, read)
    }
}
