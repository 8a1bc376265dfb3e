//! What a cluster's directory says of itself: which major version of PostgreSQL made it.

use std::{fs, io, path::Path};

use crate::EmbeddedError;

/// The major version that made the cluster, or `None` if there is none yet.
pub(super) fn major_version(pgdata: &Path) -> Result<Option<String>, EmbeddedError> {
    match fs::read_to_string(pgdata.join("PG_VERSION")) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::read_dir(pgdata).is_ok_and(|entries| entries.count() > 0) {
                return Err(EmbeddedError::NotACluster { path: pgdata.into() });
            }
            Ok(None)
        }
        Err(error) => Err(EmbeddedError::io("read", pgdata.join("PG_VERSION"))(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_other_things_is_no_cluster() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(major_version(dir.path()).unwrap(), None);
        assert_eq!(major_version(&dir.path().join("none")).unwrap(), None);
        fs::write(dir.path().join("thesis.txt"), "x").unwrap();
        let error = major_version(dir.path()).unwrap_err();
        assert!(matches!(error, EmbeddedError::NotACluster { .. }), "{error}");
    }
}
