//! What may be asked of the world: typed requests and typed refusals, for every caller.
//!
//! A request checks the rules of the platform (who owns an image, what a derived image inherits,
//! what end of life forbids), then stores a command and the rows that the caller sees at once, all in
//! the transaction it is given. The HTTP API, the webhooks and the command line are thin callers: none
//! of these rules is theirs. A refused request has written nothing that its caller may commit.
pub mod advisory;
pub mod build;
pub mod clock;
pub mod completion;
pub mod incident;
mod lookup;
mod refusal;
pub mod scan;
pub mod scenario_load;
pub mod upstream;
pub mod usage;

pub use lookup::position;
pub use refusal::{Refusal, UnknownPackageName};

use crate::catalogue::SHARED_NAMESPACE;
use crate::commands;
use crate::read::commands::CommandRow;
use sim::command::Command;
use sqlx::PgConnection;

/// In whose name a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester<'a> {
    /// The platform itself, which may ask for anything.
    Platform,
    /// A tenant, by its namespace.
    Tenant(&'a str),
}

impl<'a> Requester<'a> {
    /// The tenant, if it is one.
    pub fn tenant(self) -> Option<&'a str> {
        match self {
            Requester::Platform => None,
            Requester::Tenant(namespace) => Some(namespace),
        }
    }

    /// Whom a request without an object of its own is about: the tenant, or everybody.
    pub fn namespace(self) -> &'a str {
        self.tenant().unwrap_or(SHARED_NAMESPACE)
    }
}

/// Stores a command about a tenant (or the catalogue) and reads it back as callers see it.
async fn submit(
    conn: &mut PgConnection,
    tenant_namespace: &str,
    command: Command,
) -> Result<CommandRow, Refusal> {
    let sequence = commands::submit_for(conn, tenant_namespace, |_| command).await?;
    let stored = crate::read::commands::command(conn, lookup::row_id(sequence)?).await?;
    stored.ok_or(Refusal::Vanished { what: "command" })
}
