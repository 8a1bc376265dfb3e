//! The files of an export. They may come from anywhere: nothing outside the directory is read, and
//! nothing larger than it can be.
use super::report::{Anchors, Report, anchors};
use crate::evidence::{AUDIT_VERIFIER, LOG_VERIFIER, VersionFiles, WORLD, WorldFile};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read.
pub(super) const MAX_FILE_BYTES: u64 = 128 << 20;
/// How deep the directory of a version goes: `oci/blobs/sha256/<hex>`.
const MAX_DEPTH: usize = 4;

/// Reads a file; nothing if there is none. Links are not followed.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Bytes>, String> {
    let told = |error: std::io::Error| error.to_string();
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(told(error)),
        Ok(meta) if !meta.is_file() => return Err("it is not a plain file".to_owned()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(told)?.take(limit + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(Some(bytes.into()))
}

/// An export.
pub(super) struct Directory {
    path: PathBuf,
    world: WorldFile,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let world = read(&path.join(WORLD), MAX_FILE_BYTES).map_err(anyhow::Error::msg)?;
        let Some(world) = world else {
            bail!("{shown} is no export: it has no {WORLD}\nhint: `wavetank export DIR` writes one")
        };
        let world = serde_json::from_slice(&world)
            .with_context(|| format!("{shown}/{WORLD} cannot be read"))?;
        Ok(Directory { path: path.to_owned(), world })
    }

    pub(super) fn anchors(&self) -> Result<Anchors> {
        anchors(|name| read(&self.path.join(name), MAX_FILE_BYTES).ok().flatten())
    }

    /// The names in `world.json` are those of the keys.
    pub(super) fn compare_names(&self, anchors: &Anchors, report: &mut Report) {
        let identity = &anchors.identity;
        if identity.log_verifier.name() != self.world.log_origin {
            report.problem(LOG_VERIFIER, format!("its name is not that of the log in {WORLD}"));
        }
        if identity.audit_verifier.name() != self.world.audit_origin {
            report.problem(AUDIT_VERIFIER, format!("its name is not that of the log in {WORLD}"));
        }
    }

    /// The directories of versions, in order.
    pub(super) fn versions(&self) -> Result<Vec<String>> {
        let mut places = Vec::new();
        for image in subdirectories(&self.path.join("images"))? {
            for version in subdirectories(&self.path.join("images").join(&image))? {
                places.push(format!("images/{image}/{version}"));
            }
        }
        Ok(places)
    }

    /// The files of one version.
    pub(super) fn version(&self, place: &str) -> Result<VersionFiles> {
        let mut files = VersionFiles { place: place.to_owned(), ..VersionFiles::default() };
        gather(&self.path.join(place), "", MAX_DEPTH, &mut files)?;
        Ok(files)
    }

    /// The advisories can be read, each stands in the file of its name, and there are as many as
    /// the world has: none, and so no directory, where nothing was disclosed.
    pub(super) fn check_advisories(&self, report: &mut Report) -> Result<()> {
        let directory = self.path.join("osv");
        let mut names = Vec::new();
        if directory.is_dir() {
            for entry in fs::read_dir(&directory).context("osv cannot be read")? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        } else if self.world.advisories.is_none() {
            // Written by an earlier release, which did not count them, but always had some.
            report.problem("osv", "it is missing");
        }
        names.sort_unstable();
        let found = names.len();
        if let Some(expected) = self.world.advisories.filter(|expected| *expected != found) {
            report.problem("osv", format!("it holds {found} advisories, the world {expected}"));
        }
        for name in names {
            let place = format!("osv/{name}");
            let record = match read(&directory.join(&name), MAX_FILE_BYTES) {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(why) => {
                    report.problem(place, why);
                    continue;
                }
            };
            let id = serde_json::from_slice::<serde_json::Value>(&record)
                .ok()
                .and_then(|record| Some(record.get("id")?.as_str()?.to_owned()));
            report.documents += 1;
            if id.as_deref() != name.strip_suffix(".json") {
                report.problem(place, "it is not the OSV record of its name");
            }
        }
        Ok(())
    }
}

fn subdirectories(path: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    // Versions by number, everything else by name.
    names.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Ok(names)
}

fn gather(path: &Path, prefix: &str, depth: usize, files: &mut VersionFiles) -> Result<()> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            if depth > 1 {
                gather(&entry.path(), &format!("{name}/"), depth - 1, files)?;
            }
            continue;
        }
        match read(&entry.path(), MAX_FILE_BYTES) {
            Ok(bytes) => {
                files.files.insert(name, bytes.unwrap_or_default());
            }
            Err(why) => files.unreadable.push((name, why)),
        }
    }
    files.unreadable.sort_unstable();
    Ok(())
}
