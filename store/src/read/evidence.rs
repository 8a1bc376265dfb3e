//! What is known of versions as evidence: their documents, the newest bundle of each kind, and the
//! level that was assessed. For exports and verification.
use chrono::{DateTime, Utc};
use documents::Timestamp;
use documents::osv::{Advisory, AffectedPackage};
use documents::slsa_level::CheckResult;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};

/// A version.
#[derive(Clone, Debug, FromRow)]
pub struct VersionRow {
    /// The image's number.
    pub image_id: i64,
    /// The image's name.
    pub name: String,
    /// The version's ordinal.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// Its tags when it was published.
    pub tags: Vec<String>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// When the next version took its place, if that had happened.
    pub superseded_at: Option<DateTime<Utc>>,
    /// The build that made it.
    pub build_id: i64,
    /// Its SLSA level.
    pub slsa_level: Option<i32>,
    /// When that was assessed.
    pub assessed_at: Option<DateTime<Utc>>,
    /// The fact that asked for it.
    pub assessed_seq: Option<i64>,
    /// The evidence for it.
    pub checks: Option<Json<Vec<CheckResult>>>,
}

/// Which versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those that were current.
    Current,
    /// All that were published.
    All,
    /// Those with that digest (`sha256:...`).
    Digest(&'a str),
}

/// Versions as of an instant, by the image's name and ordinal.
pub async fn versions(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    which: Which<'_>,
) -> sqlx::Result<Vec<VersionRow>> {
    let digest = if let Which::Digest(digest) = which { Some(digest) } else { None };
    sqlx::query_as(
        "SELECT v.image_id, i.name, v.version, v.digest, v.tags, v.published_at, v.build_id,
                CASE WHEN v.superseded_at <= $1 THEN v.superseded_at END AS superseded_at,
                s.slsa_level, s.assessed_at, s.seq AS assessed_seq, s.checks
         FROM image_versions v
         JOIN images i ON i.id = v.image_id
         LEFT JOIN LATERAL (
             SELECT a.slsa_level, a.assessed_at, a.seq, a.checks FROM slsa_assessments a
             WHERE a.image_id = v.image_id AND a.version = v.version AND a.assessed_at <= $1
             ORDER BY a.seq DESC LIMIT 1) s ON true
         WHERE v.published_at <= $1
           AND (NOT $2 OR v.superseded_at IS NULL OR v.superseded_at > $1)
           AND ($3::text IS NULL OR v.digest = $3)
         ORDER BY i.name COLLATE \"C\", v.version",
    )
    .bind(as_of)
    .bind(which == Which::Current)
    .bind(digest)
    .fetch_all(conn)
    .await
}

/// A stored document of a version.
#[derive(Clone, Debug, FromRow)]
pub struct DocumentRow {
    /// The build that made it.
    pub build_id: i64,
    /// One of [`crate::artifacts::kind`].
    pub kind: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// The documents of builds, by build and kind.
pub async fn documents(conn: &mut PgConnection, builds: &[i64]) -> sqlx::Result<Vec<DocumentRow>> {
    sqlx::query_as(
        "SELECT build_id, kind, sha256 FROM artifacts WHERE build_id = ANY($1)
         ORDER BY build_id, kind",
    )
    .bind(builds)
    .fetch_all(conn)
    .await
}

/// The newest bundle of a kind about a version.
#[derive(Clone, Debug, FromRow)]
pub struct BundleRow {
    /// The image's number.
    pub image_id: i64,
    /// The version's ordinal.
    pub version: i32,
    /// What it says.
    pub predicate_type: String,
    /// SHA-256 of the bundle.
    pub sha256: Option<String>,
    /// SHA-256 of the document that was signed in it.
    pub document_sha256: Option<String>,
    /// Whether an attacker had put it in the place of the signed one.
    pub replaced: bool,
}

/// The newest bundles about versions as of an instant, one for each type of predicate.
pub async fn bundles(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    versions: &[(i64, i32)],
) -> sqlx::Result<Vec<BundleRow>> {
    let (images, ordinals): (Vec<_>, Vec<_>) = versions.iter().copied().unzip();
    sqlx::query_as(
        "SELECT DISTINCT ON (a.image_id, a.version, a.predicate_type COLLATE \"C\")
                a.image_id, a.version, a.predicate_type, coalesce(r.sha256, a.sha256) AS sha256,
                a.document_sha256, r.sha256 IS NOT NULL AS replaced
         FROM unnest($1::bigint[], $2::integer[]) AS v (image_id, version)
         JOIN attestations a ON a.image_id = v.image_id AND a.version = v.version
         LEFT JOIN LATERAL (
             SELECT n.sha256 FROM attestation_replacements n
             WHERE n.log_index = a.log_index AND n.replaced_at <= $3
             ORDER BY n.seq DESC LIMIT 1) AS r ON true
         WHERE a.created_at <= $3
         ORDER BY a.image_id, a.version, a.predicate_type COLLATE \"C\", a.seq DESC",
    )
    .bind(images)
    .bind(ordinals)
    .bind(as_of)
    .fetch_all(conn)
    .await
}

/// A signed statement about a version, or a forgery in its place, with its bundle.
#[derive(Clone, Debug, FromRow)]
pub struct SignedRow {
    /// The fact that brought it about.
    pub seq: i64,
    /// The image's name.
    pub name: String,
    /// The version's ordinal.
    pub version: i32,
    /// The version's digest.
    pub digest: String,
    /// What it says.
    pub predicate_type: String,
    /// SHA-256 of the bundle; none as long as it is not made.
    pub sha256: Option<String>,
    /// SHA-256 of the document that it states, if it states one.
    pub document_sha256: Option<String>,
    /// SHA-256 of the statement; none for a forgery.
    pub payload_sha256: Option<Vec<u8>>,
    /// The size of the tree in which it is proven; none before it is in the log.
    pub tree_size: Option<i64>,
}

/// Every statement that was ever signed about a version, and every forgery in the place of one, by
/// fact; those of one digest (`sha256:...`), if one is given.
pub async fn signed(conn: &mut PgConnection, digest: Option<&str>) -> sqlx::Result<Vec<SignedRow>> {
    sqlx::query_as(
        "SELECT s.seq, i.name, s.version, v.digest, s.predicate_type, s.sha256, s.document_sha256,
                s.payload_sha256, s.tree_size
         FROM (SELECT seq, image_id, version, predicate_type, sha256, document_sha256,
                      payload_sha256, tree_size
               FROM attestations
               UNION ALL
               SELECT r.seq, a.image_id, a.version, a.predicate_type, r.sha256, r.document_sha256,
                      NULL, a.tree_size
               FROM attestation_replacements r JOIN attestations a ON a.log_index = r.log_index) s
         JOIN images i ON i.id = s.image_id
         JOIN image_versions v ON v.image_id = s.image_id AND v.version = s.version
         WHERE $1::text IS NULL OR v.digest = $1
         ORDER BY s.seq, s.image_id, s.version, s.predicate_type COLLATE \"C\"",
    )
    .bind(digest)
    .fetch_all(conn)
    .await
}

/// An advisory with one package that it affects.
#[derive(Clone, Debug, FromRow)]
pub struct AdvisoryRow {
    /// Its number.
    pub id: i64,
    /// The CVE id.
    pub cve: String,
    /// The CVSS 3.1 base vector.
    pub vector: String,
    /// Its severity.
    pub severity: String,
    /// When it became public.
    pub published_at: DateTime<Utc>,
    /// From when a scanner sees it.
    pub detectable_at: DateTime<Utc>,
    /// The package's number.
    pub package_id: i64,
    /// The package's name.
    pub package: String,
    /// The first affected release, and its version.
    pub introduced_release: i32,
    /// Its version.
    pub introduced_version: String,
    /// The first fixed release, if it was out.
    pub fixed_release: Option<i32>,
    /// Its version.
    pub fixed_version: Option<String>,
    /// When it was released.
    pub fixed_at: Option<DateTime<Utc>>,
}

/// All advisories as known at an instant, by number and package.
pub async fn advisories(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<AdvisoryRow>> {
    sqlx::query_as(
        "SELECT a.id, a.cve, a.vector, a.severity, a.published_at, a.detectable_at,
                r.package_id, p.name AS package, r.introduced_release, r.introduced_version,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_release END AS fixed_release,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_version END AS fixed_version,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_at END AS fixed_at
         FROM advisories a
         JOIN advisory_packages r ON r.advisory_id = a.id
         JOIN packages p ON p.id = r.package_id
         WHERE a.published_at <= $1
         ORDER BY a.id, r.package_id",
    )
    .bind(as_of)
    .fetch_all(conn)
    .await
}

/// What the rows of [`advisories`] say, as documents take it.
///
/// # Errors
/// An instant outside the years that documents can hold.
pub fn known(rows: &[AdvisoryRow]) -> Result<Vec<Advisory>, documents::Error> {
    let instant = |at: DateTime<Utc>| Timestamp::from_ms(at.timestamp_millis());
    let advisory = |rows: &[AdvisoryRow]| {
        let first = rows.first()?;
        let fixed = rows.iter().filter_map(|row| row.fixed_at).max();
        let modified = fixed.map_or(first.published_at, |at| at.max(first.published_at));
        let names: Vec<_> = rows.iter().map(|row| row.package.as_str()).collect();
        let affected = rows.iter().map(|row| AffectedPackage {
            name: row.package.clone(),
            introduced: row.introduced_version.clone(),
            fixed: row.fixed_version.clone(),
        });
        let advisory = |published, modified| Advisory {
            id: first.cve.clone(),
            summary: format!(
                "A simulated {} vulnerability in {}",
                first.severity,
                names.join(", ")
            ),
            details: String::new(),
            cvss_vector: first.vector.clone(),
            published,
            modified,
            affected: affected.collect(),
        };
        let instants = instant(first.published_at).and_then(|at| Ok((at, instant(modified)?)));
        Some(instants.map(|(published, modified)| advisory(published, modified)))
    };
    rows.chunk_by(|a, b| a.id == b.id).filter_map(advisory).collect()
}

/// A vulnerability that a version really has.
#[derive(Clone, Debug, FromRow)]
pub struct TruthRow {
    /// The image's number.
    pub image_id: i64,
    /// The version's ordinal.
    pub version: i32,
    /// The CVE id.
    pub cve: String,
    /// The package.
    pub package: String,
    /// Its version in the image.
    pub installed_version: String,
    /// When the version was published.
    pub published_at: DateTime<Utc>,
    /// When the advisory was.
    pub disclosed_at: DateTime<Utc>,
    /// When the next version took this one's place, if that had happened.
    pub superseded_at: Option<DateTime<Utc>>,
    /// Whether the image is affected; if not, a finding of it is a false positive.
    pub affected: bool,
    /// When it was judged to be one, if that had happened.
    pub judged_at: Option<DateTime<Utc>>,
}

/// A package in a version.
#[derive(Clone, Debug, FromRow)]
pub struct ContentRow {
    /// The image's number.
    pub image_id: i64,
    /// The version's ordinal.
    pub version: i32,
    /// The package.
    pub package: String,
    /// Its version.
    pub package_version: String,
}

/// What versions hold, by version and package.
pub async fn contents(
    conn: &mut PgConnection,
    versions: &[(i64, i32)],
) -> sqlx::Result<Vec<ContentRow>> {
    let (images, ordinals): (Vec<_>, Vec<_>) = versions.iter().copied().unzip();
    sqlx::query_as(
        "SELECT v.image_id, v.version, p.name AS package, n.version AS package_version
         FROM unnest($1::bigint[], $2::integer[]) AS w (image_id, version)
         JOIN image_versions v ON v.image_id = w.image_id AND v.version = w.version
         CROSS JOIN LATERAL unnest(v.package_ids, v.releases) AS c (package_id, release)
         JOIN packages p ON p.id = c.package_id
         JOIN package_releases n ON n.package_id = c.package_id AND n.release = c.release
         ORDER BY v.image_id, v.version, p.name COLLATE \"C\"",
    )
    .bind(images)
    .bind(ordinals)
    .fetch_all(conn)
    .await
}

/// Which versions hold which affected packages, whatever a scanner has seen of it, by image,
/// version, advisory and package.
pub async fn truth(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    which: Which<'_>,
) -> sqlx::Result<Vec<TruthRow>> {
    sqlx::query_as(
        "SELECT v.image_id, v.version, a.cve, p.name AS package,
                n.version AS installed_version, v.published_at, a.published_at AS disclosed_at,
                CASE WHEN v.superseded_at <= $1 THEN v.superseded_at END AS superseded_at,
                NOT EXISTS (SELECT FROM false_positives f
                            WHERE f.image_id = v.image_id AND f.advisory_id = a.id) AS affected,
                (SELECT t.at FROM triages t
                 WHERE t.image_id = v.image_id AND t.advisory_id = a.id AND t.at <= $1) AS judged_at
         FROM image_versions v
         CROSS JOIN LATERAL unnest(v.package_ids, v.releases) AS c (package_id, release)
         JOIN advisory_packages r ON r.package_id = c.package_id
              AND c.release >= r.introduced_release
              AND (r.fixed_release IS NULL OR c.release < r.fixed_release)
         JOIN advisories a ON a.id = r.advisory_id
         JOIN packages p ON p.id = c.package_id
         JOIN package_releases n ON n.package_id = c.package_id AND n.release = c.release
         WHERE v.published_at <= $1 AND a.published_at <= $1
           AND (NOT $2 OR v.superseded_at IS NULL OR v.superseded_at > $1)
         ORDER BY v.image_id, v.version, a.id, p.name COLLATE \"C\"",
    )
    .bind(as_of)
    .bind(which == Which::Current)
    .fetch_all(conn)
    .await
}
