//! Gathers the evidence of a world from its rows and objects, under the names of an export.
use super::{
    AUDIT_VERIFIER, BUILD_LOG, CYCLONEDX, FORMAT, IMAGE, ImageFile, LOG_KEY, LOG_VERIFIER, OPENVEX,
    PROVENANCE, RetentionFile, SIGNER_KEY, SLSA, SPDX, SlsaFile, TRUSTED_BUILDERS, TRUSTED_ROOT,
    TrustedBuilderFile, VersionFiles, WORLD, WorldFile, blob_file, bundle_file, pretty,
};
use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use documents::keys::PublicKey;
use documents::osv::{self, Advisory};
use documents::scanner_db::{self, DatabaseFile};
use documents::statement::PredicateType;
use documents::world_keys::{WorldIdentity, WorldKeys};
use documents::{Distribution, Timestamp, oci, spdx3, trusted_root};
use futures::stream::{self, StreamExt};
use sim::time::SimTime;
use sqlx::{PgConnection, PgPool};
use std::collections::{BTreeMap, BTreeSet};
use store::artifacts::kind;
use store::logs::Log;
use store::objects::{ObjectStore, content_key};
use store::read::evidence::{VersionRow, Which, advisories, bundles, documents, known, versions};
use store::retention::{self, leaves::expired_tiles};
use store::slsa;
use store::world::{self, Origin};

/// The largest document that is read.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 128 << 20;
/// Versions whose rows are read at once.
const BATCH: usize = 64;
/// Objects that are read at the same time.
pub(super) const CONCURRENT_READS: usize = 8;

/// A world whose evidence is gathered, as of the instant up to which all its work is done.
#[derive(Debug)]
pub struct Collector {
    pub(super) pool: PgPool,
    pub(super) objects: ObjectStore,
    pub(super) origin: Origin,
    pub(super) identity: WorldIdentity,
    pub(super) as_of: DateTime<Utc>,
    pub(super) distribution: Distribution,
}

impl Collector {
    /// The world of a database and its object store.
    ///
    /// # Errors
    /// There is no world, or the services fail.
    pub async fn open(pool: PgPool, objects: ObjectStore) -> Result<Self> {
        let record = world::get(&mut *pool.acquire().await?).await?;
        let origin = record.origin;
        let mut identity = WorldKeys::of(&origin.scenario_sha256, origin.seed, None)?.identity;
        identity.signer =
            PublicKey::from_pem(&origin.signer_key).context("the world's signing key")?;
        let as_of = record.materialized.at.to_datetime().context("the world's instant")?;
        let name = &origin.distribution;
        let distribution = Distribution::named(name);
        let distribution =
            distribution.with_context(|| format!("the distribution {name} is unknown"))?;
        Ok(Collector { pool, objects, origin, identity, as_of, distribution })
    }

    /// The same world as it was known at an instant of its past.
    ///
    /// # Errors
    /// The instant lies before the world or its history, or in its future.
    pub async fn at(mut self, instant: DateTime<Utc>) -> Result<Self> {
        let begins = self.origin.starts_at.to_datetime().context("the world's beginning")?;
        let kept = retention::history_from(&mut *self.pool.acquire().await?).await?;
        let from = kept.map_or(begins, |kept| kept.max(begins));
        if instant < from || instant > self.as_of {
            let (from, to) = (from.to_rfc3339(), self.as_of.to_rfc3339());
            bail!("{} is not in the world's history, {from} to {to}", instant.to_rfc3339());
        }
        self.as_of = instant;
        Ok(self)
    }

    /// Whether its documents are signed with that key.
    pub fn is_signed_with(&self, key: &PublicKey) -> bool {
        self.identity.signer == *key
    }

    pub(super) async fn versions(&self, which: Which<'_>) -> Result<Vec<VersionRow>> {
        Ok(versions(&mut *self.pool.acquire().await?, self.as_of, which).await?)
    }

    /// What the world no longer keeps; none when it keeps all.
    async fn retention(&self) -> Result<Option<RetentionFile>> {
        let mut conn = self.pool.acquire().await?;
        let Some(history_from) = retention::history_from(&mut conn).await? else {
            return Ok(None);
        };
        Ok(Some(RetentionFile {
            history_from: Some(history_from),
            log_bundles: expired_tiles(&mut conn, Log::Transparency).await?,
            audit_bundles: expired_tiles(&mut conn, Log::Audit).await?,
        }))
    }

    /// The files about the world as a whole, but for its logs.
    pub(super) async fn world_files(
        &self,
        versions: &[VersionRow],
    ) -> Result<BTreeMap<String, Bytes>> {
        let identity = &self.identity;
        let images: BTreeSet<_> = versions.iter().map(|row| row.image_id).collect();
        let mut conn = self.pool.acquire().await?;
        let advisories = known(&advisories(&mut conn, self.as_of).await?)?;
        let world = WorldFile {
            format: FORMAT.to_owned(),
            name: self.origin.name.clone(),
            seed: self.origin.seed.to_string(),
            scenario_sha256: self.origin.scenario_sha256.clone(),
            as_of: self.as_of,
            log_origin: identity.log_verifier.name().to_owned(),
            rekor_origin: identity.rekor_origin.clone(),
            audit_origin: identity.audit_verifier.name().to_owned(),
            signer_key_id: identity.signer.id().hex(),
            images: images.len(),
            versions: versions.len(),
            retention: self.retention().await?,
            advisories: Some(advisories.len()),
        };
        let start = timestamp(self.origin.starts_at)?;
        let root = trusted_root::document(&identity.log_url(), &identity.log, start)?;
        let mut files = BTreeMap::from([
            (WORLD.to_owned(), pretty(&world)?),
            ("scenario.yaml".to_owned(), self.origin.scenario.clone().into()),
            (TRUSTED_ROOT.to_owned(), root.into()),
            (SIGNER_KEY.to_owned(), identity.signer.pem().to_owned().into()),
            (LOG_KEY.to_owned(), identity.log.pem().to_owned().into()),
            (LOG_VERIFIER.to_owned(), format!("{}\n", identity.log_verifier).into()),
            (AUDIT_VERIFIER.to_owned(), format!("{}\n", identity.audit_verifier).into()),
        ]);
        let builders = trusted_builders(&mut conn, &identity.signer.id().hex()).await?;
        files.insert(TRUSTED_BUILDERS.to_owned(), pretty(&builders)?);
        for advisory in &advisories {
            let record = osv::record(advisory, self.distribution)?;
            files.insert(format!("osv/{}.json", advisory.id), record.into());
        }
        for database in self.databases(advisories).await? {
            files.insert(format!("scanners/{}", database.path), database.bytes.into());
        }
        Ok(files)
    }

    /// The databases of scanners: pure computation, which must not hold up the runtime.
    async fn databases(&self, advisories: Vec<Advisory>) -> Result<Vec<DatabaseFile>> {
        let distribution = self.distribution;
        let as_of = Timestamp::from_ms(self.as_of.timestamp_millis())?;
        let made = tokio::task::spawn_blocking(move || {
            scanner_db::files(&advisories, distribution, as_of)
        });
        Ok(made.await.context("making the databases of scanners")??)
    }

    /// The files of versions, in their order, a batch at a time.
    pub(super) async fn version_files(&self, rows: &[VersionRow]) -> Result<Vec<VersionFiles>> {
        let mut conn = self.pool.acquire().await?;
        let builds: Vec<_> = rows.iter().map(|row| row.build_id).collect();
        let keys: Vec<_> = rows.iter().map(|row| (row.image_id, row.version)).collect();
        let documents = documents(&mut conn, &builds).await?;
        let bundles = bundles(&mut conn, self.as_of, &keys).await?;
        drop(conn);
        let mut wanted = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let of_build = documents.iter().filter(|document| document.build_id == row.build_id);
            for document in of_build {
                if let Some(name) = document_file(&document.kind, &document.sha256) {
                    wanted.push((place, name, document.sha256.clone()));
                }
            }
            let of_version = bundles
                .iter()
                .filter(|bundle| (bundle.image_id, bundle.version) == (row.image_id, row.version));
            for bundle in of_version {
                let Some(kind) = PredicateType::from_uri(&bundle.predicate_type) else { continue };
                if let Some(sha256) = &bundle.sha256 {
                    wanted.push((place, bundle_file(kind.as_str()), sha256.clone()));
                }
                if let (PredicateType::OpenVex, Some(sha256)) = (kind, &bundle.document_sha256) {
                    wanted.push((place, OPENVEX.to_owned(), sha256.clone()));
                }
            }
        }
        let mut all = rows.iter().map(told).collect::<Result<Vec<_>>>()?;
        let reads = wanted.into_iter().map(|(place, name, sha256)| async move {
            let read = self.objects.get(&content_key(&sha256), MAX_DOCUMENT_BYTES).await;
            (place, name, read)
        });
        // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
        let reads: Vec<_> = reads.collect();
        let mut reads = stream::iter(reads).buffer_unordered(CONCURRENT_READS);
        while let Some((place, name, read)) = reads.next().await {
            let files: &mut VersionFiles =
                all.get_mut(place).ok_or_else(|| anyhow!("no version {place}"))?;
            match read {
                Ok(bytes) => {
                    files.files.insert(name, bytes);
                }
                Err(error) => files.unreadable.push((name, error.to_string())),
            }
        }
        for (files, row) in all.iter_mut().zip(rows) {
            files.unreadable.sort_unstable();
            lay_out(files, row)?;
        }
        Ok(all)
    }

    /// The SPDX 3 document of a version, from its SPDX 2.3 document. The manifests that this names,
    /// the image's and its base's, are read for what 3 says of them beyond that.
    pub(super) async fn spdx3(&self, spdx: &[u8]) -> Result<Vec<u8>> {
        let mut manifests = BTreeMap::new();
        for digest in spdx3::images(spdx)? {
            let manifest = self.objects.get(&content_key(&digest.hex()), MAX_DOCUMENT_BYTES).await;
            let manifest = manifest.with_context(|| format!("the manifest {digest}"))?;
            manifests.insert(digest, spdx3::sha512(&manifest));
        }
        Ok(spdx3::document(spdx, &manifests)?)
    }

    /// The SHA-256 of the bundles that stand for these versions: the newest of each kind.
    pub(super) async fn newest_bundles(&self, rows: &[VersionRow]) -> Result<BTreeSet<String>> {
        let mut conn = self.pool.acquire().await?;
        let mut newest = BTreeSet::new();
        for batch in Self::batches(rows) {
            let keys: Vec<_> = batch.iter().map(|row| (row.image_id, row.version)).collect();
            let bundles = bundles(&mut conn, self.as_of, &keys).await?;
            newest.extend(bundles.into_iter().filter_map(|bundle| bundle.sha256));
        }
        Ok(newest)
    }

    /// The rows in batches of a sensible size.
    pub(super) fn batches(rows: &[VersionRow]) -> impl Iterator<Item = &[VersionRow]> {
        rows.chunks(BATCH)
    }
}

/// What rows alone tell of a version.
fn told(row: &VersionRow) -> Result<VersionFiles> {
    let image = ImageFile {
        name: row.name.clone(),
        version: row.version,
        digest: row.digest.clone(),
        tags: row.tags.clone(),
        published_at: row.published_at,
        superseded_at: row.superseded_at,
        slsa_level: row.slsa_level,
    };
    let mut files = VersionFiles {
        place: format!("images/{}/{}", row.name, row.version),
        ..VersionFiles::default()
    };
    files.files.insert(IMAGE.to_owned(), pretty(&image)?);
    if let (Some(slsa_level), Some(assessed_at), Some(seq), Some(checks)) =
        (row.slsa_level, row.assessed_at, row.assessed_seq, &row.checks)
    {
        let assessed_for_fact = seq.unsigned_abs();
        let checks = checks.0.clone();
        let slsa = SlsaFile { slsa_level, assessed_at, assessed_for_fact, checks };
        files.files.insert(SLSA.to_owned(), pretty(&slsa)?);
    }
    Ok(files)
}

/// Adds what makes an OCI image layout of the blobs.
fn lay_out(files: &mut VersionFiles, row: &VersionRow) -> Result<()> {
    let hex = row.digest.strip_prefix("sha256:").unwrap_or(&row.digest);
    let Some(manifest) = files.files.get(&blob_file(hex)) else { return Ok(()) };
    let tag = row.tags.get(1).or(row.tags.first()).map_or("latest", String::as_str);
    let index = oci::layout_index(tag, manifest)?;
    files.files.insert("oci/index.json".to_owned(), index.into());
    files.files.insert("oci/oci-layout".to_owned(), oci::LAYOUT_FILE.into());
    Ok(())
}

fn document_file(kind: &str, sha256: &str) -> Option<String> {
    Some(match kind {
        kind::LAYER | kind::CONFIG | kind::MANIFEST => blob_file(sha256),
        kind::SPDX => SPDX.to_owned(),
        kind::CYCLONEDX => CYCLONEDX.to_owned(),
        kind::PROVENANCE => PROVENANCE.to_owned(),
        kind::LOG => BUILD_LOG.to_owned(),
        _ => return None,
    })
}

async fn trusted_builders(
    conn: &mut PgConnection,
    key_id: &str,
) -> Result<Vec<TrustedBuilderFile>> {
    let instant = |at: SimTime| at.to_datetime().context("an instant of trust");
    let rows = slsa::trusted(conn, key_id).await?.into_iter().map(|trust| {
        Ok(TrustedBuilderFile {
            builder: trust.builder,
            key_id: key_id.to_owned(),
            slsa_level: trust.level,
            valid_from: instant(trust.from)?,
            ended_by_fact: trust.ended,
        })
    });
    rows.collect()
}

fn timestamp(at: SimTime) -> Result<Timestamp> {
    Ok(Timestamp::from_ms(at.0)?)
}
