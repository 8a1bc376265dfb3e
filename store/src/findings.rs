//! Findings: what a scan reads (affected ranges) and what it writes.
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use sim::fact::{FindingRef, NewFinding};
use sim::ids::{AdvisoryId, ImageId, VersionRef};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// A package's range of affected versions, as far as it is known when a scanner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffectedRange {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// From this version on.
    pub introduced: String,
    /// Up to, and without, this version, once it is released.
    pub fixed: Option<(String, SimTime)>,
    /// From this instant on a scanner sees the advisory.
    pub detectable: SimTime,
    /// The advisory's CVE id.
    pub cve: String,
    /// Its CVSS 3.1 base vector.
    pub vector: String,
}

/// The ranges of all advisories that are detectable by `at`, for the named packages: package id,
/// package name, range; by package and advisory.
pub async fn affected_ranges(
    conn: &mut PgConnection,
    packages: &[&str],
    at: SimTime,
) -> Result<Vec<(u32, String, AffectedRange)>, Error> {
    let rows = sqlx::query(
        "SELECT p.id, p.name, a.id, r.introduced_version, r.fixed_version,
                sim_ms(r.fixed_at), sim_ms(a.detectable_at), a.cve, a.vector
         FROM packages p
         JOIN advisory_packages r ON r.package_id = p.id
         JOIN advisories a ON a.id = r.advisory_id
         WHERE p.name = ANY($1) AND a.detectable_at <= $2
         ORDER BY p.id, a.id",
    )
    .bind(packages)
    .bind(instant(at)?)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let fixed: Option<String> = row.try_get(4)?;
            let fixed_at: Option<i64> = row.try_get(5)?;
            let range = AffectedRange {
                advisory: AdvisoryId(number::<i64, _>("advisories.id", row.try_get(2)?)?),
                introduced: row.try_get(3)?,
                fixed: fixed.zip(fixed_at.map(SimTime)),
                detectable: SimTime(row.try_get(6)?),
                cve: row.try_get(7)?,
                vector: row.try_get(8)?,
            };
            Ok((number::<i64, _>("packages.id", row.try_get(0)?)?, row.try_get(1)?, range))
        })
        .collect()
}

/// A finding to be written: on which version, when, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The version.
    pub version: VersionRef,
    /// The instant of the scan.
    pub at: SimTime,
    /// The finding, and the version that no longer has it.
    pub new: NewFinding,
}

/// Writes findings; existing ones stay as they are.
pub async fn insert(conn: &mut PgConnection, detected: &[Detected]) -> Result<(), Error> {
    if detected.is_empty() {
        return Ok(());
    }
    let ats = detected.iter().map(|d| instant(d.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace,
             severity, score, detected_at, resolved_at, resolved_version)
         SELECT d.image_id, d.version, d.advisory_id, d.package_id, i.tenant_namespace,
                a.severity, a.score, d.at, f.published_at, d.fixed_in
         FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                     $6::integer[])
              AS d (image_id, version, advisory_id, package_id, at, fixed_in)
         JOIN images i ON i.id = d.image_id
         JOIN advisories a ON a.id = d.advisory_id
         LEFT JOIN image_versions f ON f.image_id = d.image_id AND f.version = d.fixed_in
         ORDER BY d.image_id, d.version, d.advisory_id, d.package_id
         ON CONFLICT DO NOTHING",
    )
    .bind(detected.iter().map(|d| i64::from(d.version.image.0)).collect::<Vec<_>>())
    .bind(detected.iter().map(|d| d.version.version as i32).collect::<Vec<_>>())
    .bind(column(detected, |finding| finding.advisory.0))
    .bind(column(detected, |finding| finding.package.0))
    .bind(ats)
    .bind(detected.iter().map(|d| d.new.fixed_in.map(|v| v as i32)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn column(detected: &[Detected], of: fn(FindingRef) -> u32) -> Vec<i64> {
    detected.iter().map(|d| i64::from(of(d.new.finding))).collect()
}

/// A judgement: the image is not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The image.
    pub image: ImageId,
    /// The advisory.
    pub advisory: AdvisoryId,
    /// When it was judged.
    pub at: SimTime,
    /// Why it is not affected, in OpenVEX's words.
    pub justification: String,
}

/// The judgements of images up to an instant.
pub async fn judgements(
    conn: &mut PgConnection,
    images: &[ImageId],
    at: SimTime,
) -> Result<Vec<Judgement>, Error> {
    let rows = sqlx::query(
        "SELECT image_id, advisory_id, sim_ms(at), justification FROM triages
         WHERE image_id = ANY($1) AND at <= $2",
    )
    .bind(images.iter().map(|image| i64::from(image.0)).collect::<Vec<_>>())
    .bind(instant(at)?)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Judgement {
                image: ImageId(number::<i64, _>("triages.image_id", row.try_get(0)?)?),
                advisory: AdvisoryId(number::<i64, _>("triages.advisory_id", row.try_get(1)?)?),
                at: SimTime(row.try_get(2)?),
                justification: row.try_get(3)?,
            })
        })
        .collect()
}
