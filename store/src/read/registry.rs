//! What a registry shows of the world: repositories are images, tags and digests their versions, blobs
//! the stored objects of those versions, and referrers the bundles about them.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A repository, and what it holds under a reference.
#[derive(Clone, Debug, FromRow)]
pub struct ManifestRow {
    /// The image.
    pub image_id: i64,
    /// The version; none: nothing is there under this reference.
    pub version: Option<i32>,
    /// The version's digest.
    pub digest: Option<String>,
    /// The size of its manifest.
    pub bytes: Option<i64>,
}

/// The image of that name; none: there was none, or it is not shown.
pub async fn image(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    name: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT id FROM images WHERE name = $2 AND created_at <= $1")
        .bind(as_of)
        .bind(name)
        .fetch_optional(conn)
        .await
}

/// What a tag of an image pointed to; none: there is no such image, or it is not shown.
pub async fn by_tag(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    name: &str,
    tag: &str,
) -> sqlx::Result<Option<ManifestRow>> {
    sqlx::query_as(
        "SELECT i.id AS image_id, v.version, v.digest, m.bytes
         FROM images i
         LEFT JOIN LATERAL (
             SELECT n.version, n.digest, n.build_id FROM image_versions n
             WHERE n.image_id = i.id AND n.published_at <= $1 AND $3 = ANY (n.tags)
             ORDER BY n.version DESC LIMIT 1) v ON true
         LEFT JOIN artifacts m ON m.build_id = v.build_id AND m.kind = 'manifest'
         WHERE i.name = $2 AND i.created_at <= $1",
    )
    .bind(as_of)
    .bind(name)
    .bind(tag)
    .fetch_optional(conn)
    .await
}

/// The version of an image with that digest (`sha256:...`); none as above.
pub async fn by_digest(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    name: &str,
    digest: &str,
) -> sqlx::Result<Option<ManifestRow>> {
    sqlx::query_as(
        "SELECT i.id AS image_id, v.version, v.digest, m.bytes
         FROM images i
         LEFT JOIN LATERAL (
             SELECT n.version, n.digest, n.build_id FROM image_versions n
             WHERE n.digest = $3 AND n.image_id = i.id AND n.published_at <= $1
             ORDER BY n.version DESC LIMIT 1) v ON true
         LEFT JOIN artifacts m ON m.build_id = v.build_id AND m.kind = 'manifest'
         WHERE i.name = $2 AND i.created_at <= $1",
    )
    .bind(as_of)
    .bind(name)
    .bind(digest)
    .fetch_optional(conn)
    .await
}

/// The tags of an image in the order of their bytes, after one of them; with `sha256-<hex>` of each
/// version where referrers are found by tags.
pub async fn tags(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    with_referrers: bool,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT DISTINCT t.tag COLLATE \"C\" AS tag
         FROM image_versions v
         CROSS JOIN LATERAL (
             SELECT unnest(v.tags) AS tag
             UNION ALL SELECT replace(v.digest, ':', '-') WHERE $3) t
         WHERE v.image_id = $2 AND v.published_at <= $1
           AND ($4::text IS NULL OR t.tag COLLATE \"C\" > $4)
         ORDER BY 1 LIMIT $5",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(with_referrers)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The names of images that a registry can serve, in the order of their bytes, after one of them.
pub async fn names(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT name FROM images
         WHERE created_at <= $1 AND ($2::text IS NULL OR name > $2)
           AND name ~ '^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*$'
         ORDER BY name LIMIT $3",
    )
    .bind(as_of)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// A repository, and a blob of it.
#[derive(Clone, Debug, FromRow)]
pub struct BlobRow {
    /// The image.
    pub image_id: i64,
    /// What it is of a version: `config`, `layer`, or `bundle`.
    pub kind: Option<String>,
    /// Its size; none: the repository has no such blob.
    pub bytes: Option<i64>,
    /// Where the object store keeps it.
    pub object_key: Option<String>,
}

/// The blob of an image with that SHA-256 (in hexadecimal): a configuration or layer of a version, or a
/// bundle about one; none: there is no such image, or it is not shown.
pub async fn blob(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    name: &str,
    sha256: &str,
) -> sqlx::Result<Option<BlobRow>> {
    sqlx::query_as(
        "SELECT i.id AS image_id, b.kind, b.bytes, b.object_key
         FROM images i
         LEFT JOIN LATERAL (
             (SELECT a.kind, a.bytes, a.object_key
              FROM artifacts a JOIN image_versions v ON v.build_id = a.build_id
              WHERE a.sha256 = $3 AND a.kind IN ('config', 'layer')
                AND v.image_id = i.id AND v.published_at <= $1 LIMIT 1)
             UNION ALL
             (SELECT 'bundle', t.bytes, t.object_key FROM attestations t
              WHERE t.sha256 = $3 AND t.image_id = i.id AND t.created_at <= $1 LIMIT 1)
             UNION ALL
             (SELECT 'bundle', r.bytes, r.object_key
              FROM attestation_replacements r JOIN attestations t ON t.log_index = r.log_index
              WHERE r.sha256 = $3 AND t.image_id = i.id AND r.replaced_at <= $1 LIMIT 1)
             LIMIT 1) b ON true
         WHERE i.name = $2 AND i.created_at <= $1",
    )
    .bind(as_of)
    .bind(name)
    .bind(sha256)
    .fetch_optional(conn)
    .await
}

/// A bundle about a version, and the manifest of that version.
#[derive(Clone, Debug, FromRow)]
pub struct ReferrerRow {
    /// The fact that brought the statement about.
    pub seq: i64,
    /// The version.
    pub version: i32,
    /// The type of its predicate.
    pub predicate_type: String,
    /// The fact that tells of the replacement, if an attacker had put the bundle there.
    pub replacement: Option<i64>,
    /// When it was signed.
    pub created_at: DateTime<Utc>,
    /// SHA-256 of the bundle.
    pub sha256: String,
    /// The bundle's size.
    pub bytes: i64,
    /// Where the object store keeps it.
    pub object_key: String,
    /// The version's digest.
    pub subject: String,
    /// The size of its manifest.
    pub subject_bytes: i64,
}

/// A place among the referrers of an image: fact, version, predicate type.
pub type Place = (i64, i32, String);

/// The bundles about the versions of an image with that digest, the newest first, after a place; where
/// an attacker had replaced one by then, what was found there.
pub async fn referrers(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    (image_id, digest): (i64, &str),
    after: Option<&Place>,
    limit: i64,
) -> sqlx::Result<Vec<ReferrerRow>> {
    sqlx::query_as(
        "SELECT a.seq, a.version, a.predicate_type, r.seq AS replacement, a.created_at,
                coalesce(r.sha256, a.sha256) AS sha256, coalesce(r.bytes, a.bytes) AS bytes,
                coalesce(r.object_key, a.object_key) AS object_key,
                v.digest AS subject, m.bytes AS subject_bytes
         FROM image_versions v
         JOIN artifacts m ON m.build_id = v.build_id AND m.kind = 'manifest'
         JOIN attestations a ON a.image_id = v.image_id AND a.version = v.version
         LEFT JOIN LATERAL (
             SELECT n.seq, n.sha256, n.bytes, n.object_key FROM attestation_replacements n
             WHERE n.log_index = a.log_index AND n.replaced_at <= $1
             ORDER BY n.seq DESC LIMIT 1) r ON true
         WHERE v.digest = $3 AND v.image_id = $2 AND v.published_at <= $1
           AND a.created_at <= $1 AND a.sha256 IS NOT NULL
           AND ($4::bigint IS NULL
                OR (a.seq, a.version, a.predicate_type COLLATE \"C\") < ($4, $5, $6 COLLATE \"C\"))
         ORDER BY a.seq DESC, a.version DESC, a.predicate_type COLLATE \"C\" DESC
         LIMIT $7",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(digest)
    .bind(after.map(|place| place.0))
    .bind(after.map_or(0, |place| place.1))
    .bind(after.map_or("", |place| place.2.as_str()))
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// `$1` is the image: every bundle that ever was about one of its versions, replaced ones and
/// what took their place.
const EVERY_BUNDLE: &str = "
    SELECT a.seq, a.version, a.predicate_type, x.replacement, a.created_at, x.sha256, x.bytes,
           x.object_key, v.digest AS subject, m.bytes AS subject_bytes
    FROM attestations a
    JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
    JOIN artifacts m ON m.build_id = v.build_id AND m.kind = 'manifest'
    CROSS JOIN LATERAL (
        SELECT NULL::bigint AS replacement, a.created_at AS known_at, a.sha256, a.bytes,
               a.object_key
        UNION ALL
        SELECT r.seq, r.replaced_at, r.sha256, r.bytes, r.object_key
        FROM attestation_replacements r WHERE r.log_index = a.log_index) x
    WHERE a.image_id = $1 AND x.sha256 IS NOT NULL";

/// Every bundle about the versions of an image that a later fact than `seq` tells of.
pub async fn bundles_since(
    conn: &mut PgConnection,
    image_id: i64,
    seq: i64,
) -> sqlx::Result<Vec<ReferrerRow>> {
    let sql = format!(
        "{EVERY_BUNDLE} AND a.seq > $2 AND x.replacement IS NULL
         UNION ALL {EVERY_BUNDLE} AND x.replacement > $2 AND a.log_index IN (
             SELECT n.log_index FROM attestation_replacements n WHERE n.seq > $2)"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(image_id).bind(seq).fetch_all(conn).await
}

/// One bundle about a version of an image, if it was there by that instant.
pub async fn bundle(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    (seq, version, predicate_type): &Place,
    replacement: Option<i64>,
) -> sqlx::Result<Option<ReferrerRow>> {
    let sql = format!(
        "{EVERY_BUNDLE} AND a.seq = $2 AND a.version = $3 AND a.predicate_type = $4
         AND x.replacement IS NOT DISTINCT FROM $5 AND x.known_at <= $6"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(image_id)
        .bind(seq)
        .bind(version)
        .bind(predicate_type)
        .bind(replacement)
        .bind(as_of)
        .fetch_optional(conn)
        .await
}

/// Where the bundle about a version of an image is kept whose envelope has that SHA-256, if it was there
/// by then.
pub async fn bundle_of_envelope(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    envelope_sha256: &[u8; 32],
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT object_key FROM attestations
         WHERE image_id = $2 AND envelope_sha256 = $3 AND created_at <= $1 AND sha256 IS NOT NULL
         ORDER BY seq LIMIT 1",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(envelope_sha256.as_slice())
    .fetch_optional(conn)
    .await
}
