//! SLSA levels: the table of trusted builders, and the assessments with their evidence.
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use documents::slsa_level::Assessment;
use sim::ids::VersionRef;
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// A row of the table of trusted builders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The builder's name.
    pub builder: String,
    /// The highest level that it is granted.
    pub level: u8,
    /// Since when.
    pub from: SimTime,
    /// The fact that ended it: by it, and not by its instant, so that what happened at the same
    /// instant before it was still trusted.
    pub ended: Option<u64>,
}

impl Trust {
    /// Whether it held when the fact with that sequence number happened, at that instant.
    pub fn holds(&self, seq: u64, at: SimTime) -> bool {
        self.from <= at && self.ended.is_none_or(|ended| seq < ended)
    }
}

/// Grants trust to builders from an instant on, with the signer's key of that id.
pub async fn trust(
    conn: &mut PgConnection,
    key_id: &str,
    builders: &[(String, u8)],
    from: SimTime,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO trusted_builders (builder, key_id, slsa_level, valid_from)
         SELECT builder, $3, level, $4 FROM unnest($1::text[], $2::integer[]) AS b (builder, level)
         ON CONFLICT DO NOTHING",
    )
    .bind(builders.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
    .bind(builders.iter().map(|(_, level)| i32::from(*level)).collect::<Vec<_>>())
    .bind(key_id)
    .bind(instant(from)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// The end of the trust in a builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrusted {
    /// The builder's name.
    pub builder: String,
    /// The fact that ends it.
    pub seq: u64,
    /// When.
    pub at: SimTime,
}

/// Grants a builder a level from an instant on, unless something was said of it before.
pub async fn trust_once(
    conn: &mut PgConnection,
    builder: &str,
    level: u8,
    from: SimTime,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO trusted_builders (builder, key_id, slsa_level, valid_from)
         SELECT $1, key_id, $2, $3
         FROM (SELECT DISTINCT key_id FROM trusted_builders) known
         WHERE NOT EXISTS (SELECT FROM trusted_builders t WHERE t.builder = $1)",
    )
    .bind(builder)
    .bind(i32::from(level))
    .bind(instant(from)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes trust away from builders; where it has ended already, nothing changes.
pub async fn distrust(conn: &mut PgConnection, ends: &[Distrusted]) -> Result<(), Error> {
    if ends.is_empty() {
        return Ok(());
    }
    let ats = ends.iter().map(|end| instant(end.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE trusted_builders t SET valid_to = e.at, ended_seq = e.seq
         FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS e (builder, seq, at)
         WHERE t.builder = e.builder AND t.valid_to IS NULL",
    )
    .bind(ends.iter().map(|end| end.builder.as_str()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.seq as i64).collect::<Vec<_>>())
    .bind(ats)
    .execute(conn)
    .await?;
    Ok(())
}

/// All rows of trust for the key of that id, by builder and instant.
pub async fn trusted(conn: &mut PgConnection, key_id: &str) -> Result<Vec<Trust>, Error> {
    let rows = sqlx::query(
        "SELECT builder, slsa_level, sim_ms(valid_from), ended_seq FROM trusted_builders
         WHERE key_id = $1 ORDER BY builder COLLATE \"C\", valid_from",
    )
    .bind(key_id)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Trust {
                builder: row.try_get(0)?,
                level: number("trusted_builders.slsa_level", row.try_get::<i32, _>(1)?)?,
                from: SimTime(row.try_get(2)?),
                ended: row
                    .try_get::<Option<i64>, _>(3)?
                    .map(|seq| number("trusted_builders.ended_seq", seq))
                    .transpose()?,
            })
        })
        .collect()
}

/// An assessment of a version.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// The fact that asked for it.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// What was assessed.
    pub version: VersionRef,
    /// The level and the evidence.
    pub assessment: Assessment,
}

/// Writes assessments, but for those that find what the one before found; those that are there
/// already stay as they are.
pub async fn insert(conn: &mut PgConnection, assessed: &[Assessed]) -> Result<(), Error> {
    if assessed.is_empty() {
        return Ok(());
    }
    let ats = assessed.iter().map(|a| instant(a.at)).collect::<Result<Vec<_>, _>>()?;
    let checks = assessed
        .iter()
        .map(|a| {
            serde_json::to_string(&a.assessment.checks)
                .map_err(|source| Error::Encode { what: "evidence", source })
        })
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO slsa_assessments (image_id, version, seq, tenant_namespace, assessed_at,
             slsa_level, checks)
         SELECT a.image_id, a.version, a.seq, i.tenant_namespace, a.at, a.level, a.checks::jsonb
         FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::timestamptz[], $5::integer[],
                     $6::text[]) AS a (image_id, version, seq, at, level, checks)
         JOIN images i ON i.id = a.image_id
         LEFT JOIN LATERAL (
             SELECT s.slsa_level, s.checks FROM slsa_assessments s
             WHERE s.image_id = a.image_id AND s.version = a.version AND s.seq < a.seq
             ORDER BY s.seq DESC LIMIT 1) AS before ON true
         WHERE a.level IS DISTINCT FROM before.slsa_level
            OR a.checks::jsonb IS DISTINCT FROM before.checks
         ON CONFLICT DO NOTHING",
    )
    .bind(assessed.iter().map(|a| i64::from(a.version.image.0)).collect::<Vec<_>>())
    .bind(assessed.iter().map(|a| a.version.version as i32).collect::<Vec<_>>())
    .bind(assessed.iter().map(|a| a.seq as i64).collect::<Vec<_>>())
    .bind(ats)
    .bind(assessed.iter().map(|a| i32::from(a.assessment.level)).collect::<Vec<_>>())
    .bind(checks)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_ends_with_a_fact_and_not_with_its_instant() {
        let (from, at) = (SimTime(10), SimTime(20));
        let mut trust = Trust { builder: "builder-0".to_owned(), level: 3, from, ended: None };
        assert!(trust.holds(1, from) && trust.holds(9, at));
        assert!(!trust.holds(1, SimTime(9)), "not before it began");
        trust.ended = Some(5);
        assert!(trust.holds(4, at), "what happened before it, at the same instant");
        assert!(!trust.holds(5, at) && !trust.holds(6, at));
    }
}
