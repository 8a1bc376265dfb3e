//! The data directory: one place for everything an embedded world keeps, and a lock that keeps
//! two processes off it, because two servers on one set of files would ruin both.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::EmbeddedError;

const LOCK_FILE: &str = "wavetank.lock";

/// An existing, writable data directory that no other process uses while this value lives.
///
/// The kernel drops the lock with the process, however it ends: a stale lock file never blocks.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory if need be, and locks it.
    ///
    /// # Errors
    /// When the path is no directory, cannot be made or written, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, EmbeddedError> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                return Err(EmbeddedError::NotADirectory { path: path.into() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
            Err(error) => return Err(unusable(path, error)),
        }
        let path = path.canonicalize().map_err(|error| unusable(path, error))?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// What a private file of the directory holds; none when there is no such file.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn private(&self, name: &str) -> Result<Option<String>, EmbeddedError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &path)(error)),
        }
    }

    /// Writes a file that only this user can read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_private(&self, name: &str, text: &str) -> Result<(), EmbeddedError> {
        let path = self.path.join(name);
        let write = || -> io::Result<()> {
            // Temporary files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(EmbeddedError::io("write", &path))
    }

    /// The directory, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn unusable(path: &Path, source: io::Error) -> EmbeddedError {
    match source.kind() {
        // A file stands where a parent directory should.
        io::ErrorKind::NotADirectory => EmbeddedError::NotADirectory { path: path.into() },
        _ => EmbeddedError::DataDirUnusable { path: path.into(), source },
    }
}

/// Private to its user; passable for others when that is root, whose PostgreSQL runs as another
/// user and must get to its cluster. What lies inside is private in its own right.
fn create(path: &Path) -> Result<(), EmbeddedError> {
    let root = nix::unistd::geteuid().is_root();
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|error| unusable(path, error))?;
    }
    let made = fs::DirBuilder::new().mode(if root { 0o711 } else { 0o700 }).create(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|error| unusable(path, error)),
    }
}

fn lock(path: &Path) -> Result<File, EmbeddedError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join(LOCK_FILE))
        .map_err(|error| unusable(path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = holder(&mut file).unwrap_or_else(|| "(unknown)".to_owned());
            return Err(EmbeddedError::DataDirInUse { path: path.into(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(path, error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|error| unusable(path, error))?;
    Ok(file)
}

/// The process id in the lock file. The holder writes it just after it took the lock.
fn holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse::<u32>().ok().map(|pid| pid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_directory_and_its_parents() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/b/data");
        let dir = DataDir::open(&path).unwrap();
        assert!(dir.path().is_dir());
        assert!(dir.path().is_absolute());
    }

    #[test]
    fn the_second_holder_is_told_who_has_it() {
        let base = tempfile::tempdir().unwrap();
        let first = DataDir::open(base.path()).unwrap();
        let message = DataDir::open(base.path()).unwrap_err().to_string();
        assert!(message.contains(&base.path().display().to_string()), "{message}");
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert!(message.lines().nth(1).unwrap().starts_with("hint: "), "{message}");
        drop(first);
        DataDir::open(base.path()).unwrap();
    }

    #[test]
    fn a_file_is_no_data_directory() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = DataDir::open(&path).unwrap_err();
            assert!(matches!(error, EmbeddedError::NotADirectory { .. }), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"x");
    }

    #[test]
    fn an_unwritable_place_is_named() {
        // /proc refuses new entries even to root.
        let error = DataDir::open(Path::new("/proc/wavetank/data")).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("/proc/wavetank/data"), "{message}");
        assert_eq!(message.lines().count(), 2, "{message}");
    }
}
