//! Whose rights the server runs with: PostgreSQL refuses root and users without a name, so root
//! must find somebody else, and that user must get to the files.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User, geteuid};

use crate::EmbeddedError;

/// The user that owns and runs the cluster.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Its name, for messages.
    pub(super) name: String,
    uid: u32,
    gid: u32,
    /// Whether this process is root and must change to that user.
    drop_to: bool,
}

impl Account {
    /// Ourselves; or, for root, the owner of the existing cluster, `postgres`, or `nobody`.
    pub(super) fn choose(pgdata: &Path) -> Result<Self, EmbeddedError> {
        let us = geteuid();
        let owner = match fs::metadata(pgdata) {
            Ok(found) => Some(found.uid()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(EmbeddedError::io("look at", pgdata)(error)),
        };
        if !us.is_root() {
            if let Some(owner) = owner.filter(|owner| *owner != us.as_raw()) {
                return Err(wrong_owner(pgdata, owner));
            }
            return Self::by_id(us, false);
        }
        match owner {
            Some(0) => Err(wrong_owner(pgdata, 0)),
            Some(owner) => Self::by_id(Uid::from_raw(owner), true),
            None => ["postgres", "nobody"]
                .iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .map(|user| Self::of(&user, true))
                .ok_or(EmbeddedError::NoServerAccount),
        }
    }

    fn by_id(uid: Uid, drop_to: bool) -> Result<Self, EmbeddedError> {
        let user = User::from_uid(uid).ok().flatten();
        user.map(|user| Self::of(&user, drop_to))
            .ok_or(EmbeddedError::NoAccountName { uid: uid.as_raw() })
    }

    fn of(user: &User, drop_to: bool) -> Self {
        Self { name: user.name.clone(), uid: user.uid.as_raw(), gid: user.gid.as_raw(), drop_to }
    }

    /// A command that runs as this user, in a process group of its own (a Ctrl-C on the terminal
    /// is ours to handle) and without the environment's `PG*` variables.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.process_group(0);
        if self.drop_to {
            // The standard library drops the supplementary groups with it.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes the path this user's own.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.drop_to {
            chown(path, Some(self.uid), Some(self.gid))
                .map_err(EmbeddedError::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// The first directory on the way to `target`, itself included, that keeps this user out, as
    /// far as permission bits tell.
    pub(super) fn obstacle(&self, target: &Path) -> Option<PathBuf> {
        let mut way: Vec<&Path> = target.ancestors().collect();
        way.reverse();
        way.into_iter().find(|dir| !self.passes(dir)).map(Path::to_owned)
    }

    fn passes(&self, dir: &Path) -> bool {
        let Ok(found) = fs::metadata(dir) else { return false };
        let bit = match (found.uid() == self.uid, found.gid() == self.gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        found.permissions().mode() & bit != 0
    }

    /// The error for a target that this user turned out not to reach.
    pub(super) fn unreachable(&self, target: &Path) -> EmbeddedError {
        EmbeddedError::Unreachable {
            account: self.name.clone(),
            obstacle: self.obstacle(target).unwrap_or_else(|| target.to_owned()),
            target: target.to_owned(),
        }
    }
}

fn wrong_owner(path: &Path, owner: u32) -> EmbeddedError {
    EmbeddedError::WrongOwner { path: path.into(), owner, us: geteuid().as_raw() }
}
