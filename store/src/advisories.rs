//! Advisories, what they affect, and the fixes that come later.
use crate::db::instant;
use crate::error::Error;
use documents::cvss::BaseScore;
use sim::catalogue::Catalogue;
use sim::fact::Advisory;
use sim::ids::{AdvisoryId, ReleaseRef};
use sim::time::SimTime;
use sqlx::PgConnection;

/// Writes advisories with the ranges they affect. Scores are computed from the vectors.
pub async fn insert(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    advisories: &[&Advisory],
) -> Result<(), Error> {
    if advisories.is_empty() {
        return Ok(());
    }
    let scores = advisories.iter().map(|a| score(a)).collect::<Result<Vec<_>, _>>()?;
    let instants = |of: fn(&Advisory) -> SimTime| {
        advisories.iter().map(|a| instant(of(a))).collect::<Result<Vec<_>, _>>()
    };
    sqlx::query(
        "INSERT INTO advisories (id, cve, vector, score, severity, known_exploited,
             published_at, detectable_at)
         SELECT id, cve, vector, score::numeric(3, 1), severity, exploited, published, detectable
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[],
                     $7::timestamptz[], $8::timestamptz[])
              AS new (id, cve, vector, score, severity, exploited, published, detectable)",
    )
    .bind(advisories.iter().map(|a| i64::from(a.id.0)).collect::<Vec<_>>())
    .bind(advisories.iter().map(|a| &*a.cve).collect::<Vec<_>>())
    .bind(advisories.iter().map(|a| &*a.vector.0).collect::<Vec<_>>())
    .bind(scores)
    .bind(advisories.iter().map(|a| a.severity.as_str()).collect::<Vec<_>>())
    .bind(advisories.iter().map(|a| a.known_exploited).collect::<Vec<_>>())
    .bind(instants(|a| a.published)?)
    .bind(instants(|a| a.detectable)?)
    .execute(&mut *conn)
    .await?;
    affected(conn, catalogue, advisories).await
}

fn score(advisory: &Advisory) -> Result<String, Error> {
    let score = BaseScore::of(&advisory.vector.0).map_err(|_| Error::Vector {
        cve: advisory.cve.to_string(),
        vector: advisory.vector.0.to_string(),
    })?;
    Ok(format!("{:.1}", score.value()))
}

async fn affected(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    advisories: &[&Advisory],
) -> Result<(), Error> {
    let ranges: Vec<_> = advisories
        .iter()
        .flat_map(|a| a.affected.iter().map(|range| (a.id, range.introduced, range.fixed)))
        .collect();
    let fixed = |(_, from, fixed): &(AdvisoryId, ReleaseRef, Option<u32>)| {
        fixed.map(|release| ReleaseRef { release, ..*from })
    };
    sqlx::query(
        "INSERT INTO advisory_packages (advisory_id, package_id, introduced_release,
             introduced_version, fixed_release, fixed_version, fixed_at)
         SELECT new.advisory, new.package, new.release, new.version, new.fixed,
                new.fixed_version, r.released_at
         FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::integer[],
                     $6::text[])
              AS new (advisory, package, release, version, fixed, fixed_version)
         LEFT JOIN package_releases r ON r.package_id = new.package AND r.release = new.fixed",
    )
    .bind(ranges.iter().map(|(id, ..)| i64::from(id.0)).collect::<Vec<_>>())
    .bind(ranges.iter().map(|(_, r, _)| i64::from(r.package.0)).collect::<Vec<_>>())
    .bind(ranges.iter().map(|(_, r, _)| r.release as i32).collect::<Vec<_>>())
    .bind(ranges.iter().map(|(_, r, _)| catalogue.release(*r).version).collect::<Vec<_>>())
    .bind(ranges.iter().map(|r| fixed(r).map(|f| f.release as i32)).collect::<Vec<_>>())
    .bind(ranges.iter().map(|r| fixed(r).map(|f| catalogue.release(f).version)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that upstream fixes exist.
pub async fn fix_available(
    conn: &mut PgConnection,
    fixes: &[(AdvisoryId, SimTime)],
) -> Result<(), Error> {
    if fixes.is_empty() {
        return Ok(());
    }
    let ats = fixes.iter().map(|(_, at)| instant(*at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE advisories SET fix_available_at = new.at
         FROM unnest($1::bigint[], $2::timestamptz[]) AS new (id, at)
         WHERE advisories.id = new.id",
    )
    .bind(fixes.iter().map(|(id, _)| i64::from(id.0)).collect::<Vec<_>>())
    .bind(ats)
    .execute(conn)
    .await?;
    Ok(())
}

/// Records which release of a package ends an affected range; the first one stays.
pub async fn fixed_in(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    fixes: &[(AdvisoryId, ReleaseRef, SimTime)],
) -> Result<(), Error> {
    if fixes.is_empty() {
        return Ok(());
    }
    let ats = fixes.iter().map(|(_, _, at)| instant(*at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE advisory_packages ap
         SET fixed_release = new.release, fixed_version = new.version, fixed_at = new.at
         FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::timestamptz[])
              AS new (advisory, package, release, version, at)
         WHERE ap.advisory_id = new.advisory AND ap.package_id = new.package
           AND ap.fixed_release IS NULL",
    )
    .bind(fixes.iter().map(|(id, _, _)| i64::from(id.0)).collect::<Vec<_>>())
    .bind(fixes.iter().map(|(_, r, _)| i64::from(r.package.0)).collect::<Vec<_>>())
    .bind(fixes.iter().map(|(_, r, _)| r.release as i32).collect::<Vec<_>>())
    .bind(fixes.iter().map(|(_, r, _)| catalogue.release(*r).version).collect::<Vec<_>>())
    .bind(ats)
    .execute(conn)
    .await?;
    Ok(())
}
