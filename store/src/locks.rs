//! Every advisory lock of the platform: what it guards, who takes it, and how.
//!
//! | lock | guards | taken by | held |
//! |---|---|---|---|
//! | [`COMMANDS`] | the order of commands: sequence numbers without gaps, ordinals of new images | whoever submits a command ([`crate::commands`]) | to the end of the transaction |
//! | [`WORLD_CREATION`] | that a database gets one world | a conductor that opens a world | to the end of the transaction |
//! | [`LEADERSHIP`] | that one conductor leads | the leading conductor, on a connection of its own; standbys try | as long as the connection lives |
//! | [`STUDIES`] | that one director cuts studies into batches and puts them together | the director of every process that plays studies, on a connection of its own | as long as the connection lives |
//! | [`Quota`] of a tenant | how many webhook endpoints, or sources, it has | whoever adds one ([`crate::webhooks`]) | to the end of the transaction |
//! | [`Quota`] of studies | how many wait or run | whoever asks for one ([`crate::studies`]) | to the end of the transaction |
//!
//! No transaction takes two of them, and each is taken before any row is locked, so they cannot
//! deadlock. (Two locks that are no advisory ones stand in the way of whole transactions as well:
//! replacing the world locks the table `ledger` and then the row of `world`, and every transaction of
//! a leader locks that row before it writes.)
//!
//! Rows have one order too. Tables: `ledger`, `world`, `clock`, then what the world's jobs write; a
//! webhook endpoint before its deliveries; a row of the ledger, or a batch of a study, before the tasks
//! of `apalis.jobs`.
//! Within a table: by key, in statements that lock several rows and wait for them (`ORDER BY ... FOR
//! UPDATE`, or an insert in that order where rows may be there already). Whoever tidies up, and need
//! not have every row, does not wait at all (`SKIP LOCKED`): tasks and ended jobs that somebody else
//! is deleting, deliveries that another dispatcher has.
use sqlx::PgConnection;

/// Orders the transactions that submit commands.
pub const COMMANDS: i64 = 0x7761_7665_0001;
/// Lets one conductor at a time create the world.
pub const WORLD_CREATION: i64 = 0x7761_7665_0002;
/// Held by the leading conductor for as long as its connection lives.
pub const LEADERSHIP: i64 = 0x7761_7665_0003;
/// Held by the director of studies for as long as its connection lives.
pub const STUDIES: i64 = 0x7761_7665_0004;

/// What a tenant, or the platform, may have only so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Endpoints of outgoing webhooks.
    WebhookEndpoints,
    /// Sources of incoming webhooks.
    WebhookSources,
    /// Studies that wait or run.
    Studies,
}

/// Waits for a lock and holds it to the end of the transaction.
pub async fn lock(conn: &mut PgConnection, key: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key).execute(conn).await?;
    Ok(())
}

/// Waits for the lock on a tenant's quota (none: the platform's), held to the end of the transaction.
pub async fn lock_quota(
    conn: &mut PgConnection,
    quota: Quota,
    tenant: Option<&str>,
) -> sqlx::Result<()> {
    let name = match quota {
        Quota::WebhookEndpoints => "webhooks",
        Quota::WebhookSources => "sources",
        Quota::Studies => "studies",
    };
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1::text || ' ' || coalesce($2::text, ''), 0))")
        .bind(name)
        .bind(tenant)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a lock for as long as the connection lives, if it is free; whether it was.
pub async fn try_lock_session(conn: &mut PgConnection, key: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(key).fetch_one(conn).await
}

/// Whether some session of this database holds a lock.
pub async fn is_held(conn: &mut PgConnection, key: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
             WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
               AND d.datname = current_database()
               AND l.classid::bigint = (($1::bigint >> 32) & 4294967295)
               AND l.objid::bigint = ($1::bigint & 4294967295))",
    )
    .bind(key)
    .fetch_one(conn)
    .await
}
