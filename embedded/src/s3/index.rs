//! Where a key's file is, and which keys there are: file names that no key can escape from, and a
//! sorted set of keys that is read from disk at the first listing and kept up to date after it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::format;

/// Directories of files, so that none grows large and writers of different ones do not meet.
pub(super) const SHARDS: usize = 256;
/// File systems allow 255 bytes; this leaves some room.
const LONGEST_NAME: usize = 200;
/// The first byte of a name that does not spell its key out.
const HASHED: char = '~';

/// The place of a key: a shard's number, and a file name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Which directory.
    pub(super) shard: usize,
    /// Which file.
    pub(super) name: String,
}

impl Place {
    /// Where the object with this key is, or would be. Lower-case letters, digits, `-` and `_`
    /// stand for themselves, and `.` but at the front; other bytes are escaped (file systems that
    /// ignore case exist), and a key too long for a name is named by its hash.
    pub(super) fn of(key: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut name = String::with_capacity(key.len() + 8);
        for byte in key.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
                b'.' if !name.is_empty() => name.push('.'),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        if name.len() > LONGEST_NAME {
            name = format!("{HASHED}{}", hex::encode(hash));
        }
        Self { shard: usize::from(hash[0]), name }
    }

    /// The file's path below the bucket's directory.
    pub(super) fn path(&self, bucket: &Path) -> PathBuf {
        shard_path(bucket, self.shard).join(&self.name)
    }
}

/// The directory of a shard.
pub(super) fn shard_path(bucket: &Path, shard: usize) -> PathBuf {
    bucket.join(format!("{shard:02x}"))
}

/// The key that a file name stands for; `None` for a hashed one, and for strangers.
fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.extend(hex::decode(digits).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|key| Place::of(key).name == name)
}

/// The keys of a bucket, sorted.
#[derive(Debug, Default)]
pub(super) struct Keys {
    // `None` until somebody lists.
    known: Mutex<Option<BTreeSet<String>>>,
}

impl Keys {
    fn lock(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        // The set is changed in single steps, so a panic elsewhere leaves it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file with this key has appeared.
    pub(super) fn add(&self, key: &str) {
        if let Some(keys) = self.lock().as_mut() {
            keys.insert(key.to_owned());
        }
    }

    /// The file with this key has gone.
    pub(super) fn remove(&self, key: &str) {
        if let Some(keys) = self.lock().as_mut() {
            keys.remove(key);
        }
    }

    /// Calls `read` with all keys, after reading their names from disk if nobody has yet.
    pub(super) fn with<T>(
        &self,
        bucket: &Path,
        read: impl FnOnce(&BTreeSet<String>) -> T,
    ) -> io::Result<T> {
        let mut known = self.lock();
        let keys = match known.take() {
            Some(keys) => keys,
            None => scan(bucket)?,
        };
        let answer = read(&keys);
        *known = Some(keys);
        Ok(answer)
    }
}

fn scan(bucket: &Path) -> io::Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for shard in 0..SHARDS {
        for entry in fs::read_dir(shard_path(bucket, shard))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(HASHED) {
                // A file that is not whole is no object.
                keys.extend(format::open(&entry.path()).ok().map(|stored| stored.meta.key));
            } else {
                keys.extend(decode(&name));
            }
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_escapes_and_every_name_is_read_back() {
        let long = "k".repeat(1024);
        let keys =
            ["a", "a/b", "a/b/c", "..", "../../etc/passwd", ".x", "A", "é/ü", "%41", "~a", "a b"];
        let mut names = BTreeSet::new();
        for key in keys {
            let name = Place::of(key).name;
            assert!(!name.contains('/') && !name.starts_with('.'), "{key}: {name}");
            assert_eq!(decode(&name).as_deref(), Some(key));
            assert!(names.insert(name.to_lowercase()), "{key}");
        }
        let name = Place::of(&long).name;
        assert!(name.len() < 255 && decode(&name).is_none());
        assert_ne!(name, Place::of(&"k".repeat(1023)).name);
    }
}
