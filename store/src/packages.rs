//! Releases of packages.
use crate::db::instant;
use crate::error::Error;
use sim::catalogue::Catalogue;
use sim::ids::ReleaseRef;
use sim::time::SimTime;
use sqlx::PgConnection;

/// Writes releases, each with the instant at which it came out.
pub async fn insert_releases(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    releases: &[(ReleaseRef, SimTime)],
) -> Result<(), Error> {
    if releases.is_empty() {
        return Ok(());
    }
    let infos: Vec<_> = releases.iter().map(|(release, _)| catalogue.release(*release)).collect();
    let ats = releases.iter().map(|(_, at)| instant(*at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO package_releases (package_id, release, version, size_bytes, sha256,
             released_at)
         SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[], $5::text[],
             $6::timestamptz[])",
    )
    .bind(releases.iter().map(|(r, _)| i64::from(r.package.0)).collect::<Vec<_>>())
    .bind(releases.iter().map(|(r, _)| r.release as i32).collect::<Vec<_>>())
    .bind(infos.iter().map(|i| i.version.as_str()).collect::<Vec<_>>())
    .bind(infos.iter().map(|i| i.size_bytes as i64).collect::<Vec<_>>())
    .bind(infos.iter().map(|i| hex::encode(i.sha256)).collect::<Vec<_>>())
    .bind(ats)
    .execute(conn)
    .await?;
    Ok(())
}
