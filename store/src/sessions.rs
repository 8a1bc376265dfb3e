//! Whether a database address leads to PostgreSQL, or to a pooler that divides sessions among clients.
//!
//! Prepared statements, advisory locks, `LISTEN`, roles and settings last as long as a session. Behind
//! a pooler by transactions, each transaction may run in another session, which others use too: two
//! conductors could lead, and the API could answer without its role. So that is refused at the start.
use crate::db;
use crate::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use std::collections::BTreeSet;

/// How often the probe is made. One round finds a pooler unless others use it at the same moment.
const ROUNDS: usize = 4;
/// How PostgreSQL shows the setting that every session of ours has.
const OURS: &str = "2min";

/// Refuses a pooler: looks whether two connections stay in a session of their own each, over several
/// transactions, with the settings they were opened with. Nothing of it uses a prepared statement.
///
/// # Errors
/// [`Error::Pooler`]; those of [`db::connect`] when the server cannot be reached.
pub async fn check(options: PgConnectOptions) -> Result<(), Error> {
    let session = db::session(options, db::Durability::Full);
    let mut one = connect(&session).await?;
    let mut other = connect(&session).await?;
    let checked = probe(&mut one, &mut other).await;
    if checked.is_err() {
        // What the probe began must not go to the pooler's next client.
        let _ = sqlx::raw_sql("ROLLBACK").execute(&mut other).await;
    }
    let _ = tokio::join!(one.close(), other.close());
    checked
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    match db::first_connection(options).await {
        // PgBouncer does not know most settings and says so.
        Err(Error::Unreachable { source }) if source.to_string().contains("startup parameter") => {
            Err(Error::Pooler { found: "it refuses the settings of a session".to_owned() })
        }
        other => other,
    }
}

async fn probe(one: &mut PgConnection, other: &mut PgConnection) -> Result<(), Error> {
    let (mut ones, mut others) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS {
        saw(process(one).await?, &mut ones, &others)?;
        saw(process(one).await?, &mut ones, &others)?;
        sqlx::raw_sql("BEGIN").execute(&mut *other).await?;
        saw(process(other).await?, &mut others, &ones)?;
        saw(process(one).await?, &mut ones, &others)?;
        sqlx::raw_sql("COMMIT").execute(&mut *other).await?;
        saw(process(other).await?, &mut others, &ones)?;
    }
    Ok(())
}

/// Keeps the process that a connection saw, which no other connection may see.
fn saw(process: i32, own: &mut BTreeSet<i32>, others: &BTreeSet<i32>) -> Result<(), Error> {
    own.insert(process);
    let found = if others.contains(&process) {
        "two connections share one session"
    } else if own.len() > 1 {
        "the transactions of one connection run in different sessions"
    } else {
        return Ok(());
    };
    Err(Error::Pooler { found: found.to_owned() })
}

/// The server's process behind a connection at this moment.
async fn process(conn: &mut PgConnection) -> Result<i32, Error> {
    let sql = "SELECT pg_backend_pid(), current_setting('idle_in_transaction_session_timeout')";
    let row = sqlx::raw_sql(sql).fetch_one(conn).await?;
    let setting: String = row.try_get(1)?;
    if setting != OURS {
        return Err(Error::Pooler { found: "the settings of a session are lost".to_owned() });
    }
    Ok(row.try_get(0)?)
}
