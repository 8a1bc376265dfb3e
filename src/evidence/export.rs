//! Writes the evidence of a world to a directory that stands by itself.
use super::answers::answers;
use super::{Collector, SPDX, SPDX_3, pretty};
use anyhow::{Context, Result, bail};
use documents::forgeries;
use std::path::Path;
use store::logs::Log;
use store::read::evidence::Which;
use tokio::fs;

/// The largest tile or checkpoint that is read.
const MAX_TILE_BYTES: u64 = 64 << 20;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Images.
    pub images: usize,
    /// Versions of them.
    pub versions: usize,
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Writes a world to a directory that does not exist yet or is empty; `progress` is told how many
/// versions are done.
///
/// # Errors
/// The directory holds something, a document cannot be read, or the disk does not take it.
pub async fn export(
    world: &Collector,
    directory: &Path,
    all_versions: bool,
    progress: impl Fn(usize, usize),
) -> Result<Exported> {
    let mut out = Writer::open(directory).await?;
    let which = if all_versions { Which::All } else { Which::Current };
    let versions = world.versions(which).await?;
    for (name, bytes) in world.world_files(&versions).await? {
        out.write(&name, &bytes).await?;
    }
    out.write("answers.json", &pretty(&answers(world, which, &versions).await?)?).await?;
    out.write("README.md", README.as_bytes()).await?;
    for log in Log::ALL {
        for object in world.objects.list(log.prefix()).await? {
            let bytes = world.objects.get(&object.key, MAX_TILE_BYTES).await?;
            out.write(&object.key, &bytes).await?;
        }
    }
    let mut images: Vec<_> = versions.iter().map(|row| row.image_id).collect();
    images.dedup();
    out.done.images = images.len();
    for batch in Collector::batches(&versions) {
        for files in world.version_files(batch).await? {
            if let Some((name, why)) = files.unreadable.first() {
                bail!("{}/{name} cannot be exported: {why}", files.place);
            }
            for (name, bytes) in &files.files {
                out.write(&format!("{}/{name}", files.place), bytes).await?;
            }
            if let Some(spdx) = files.files.get(SPDX) {
                let spdx3 = world.spdx3(spdx).await.with_context(|| files.place.clone())?;
                out.write(&format!("{}/{SPDX_3}", files.place), &spdx3).await?;
            }
            out.done.versions += 1;
            progress(out.done.versions, versions.len());
        }
    }
    Ok(out.done)
}

/// Writes the catalogue of forgeries to a directory that does not exist yet or is empty.
///
/// # Errors
/// The directory holds something, the world has not signed enough yet, or the disk does not take it.
pub async fn export_forgeries(world: &Collector, directory: &Path) -> Result<Exported> {
    let mut out = Writer::open(directory).await?;
    let mut conn = world.pool.acquire().await?;
    let evidence = store::forgeries::evidence(&mut conn, &world.objects, &world.origin).await?;
    drop(conn);
    out.write(forgeries::INDEX, &forgeries::index()?).await?;
    for case in forgeries::make(&evidence)? {
        for (name, bytes) in &case.files {
            out.write(&format!("{}/{name}", case.name), bytes).await?;
        }
    }
    Ok(out.done)
}

struct Writer<'a> {
    directory: &'a Path,
    done: Exported,
}

impl<'a> Writer<'a> {
    /// Into a directory that does not exist yet, or is empty.
    async fn open(directory: &'a Path) -> Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory).await.with_context(|| format!("cannot make {shown}"))?;
        let inside = fs::read_dir(directory).await;
        let mut inside = inside.with_context(|| format!("cannot read {shown}"))?;
        if inside.next_entry().await?.is_some() {
            bail!("{shown} is not empty\nhint: name a directory that does not exist yet");
        }
        Ok(Writer { directory, done: Exported::default() })
    }

    /// Names are made by us alone: of image names that scenarios allow, digests and numbers.
    async fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.directory.join(name);
        let shown = path.display();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.with_context(|| format!("cannot make {shown}"))?;
        }
        fs::write(&path, bytes).await.with_context(|| format!("cannot write {shown}"))?;
        self.done.files += 1;
        self.done.bytes += bytes.len() as u64;
        Ok(())
    }
}

const README: &str = include_str!("export/README.md");
