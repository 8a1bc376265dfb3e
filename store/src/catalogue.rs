//! The inventory that a world begins with.
use crate::db::instant;
use crate::error::Error;
use crate::packages;
use sim::catalogue::{Catalogue, PolicyInfo};
use sim::ids::{PackageId, ReleaseRef};
use sim::scenario::model::{Calendar, ClockStart};
use sim::severity::Severity;
use sim::time::SimTime;
use sqlx::PgConnection;

pub use sim::catalogue::SHARED_NAMESPACE;

/// Writes everything there is before anything happens: one statement a table.
pub async fn insert(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    starts_at: SimTime,
) -> Result<(), Error> {
    packages(conn, catalogue).await?;
    let first: Vec<_> = (0..)
        .take(catalogue.packages.len())
        .map(|package| (ReleaseRef { package: PackageId(package), release: 0 }, starts_at))
        .collect();
    packages::insert_releases(conn, catalogue, &first).await?;
    images(conn, catalogue, starts_at).await?;
    policies(conn, &catalogue.policies).await?;
    customers(conn, catalogue).await
}

fn ordinals(count: usize) -> Vec<i64> {
    (0..).take(count).collect()
}

async fn packages(conn: &mut PgConnection, catalogue: &Catalogue) -> Result<(), Error> {
    let rows = &catalogue.packages;
    sqlx::query(
        "INSERT INTO packages (id, name, license, supplier, description, end_of_life)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
                              $6::boolean[])",
    )
    .bind(ordinals(rows.len()))
    .bind(rows.iter().map(|p| p.name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.license.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.supplier.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.description.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.end_of_life).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn images(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    starts_at: SimTime,
) -> Result<(), Error> {
    let rows = &catalogue.images;
    let ends = rows
        .iter()
        .map(|i| i.end_of_life.map(instant).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO images (id, name, description, base_image_id, depth, main_package_id,
             own_packages, end_of_life_at, tenant_namespace, created_at)
         SELECT id, name, description, base, depth, main, own::bigint[], ends, $9, $10
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::integer[],
                     $6::bigint[], $7::text[], $8::timestamptz[])
              AS new (id, name, description, base, depth, main, own, ends)
         ORDER BY depth",
    )
    .bind(ordinals(rows.len()))
    .bind(rows.iter().map(|i| i.name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|i| i.description.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|i| i.base.map(|b| i64::from(b.0))).collect::<Vec<_>>())
    .bind(rows.iter().map(|i| i.depth as i32).collect::<Vec<_>>())
    .bind(rows.iter().map(|i| i64::from(i.main_package.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|i| array_literal(&i.own_packages)).collect::<Vec<_>>())
    .bind(ends)
    .bind(SHARED_NAMESPACE)
    .bind(instant(starts_at)?)
    .execute(&mut *conn)
    .await?;
    Ok(image_packages(conn, &ordinals(rows.len())).await?)
}

/// Writes which packages new images are made of: their own and those of their bases.
pub async fn image_packages(conn: &mut PgConnection, images: &[i64]) -> sqlx::Result<()> {
    sqlx::query(
        "WITH RECURSIVE parts AS (
             SELECT id AS image_id, tenant_namespace, base_image_id, own_packages FROM images
             WHERE id = ANY ($1)
             UNION ALL
             SELECT p.image_id, p.tenant_namespace, b.base_image_id, b.own_packages
             FROM parts p JOIN images b ON b.id = p.base_image_id)
         INSERT INTO image_packages (package_id, image_id, tenant_namespace)
         SELECT DISTINCT unnest(own_packages), image_id, tenant_namespace FROM parts
         ON CONFLICT DO NOTHING",
    )
    .bind(images)
    .execute(conn)
    .await?;
    Ok(())
}

/// A list as a Postgres array literal: `unnest` cannot take a list of lists of unequal lengths.
pub(crate) fn array_literal(packages: &[PackageId]) -> String {
    let items: Vec<String> = packages.iter().map(|p| p.0.to_string()).collect();
    format!("{{{}}}", items.join(","))
}

async fn policies(conn: &mut PgConnection, rows: &[PolicyInfo]) -> Result<(), Error> {
    let days = |severity: Severity| -> Vec<Option<i32>> {
        rows.iter().map(|p| p.days[severity as usize].map(|days| days as i32)).collect()
    };
    sqlx::query(
        "INSERT INTO sla_policies (id, name, critical_days, high_days, medium_days, low_days,
             calendar, clock_start, pause_without_fix, exclude_over_permille, warn_permille,
             on_reexposure)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[],
             $5::integer[], $6::integer[], $7::text[], $8::text[], $9::boolean[],
             $10::integer[], $11::integer[], $12::text[])",
    )
    .bind(ordinals(rows.len()))
    .bind(rows.iter().map(|p| p.name.as_str()).collect::<Vec<_>>())
    .bind(days(Severity::Critical))
    .bind(days(Severity::High))
    .bind(days(Severity::Medium))
    .bind(days(Severity::Low))
    .bind(rows.iter().map(|p| calendar_name(p.calendar)).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| clock_start_name(p.clock_start)).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.pause_without_fix).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.exclude_over_permille.map(|n| n as i32)).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.warn_permille as i32).collect::<Vec<_>>())
    .bind(rows.iter().map(|p| p.on_reexposure.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn calendar_name(calendar: Calendar) -> &'static str {
    match calendar {
        Calendar::Calendar => "calendar",
        Calendar::Business => "business",
    }
}

fn clock_start_name(start: ClockStart) -> &'static str {
    match start {
        ClockStart::FixAvailable => "fix_available",
        ClockStart::Detected => "detected",
        ClockStart::Published => "published",
    }
}

async fn customers(conn: &mut PgConnection, catalogue: &Catalogue) -> Result<(), Error> {
    let rows = &catalogue.customers;
    sqlx::query(
        "INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email,
             sla_tier, policy_id)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
             $6::text[], $7::bigint[])",
    )
    .bind(ordinals(rows.len()))
    .bind(rows.iter().map(|c| c.namespace.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|c| c.name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|c| c.contact_name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|c| c.contact_email.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|c| c.tier.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|c| i64::from(c.policy.0)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
