//! The provenance bundles that are assessed again: where they are as of a fact, and those that an
//! attacker has put in the place of signed ones.
use crate::artifacts::StoredDocument;
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use documents::statement::PredicateType;
use sim::ids::{ImageId, VersionRef};
use sim::time::SimTime;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// The provenance of a version, as it was found when a fact happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The version.
    pub version: VersionRef,
    /// The version's digest.
    pub digest: String,
    /// The index of its attestation in the log.
    pub log_index: Option<u64>,
    /// SHA-256 of its bundle; none while that is not made.
    pub sha256: Option<String>,
}

/// Versions whose builder has lost its trust.
#[derive(Clone, Copy, Debug)]
pub struct BuiltBy<'a> {
    /// The builder's name.
    pub builder: &'a str,
    /// The fact that ended the trust.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// Of the images, divided into so many parts ...
    pub parts: u32,
    /// ... this one, from 0.
    pub part: u32,
}

/// The provenance of what a builder made, of the versions that were the newest of their image or
/// that a customer ran when the fact happened, in order.
pub async fn built_by(
    conn: &mut PgConnection,
    wanted: BuiltBy<'_>,
) -> Result<Vec<Provenance>, Error> {
    let rows = sqlx::query(
        "SELECT a.image_id, a.version, v.digest, a.log_index, coalesce(r.sha256, a.sha256)
         FROM build_events b
         JOIN image_versions v ON v.build_id = b.id
         JOIN attestations a ON a.image_id = v.image_id AND a.version = v.version
                            AND a.predicate_type = $1 AND a.seq < $3
         LEFT JOIN LATERAL (
             SELECT n.sha256 FROM attestation_replacements n
             WHERE n.log_index = a.log_index AND n.seq < $3
             ORDER BY n.seq DESC LIMIT 1) AS r ON true
         WHERE b.builder = $2 AND v.image_id % $5 = $6
           AND (NOT EXISTS (
                    SELECT 1 FROM attestations n
                    WHERE n.image_id = v.image_id AND n.version > v.version
                      AND n.predicate_type = $1 AND n.seq < $3)
                OR EXISTS (
                    SELECT 1 FROM customer_image_usage u
                    WHERE u.image_id = v.image_id AND u.version = v.version
                      AND u.valid_from <= $4 AND (u.valid_to IS NULL OR u.valid_to > $4)))
         ORDER BY a.image_id, a.version",
    )
    .bind(PredicateType::Provenance.uri())
    .bind(wanted.builder)
    .bind(wanted.seq as i64)
    .bind(instant(wanted.at)?)
    .bind(i64::from(wanted.parts.max(1)))
    .bind(i64::from(wanted.part))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| read(&row)).collect()
}

/// The provenance of a version as it was signed.
pub async fn signed(
    conn: &mut PgConnection,
    version: VersionRef,
) -> Result<Option<Provenance>, Error> {
    let row = sqlx::query(
        "SELECT a.image_id, a.version, v.digest, a.log_index, a.sha256
         FROM attestations a
         JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
         WHERE a.image_id = $1 AND a.version = $2 AND a.predicate_type = $3
         ORDER BY a.seq LIMIT 1",
    )
    .bind(i64::from(version.image.0))
    .bind(version.version as i32)
    .bind(PredicateType::Provenance.uri())
    .fetch_optional(conn)
    .await?;
    row.map(|row| read(&row)).transpose()
}

fn read(row: &PgRow) -> Result<Provenance, Error> {
    Ok(Provenance {
        version: VersionRef {
            image: ImageId(number::<i64, _>("attestations.image_id", row.try_get(0)?)?),
            version: number("attestations.version", row.try_get::<i32, _>(1)?)?,
        },
        digest: row.try_get(2)?,
        log_index: row
            .try_get::<Option<i64>, _>(3)?
            .map(|index| number("attestations.log_index", index))
            .transpose()?,
        sha256: row.try_get(4)?,
    })
}

/// A bundle in the place of the one that was signed.
#[derive(Clone, Debug)]
pub struct Replacement<'a> {
    /// The index of the attestation in the log.
    pub log_index: u64,
    /// The fact that tells of it.
    pub seq: u64,
    /// Since when it is there.
    pub at: SimTime,
    /// The bundle.
    pub bundle: &'a StoredDocument,
    /// Its key in the object store.
    pub object_key: String,
    /// The document that it states.
    pub document: &'a StoredDocument,
}

/// Says that a bundle was replaced; what was said before stays as it is.
pub async fn replace(conn: &mut PgConnection, new: &Replacement<'_>) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO attestation_replacements (log_index, seq, tenant_namespace, replaced_at,
             document_sha256, object_key, sha256, bytes)
         SELECT log_index, $2, tenant_namespace, $3, $4, $5, $6, $7
         FROM attestations WHERE log_index = $1
         ON CONFLICT DO NOTHING",
    )
    .bind(new.log_index as i64)
    .bind(new.seq as i64)
    .bind(instant(new.at)?)
    .bind(&new.document.sha256)
    .bind(&new.object_key)
    .bind(&new.bundle.sha256)
    .bind(new.bundle.bytes as i64)
    .execute(conn)
    .await?;
    Ok(())
}
