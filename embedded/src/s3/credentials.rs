//! The key that signs requests to the endpoint: on loopback too, other users of the machine must
//! not read or change a world.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::EmbeddedError;

/// An access key and its secret.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credentials {
    /// Names the key.
    pub(super) access_key: String,
    /// Signs with it.
    pub(super) secret_key: String,
}

impl Credentials {
    /// The key in the file; a new one is made, once, if there is none.
    pub(super) fn load_or_create(path: &Path) -> Result<Self, EmbeddedError> {
        match fs::read(path) {
            Ok(bytes) => {
                let damaged = |reason| EmbeddedError::S3Credentials { path: path.into(), reason };
                let found: Self =
                    serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
                if found.access_key.is_empty() || found.secret_key.is_empty() {
                    return Err(damaged("a key is empty".to_owned()));
                }
                // Also after a copy or a restored backup.
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))
                    .map_err(EmbeddedError::io("make private", path))?;
                Ok(found)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::create(path).map_err(EmbeddedError::io("write", path))
            }
            Err(error) => Err(EmbeddedError::io("read", path)(error)),
        }
    }

    fn create(path: &Path) -> io::Result<Self> {
        let made = Self {
            access_key: format!("WT{}", hex::encode_upper(random::<9>()?)),
            secret_key: hex::encode(random::<32>()?),
        };
        // Temporary files are made with mode 0600.
        let dir = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        serde_json::to_writer(&mut file, &made)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(made)
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.json");
        let made = Credentials::load_or_create(&path).unwrap();
        assert_eq!(made.secret_key.len(), 64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let again = Credentials::load_or_create(&path).unwrap();
        assert_eq!(again.access_key, made.access_key);
        assert_eq!(again.secret_key, made.secret_key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.json");
        fs::write(&path, "{").unwrap();
        let message = Credentials::load_or_create(&path).err().unwrap().to_string();
        assert!(message.contains("credentials.json"), "{message}");
    }
}
