//! The documents about an image, over all its versions: SBOMs and signed statements.
use super::page::Slice;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// One SBOM.
#[derive(Clone, Debug, FromRow)]
pub struct SbomRow {
    /// The version it is of.
    pub version: i32,
    /// That version's digest.
    pub digest: String,
    /// `spdx` or `cyclonedx`.
    pub format: String,
    /// The version of the format.
    pub spec_version: String,
    /// SHA-256 of the document.
    pub sha256: String,
    /// Its size.
    pub bytes: i64,
    /// How many components it lists.
    pub components: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Which SBOMs of an image.
#[derive(Clone, Copy, Debug)]
pub struct SbomFilter<'a> {
    /// The image.
    pub image_id: i64,
    /// Only those of this version.
    pub version: Option<i32>,
    /// Only those in this format.
    pub format: Option<&'a str>,
}

fn sbom_page(
    as_of: DateTime<Utc>,
    filter: &SbomFilter<'_>,
    after: Option<&(i32, String)>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT s.* FROM sbom_records s WHERE s.created_at <= ");
    query.push_bind(as_of).push(" AND s.image_id = ").push_bind(filter.image_id);
    if let Some(version) = filter.version {
        query.push(" AND s.version = ").push_bind(version);
    }
    if let Some(format) = filter.format {
        query.push(" AND s.format = ").push_bind(format.to_owned());
    }
    if let Some((version, format)) = after {
        query.push(" AND (s.version, s.format) < (").push_bind(*version);
        query.push(", ").push_bind(format.clone()).push(")");
    }
    query.push(" ORDER BY s.version DESC, s.format DESC LIMIT ").push(slice.limit()).push(") ");
    query
}

/// The SBOMs of an image, those of the newest version first, after a place (version, format).
pub async fn sboms(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    filter: &SbomFilter<'_>,
    after: Option<&(i32, String)>,
    limit: i64,
) -> sqlx::Result<Vec<SbomRow>> {
    let mut query = sbom_page(as_of, filter, after, Slice::Page(limit));
    query.push(
        "SELECT s.version, v.digest, s.format, s.spec_version, s.sha256, s.bytes, s.components,
                s.created_at
         FROM page s JOIN image_versions v ON v.image_id = s.image_id AND v.version = s.version
         ORDER BY s.version DESC, s.format DESC",
    );
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn sboms_total(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    filter: &SbomFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = sbom_page(as_of, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// A signed statement about a version.
#[derive(Clone, Debug, FromRow)]
pub struct AttestationRow {
    /// The fact that brought it about.
    pub seq: i64,
    /// The version it is about.
    pub version: i32,
    /// That version's digest.
    pub digest: String,
    /// The type of its predicate.
    pub predicate_type: String,
    /// When it was signed.
    pub created_at: DateTime<Utc>,
    /// Its index in the transparency log, once it is there.
    pub log_index: Option<i64>,
    /// SHA-256 of its bundle, once that is made.
    pub sha256: Option<String>,
    /// The bundle's size.
    pub bytes: Option<i64>,
    /// SHA-256 of the document that it states, if it states one.
    pub document_sha256: Option<String>,
    /// Since when an attacker's bundle is in its place.
    pub replaced_at: Option<DateTime<Utc>>,
}

/// Which attestations of an image.
#[derive(Clone, Copy, Debug)]
pub struct AttestationFilter<'a> {
    /// The image.
    pub image_id: i64,
    /// Only those about this version.
    pub version: Option<i32>,
    /// Only those with this type of predicate.
    pub predicate_type: Option<&'a str>,
}

/// A place in the list: fact, version, type of predicate.
pub type AttestationPlace = (i64, i32, String);

const NEWEST_FIRST: &str =
    " ORDER BY a.seq DESC, a.version DESC, a.predicate_type COLLATE \"C\" DESC";

fn attestation_page(
    as_of: DateTime<Utc>,
    filter: &AttestationFilter<'_>,
    after: Option<&AttestationPlace>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT a.* FROM attestations a WHERE a.created_at <= ");
    query.push_bind(as_of).push(" AND a.image_id = ").push_bind(filter.image_id);
    if let Some(version) = filter.version {
        query.push(" AND a.version = ").push_bind(version);
    }
    if let Some(predicate_type) = filter.predicate_type {
        query.push(" AND a.predicate_type = ").push_bind(predicate_type.to_owned());
    }
    if let Some((seq, version, predicate_type)) = after {
        query.push(" AND (a.seq, a.version, a.predicate_type COLLATE \"C\") < (").push_bind(*seq);
        query.push(", ").push_bind(*version).push(", ");
        query.push_bind(predicate_type.clone()).push(" COLLATE \"C\")");
    }
    query.push(NEWEST_FIRST).push(" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// The attestations about the versions of an image, the newest first, after a place; where an
/// attacker had replaced a bundle by then, the bundle that was found there.
pub async fn attestations(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    filter: &AttestationFilter<'_>,
    after: Option<&AttestationPlace>,
    limit: i64,
) -> sqlx::Result<Vec<AttestationRow>> {
    let mut query = attestation_page(as_of, filter, after, Slice::Page(limit));
    query.push(
        "SELECT a.seq, a.version, v.digest, a.predicate_type, a.created_at, a.log_index,
                coalesce(r.sha256, a.sha256) AS sha256, coalesce(r.bytes, a.bytes) AS bytes,
                coalesce(r.document_sha256, a.document_sha256) AS document_sha256, r.replaced_at
         FROM page a
         JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
         LEFT JOIN LATERAL (
             SELECT n.sha256, n.bytes, n.document_sha256, n.replaced_at
             FROM attestation_replacements n
             WHERE n.log_index = a.log_index AND n.replaced_at <= $1
             ORDER BY n.seq DESC LIMIT 1) AS r ON true",
    );
    query.push(NEWEST_FIRST);
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn attestations_total(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    filter: &AttestationFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = attestation_page(as_of, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}
