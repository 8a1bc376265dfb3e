//! What the scanned versions hold, as their stored SBOMs say.
use crate::caches::{Package, Packages};
use crate::error::JobError;
use crate::job::JobContext;
use anyhow::{Context, anyhow};
use documents::sbom::{self, MAX_SBOM_BYTES};
use futures::stream::{self, StreamExt, TryStreamExt};
use sim::ids::VersionRef;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use store::artifacts::kind;
use store::objects::content_key;

/// SBOMs that are fetched at the same time.
const CONCURRENT_READS: usize = 8;

/// The packages of each version.
pub(super) struct Inventory {
    by_version: BTreeMap<VersionRef, Packages>,
}

impl Inventory {
    /// Reads the SBOMs of the versions, those not seen before from the object store.
    pub(super) async fn load(
        ctx: &JobContext,
        tx: &mut PgConnection,
        versions: BTreeSet<VersionRef>,
    ) -> Result<Self, JobError> {
        let versions: Vec<_> = versions.into_iter().collect();
        let records = store::images::sboms(tx, &versions, kind::CYCLONEDX).await?;
        let reads = versions.into_iter().zip(records).map(|(version, sha256)| async move {
            let sha256 = sha256.ok_or_else(|| unknown(version))?;
            let packages = read(ctx, &sha256).await.with_context(|| {
                format!("SBOM of image {} version {}", version.image.0, version.version)
            })?;
            anyhow::Ok((version, packages))
        });
        // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
        let reads: Vec<_> = reads.collect();
        let by_version = stream::iter(reads)
            .buffer_unordered(CONCURRENT_READS)
            .try_collect::<BTreeMap<_, _>>()
            .await?;
        Ok(Inventory { by_version })
    }

    /// The packages of a version.
    pub(super) fn packages(&self, version: VersionRef) -> Result<&[Package], JobError> {
        let packages = self.by_version.get(&version).ok_or_else(|| unknown(version))?;
        Ok(packages)
    }

    /// The names of all packages, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let packages = self.by_version.values().flat_map(|packages| packages.iter());
        packages.map(|package| &*package.name).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn unknown(version: VersionRef) -> anyhow::Error {
    anyhow!("image {} version {} has no SBOM", version.image.0, version.version)
}

async fn read(ctx: &JobContext, sha256: &str) -> anyhow::Result<Packages> {
    if let Some(packages) = ctx.caches.sbom(sha256) {
        return Ok(packages);
    }
    let bytes = ctx.objects.get(&content_key(sha256), MAX_SBOM_BYTES as u64).await?;
    let packages: Packages = sbom::parse_components(&bytes)?
        .into_iter()
        .map(|(name, version)| Package { name: name.into(), version: version.into() })
        .collect();
    ctx.caches.keep_sbom(sha256, &packages);
    Ok(packages)
}
