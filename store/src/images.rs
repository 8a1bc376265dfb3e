//! Versions of images: written whole by the build that made them.
use crate::artifacts::StoredDocument;
use crate::db::instant;
use crate::error::Error;
use sim::fact::Published;
use sim::ids::{BuildId, ImageId, ReleaseRef, VersionRef};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// A component of a version as one number: package and release, for an index over all versions.
pub fn component_key(release: ReleaseRef) -> i64 {
    i64::from(release.package.0) << 20 | i64::from(release.release)
}

/// What a version is beside its contents.
#[derive(Clone, Debug)]
pub struct NewVersion<'a> {
    /// The image.
    pub image: ImageId,
    /// The build that made it.
    pub build: BuildId,
    /// The namespace of the image's owner.
    pub tenant_namespace: &'a str,
    /// When it was published.
    pub at: SimTime,
    /// Its contents.
    pub published: &'a Published,
    /// `sha256:` and the hexadecimal digest of the manifest.
    pub digest: String,
    /// Its tags.
    pub tags: &'a [String],
    /// Its SBOMs.
    pub sboms: [Sbom<'a>; 2],
}

/// An SBOM of a version.
#[derive(Clone, Debug)]
pub struct Sbom<'a> {
    /// `spdx` or `cyclonedx`.
    pub format: &'static str,
    /// The version of the format.
    pub spec_version: &'static str,
    /// The stored document.
    pub document: &'a StoredDocument,
    /// Its key in the object store.
    pub object_key: String,
}

/// Writes a version with its SBOMs; repeating it changes nothing.
pub async fn publish(conn: &mut PgConnection, new: &NewVersion<'_>) -> Result<(), Error> {
    let contents = &new.published.contents;
    let [first, second] = &new.sboms;
    sqlx::query(
        "WITH version AS (
             INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest,
                 tags, base_image_id, base_version, package_ids, releases, components, published_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT DO NOTHING
         ), tags AS (
             INSERT INTO image_tags AS known (image_id, tag, tenant_namespace, since, name)
             SELECT DISTINCT i.id, tag, $4, $12, i.name FROM images i, unnest($6) AS tag
             WHERE i.id = $1 ORDER BY tag
             ON CONFLICT (tag, name) DO UPDATE SET since = excluded.since
                 WHERE known.since > excluded.since
         )
         INSERT INTO sbom_records (image_id, version, format, spec_version, tenant_namespace,
             object_key, sha256, bytes, components, created_at)
         SELECT $1, $2, s.format, s.spec_version, $4, s.object_key, s.sha256, s.bytes,
                cardinality($9), $12
         FROM unnest($13::text[], $14::text[], $15::text[], $16::text[], $17::bigint[])
              AS s (format, spec_version, object_key, sha256, bytes)
         ON CONFLICT DO NOTHING",
    )
    .bind(i64::from(new.image.0))
    .bind(new.published.version as i32)
    .bind(new.build.0 as i64)
    .bind(new.tenant_namespace)
    .bind(&new.digest)
    .bind(new.tags)
    .bind(new.published.base.map(|base| i64::from(base.image.0)))
    .bind(new.published.base.map(|base| base.version as i32))
    .bind(contents.iter().map(|c| i64::from(c.package.0)).collect::<Vec<_>>())
    .bind(contents.iter().map(|c| c.release as i32).collect::<Vec<_>>())
    .bind(contents.iter().map(|c| component_key(*c)).collect::<Vec<_>>())
    .bind(instant(new.at)?)
    .bind([first.format, second.format].as_slice())
    .bind([first.spec_version, second.spec_version].as_slice())
    .bind([first.object_key.as_str(), second.object_key.as_str()].as_slice())
    .bind([first.document.sha256.as_str(), second.document.sha256.as_str()].as_slice())
    .bind([first.document.bytes as i64, second.document.bytes as i64].as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// The SHA-256 of each version's SBOM in that format, in the order requested; none where there is no
/// such record.
pub async fn sboms(
    conn: &mut PgConnection,
    versions: &[VersionRef],
    format: &str,
) -> Result<Vec<Option<String>>, Error> {
    let rows = sqlx::query(
        "SELECT s.sha256
         FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS v (image_id, version, place)
         LEFT JOIN sbom_records s ON s.image_id = v.image_id AND s.version = v.version
                                 AND s.format = $3
         ORDER BY v.place",
    )
    .bind(versions.iter().map(|v| i64::from(v.image.0)).collect::<Vec<_>>())
    .bind(versions.iter().map(|v| v.version as i32).collect::<Vec<_>>())
    .bind(format)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What documents say of a version beside its contents.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The image's name.
    pub name: String,
    /// The version's digest.
    pub digest: String,
    /// Its tags when it was published.
    pub tags: Vec<String>,
    /// When that was.
    pub published: SimTime,
}

/// What documents say of versions, in the order requested; none where there is no such version.
pub async fn identities(
    conn: &mut PgConnection,
    versions: &[VersionRef],
) -> Result<Vec<Option<Identity>>, Error> {
    let rows = sqlx::query(
        "SELECT i.name, n.digest, n.tags, sim_ms(n.published_at)
         FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS v (image_id, version, place)
         LEFT JOIN image_versions n ON n.image_id = v.image_id AND n.version = v.version
         LEFT JOIN images i ON i.id = n.image_id
         ORDER BY v.place",
    )
    .bind(versions.iter().map(|v| i64::from(v.image.0)).collect::<Vec<_>>())
    .bind(versions.iter().map(|v| v.version as i32).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let Some(name) = row.try_get(0)? else { return Ok(None) };
            Ok(Some(Identity {
                name,
                digest: row.try_get(1)?,
                tags: row.try_get(2)?,
                published: SimTime(row.try_get(3)?),
            }))
        })
        .collect()
}
