//! A command, as every write that stores one answers.
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use crate::http::write::{Outcome, WriteTx};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object};
use store::read::commands::CommandRow;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum CommandStatus {
    /// The world has not taken it yet.
    Waiting,
    /// The world has taken it.
    Taken,
    /// The world has refused it; nothing was changed.
    Refused,
}

/// A command: what was asked, and what became of it.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Command {
    /// Its number.
    id: i64,
    /// What was asked.
    kind: String,
    /// What became of it.
    status: CommandStatus,
    /// Why the world refused it.
    reason: Option<String>,
    /// The simulated instant at which the world took it. What evaluations of SLA timers can see
    /// of it happens a millisecond later.
    taken_at: Option<Instant>,
    /// Whom it is about.
    tenant_namespace: String,
    /// When it was stored, in real time.
    received_wall: Instant,
    /// This command.
    pub(crate) href: String,
}

impl Command {
    pub(crate) fn new(row: CommandRow) -> Self {
        Command {
            id: row.seq,
            kind: row.kind,
            status: match (&row.rejected, row.applied_at) {
                (Some(_), _) => CommandStatus::Refused,
                (None, Some(_)) => CommandStatus::Taken,
                (None, None) => CommandStatus::Waiting,
            },
            reason: row.rejected,
            taken_at: row.applied_at.map(Into::into),
            tenant_namespace: row.tenant_namespace,
            received_wall: row.received_wall.into(),
            href: format!("/v1/commands/{}", row.seq),
        }
    }
}

impl Example for Command {
    fn example() -> Self {
        Command {
            id: 1,
            kind: "scan".to_owned(),
            status: CommandStatus::Waiting,
            reason: None,
            taken_at: None,
            tenant_namespace: "catalogue".to_owned(),
            received_wall: time::example(4800),
            href: "/v1/commands/1".to_owned(),
        }
    }
}

/// A command that was stored.
#[derive(ApiResponse)]
pub(crate) enum Stored {
    /// The world takes it at its current instant; the `Location` header and `href` say where to
    /// see what becomes of it.
    #[oai(status = 202)]
    Accepted(
        Json<Command>,
        /// Where to see what becomes of it.
        #[oai(header = "Location")]
        String,
    ),
}

impl Stored {
    /// Commits a request whose command was stored, and answers with the command.
    pub(crate) async fn commit(write: WriteTx, row: CommandRow) -> Result<Self, Problem> {
        let body = Command::new(row);
        let location = body.href.clone();
        let done =
            Outcome { status: 202, object: &location, location: Some(&location), body: &body };
        write.commit(done).await?;
        Ok(Stored::Accepted(Json(body), location))
    }
}
