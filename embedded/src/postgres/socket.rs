//! The directory of the server's unix socket: short, because a socket's path has at most 107
//! bytes and data directories are often deeper, and private, because who reaches it is trusted.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::account::Account;
use crate::EmbeddedError;

/// The name that PostgreSQL gives the socket, by port number; there is no such TCP port.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";
const LOCK: &str = ".s.PGSQL.5432.lock";
const PREFIX: &str = "wavetank-";
const LONGEST: usize = 107;

/// A temporary directory that goes with this value.
#[derive(Debug)]
pub(super) struct SocketDir {
    dir: TempDir,
    record: PathBuf,
}

impl SocketDir {
    /// Makes the directory, and removes the one that a killed process left, which it had noted in
    /// `<data_dir>/postgres.socket`.
    pub(super) fn create(data_dir: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        let record = data_dir.join("postgres.socket");
        remove_leftover(&record);
        let mut tried = Vec::new();
        for base in [env::temp_dir(), "/tmp".into(), "/var/tmp".into()] {
            match Self::create_in(&base, account) {
                Ok(dir) => {
                    fs::write(&record, format!("{}\n", dir.path().display()))
                        .map_err(EmbeddedError::io("write", &record))?;
                    return Ok(Self { dir, record });
                }
                Err(why) => tried.push(format!("{} ({why})", base.display())),
            }
        }
        Err(EmbeddedError::NoSocketDir { tried: tried.join(", ") })
    }

    fn create_in(base: &Path, account: &Account) -> Result<TempDir, String> {
        let base = base.canonicalize().map_err(|error| error.to_string())?;
        if let Some(obstacle) = account.obstacle(&base) {
            return Err(format!("{} keeps user {} out", obstacle.display(), account.name));
        }
        // The directory is made with mode 0700.
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&base)
            .map_err(|error| error.to_string())?;
        if dir.path().join(SOCKET).as_os_str().len() > LONGEST {
            return Err("too long".to_owned());
        }
        account.own(dir.path()).map_err(|error| error.to_string())?;
        Ok(dir)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for SocketDir {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.record);
    }
}

/// Takes away what a killed process left behind, and nothing else: only a directory with our
/// prefix, of our own or our server's user, and in it only the names PostgreSQL uses.
pub(super) fn remove_leftover(record: &Path) {
    let Ok(text) = fs::read_to_string(record) else { return };
    let dir = Path::new(text.trim());
    let ours = dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    let trusted = match (fs::symlink_metadata(dir), fs::metadata(record)) {
        (Ok(found), Ok(record)) => {
            found.is_dir() && (record.uid() == 0 || record.uid() == found.uid())
        }
        _ => false,
    };
    if ours && trusted {
        let _ = fs::remove_file(dir.join(SOCKET));
        let _ = fs::remove_file(dir.join(LOCK));
        let _ = fs::remove_dir(dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_base_is_left_for_a_short_one() {
        let base = tempfile::tempdir().unwrap();
        let account = Account::choose(&base.path().join("none")).unwrap();
        let deep = base.path().join("d".repeat(90));
        fs::create_dir(&deep).unwrap();
        assert!(SocketDir::create_in(&deep, &account).is_err());
        assert!(SocketDir::create_in(Path::new("/tmp"), &account).is_ok());
    }

    #[test]
    fn a_leftover_directory_is_removed_and_a_strange_one_is_not() {
        let base = tempfile::tempdir().unwrap();
        let record = base.path().join("postgres.socket");
        for (name, gone) in [("wavetank-left", true), ("precious", false)] {
            let dir = base.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join(SOCKET), "").unwrap();
            fs::write(&record, format!("{}\n", dir.display())).unwrap();
            remove_leftover(&record);
            assert_eq!(!dir.exists(), gone, "{name}");
        }
    }
}
