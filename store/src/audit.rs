//! The audit log: who did what. Each line is a leaf of a Merkle tree, so that no line can be
//! changed, moved or taken away unnoticed.
use crate::catalogue::SHARED_NAMESPACE;
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use documents::merkle::{Hash, leaf_hash};
use documents::{Timestamp, canonical};
use serde::Serialize;
use serde_json::Value;
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// One line of the audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The fact's sequence number.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// Whose it is.
    pub tenant_namespace: String,
    /// The particulars.
    pub detail: Value,
}

impl Audit {
    /// A line about what is everybody's.
    pub fn shared(seq: u64, at: SimTime, actor: String, action: &str, object: String) -> Self {
        let (action, tenant_namespace) = (action.to_owned(), SHARED_NAMESPACE.to_owned());
        Audit { seq, at, actor, action, object, tenant_namespace, detail: Value::Null }
    }

    /// The bytes of the line as a leaf: canonical JSON of all columns.
    ///
    /// # Errors
    /// An instant that no calendar date stands for.
    pub fn leaf(&self) -> Result<Vec<u8>, Error> {
        #[derive(Serialize)]
        struct Leaf<'a> {
            id: u64,
            at: String,
            actor: &'a str,
            action: &'a str,
            object: &'a str,
            tenant_namespace: &'a str,
            detail: &'a Value,
        }
        let at = Timestamp::from_ms(self.at.0).map_err(|_| Error::Instant(self.at))?;
        let leaf = Leaf {
            id: self.seq,
            at: at.to_millis_text(),
            actor: &self.actor,
            action: &self.action,
            object: &self.object,
            tenant_namespace: &self.tenant_namespace,
            detail: &self.detail,
        };
        Ok(canonical::to_vec("audit line", &leaf)?)
    }
}

/// Writes lines of the audit log.
pub async fn insert(conn: &mut PgConnection, lines: &[Audit]) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let ats = lines.iter().map(|l| instant(l.at)).collect::<Result<Vec<_>, _>>()?;
    let leaves = lines.iter().map(|l| Ok(leaf_hash(&l.leaf()?).to_vec()));
    let leaves = leaves.collect::<Result<Vec<_>, Error>>()?;
    sqlx::query(
        "INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail,
             leaf_hash)
         SELECT id, at, actor, action, object, namespace, detail::jsonb, leaf
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
                     $6::text[], $7::text[], $8::bytea[])
              AS new (id, at, actor, action, object, namespace, detail, leaf)",
    )
    .bind(lines.iter().map(|l| l.seq as i64).collect::<Vec<_>>())
    .bind(ats)
    .bind(lines.iter().map(|l| l.actor.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.action.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.object.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.tenant_namespace.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.detail.to_string()).collect::<Vec<_>>())
    .bind(leaves)
    .execute(conn)
    .await?;
    Ok(())
}

/// Assigns indexes in the log, from `first` on, to the lines of the facts up to `through_seq`, in
/// order. Returns the hashes of their leaves.
pub async fn append_to_log(
    conn: &mut PgConnection,
    first: u64,
    through_seq: u64,
) -> Result<Vec<Hash>, Error> {
    let rows = sqlx::query(
        "WITH next AS (
             SELECT id, $1 + row_number() OVER (ORDER BY id) - 1 AS log_index
             FROM audit_logs WHERE log_index IS NULL AND id <= $2
         )
         UPDATE audit_logs a SET log_index = next.log_index FROM next WHERE a.id = next.id
         RETURNING a.log_index, a.leaf_hash",
    )
    .bind(first as i64)
    .bind(through_seq as i64)
    .fetch_all(conn)
    .await?;
    super::logs::in_order(rows)
}

/// The hashes of all leaves from that index on, as they were recorded with the lines; also of lines
/// that are no longer kept.
pub async fn leaf_hashes(conn: &mut PgConnection, from: u64) -> Result<Vec<Hash>, Error> {
    let rows = sqlx::query(
        "SELECT log_index, leaf_hash FROM audit_logs WHERE log_index >= $1
         UNION ALL
         SELECT log_index, leaf_hash FROM expired_leaves WHERE log = 'audit' AND log_index >= $1",
    )
    .bind(from as i64)
    .fetch_all(conn)
    .await?;
    super::logs::in_order(rows)
}

/// The bytes of the leaves from that index on, made from the lines as they stand now.
pub async fn leaves(conn: &mut PgConnection, from: u64) -> Result<Vec<Vec<u8>>, Error> {
    let lines = lines(conn, Some(from)).await?;
    lines.iter().map(Audit::leaf).collect()
}

/// The lines by id: all of them, or those from an index of the log on.
pub async fn lines(conn: &mut PgConnection, from: Option<u64>) -> Result<Vec<Audit>, Error> {
    let rows = sqlx::query(
        "SELECT id, sim_ms(at), actor, action, object, tenant_namespace, detail FROM audit_logs
         WHERE $1::bigint IS NULL OR log_index >= $1 ORDER BY id",
    )
    .bind(from.map(|from| from as i64))
    .fetch_all(conn)
    .await?;
    let lines = rows.into_iter().map(|row| {
        Ok(Audit {
            seq: number("audit_logs.id", row.try_get::<i64, _>(0)?)?,
            at: SimTime(row.try_get(1)?),
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            object: row.try_get(4)?,
            tenant_namespace: row.try_get(5)?,
            detail: row.try_get(6)?,
        })
    });
    lines.collect()
}
