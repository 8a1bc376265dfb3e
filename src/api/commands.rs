//! What was asked of the world and what became of it; scans and evaluations that are asked for.
use super::caller::Caller;
use super::images::create::ordinal;
use super::images::is_name;
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, world};
use super::text::Text;
use super::time::{self, Instant};
use super::tour;
use super::write::{Done, Write};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use sim::ids::ImageId;
use store::read::commands::{CommandRow, command};
use store::read::definitions::definition;

pub(crate) struct CommandsApi(pub(crate) ApiState);

failures! {
    /// One command.
    OneCommand: InvalidParameter, AsOfInFuture, CommandNotFound
}
failures! {
    /// A scan that cannot be made.
    StartScan: InvalidBody, BodyTooLarge, UnsupportedMediaType, UnknownImage
}
failures! {
    /// An evaluation can always be asked for.
    StartSlaCheck:
}

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

/// Stores a command about a tenant (or the catalogue), and answers with it.
pub(crate) async fn store_command(
    mut write: Write,
    tenant: &str,
    command: sim::command::Command,
) -> Result<Stored, Problem> {
    let seq = store::commands::submit_for(&mut write, tenant, |_| command).await?;
    let seq = i64::try_from(seq).map_err(Problem::internal)?;
    let row = store::read::commands::command(&mut write, seq).await?;
    let row = row.ok_or_else(|| Problem::internal("a stored command is not to be seen"))?;
    let body = Command::new(row);
    let location = body.href.clone();
    let done = Done { status: 202, object: &location, location: Some(&location), body: &body };
    write.commit(done).await?;
    Ok(Stored::Accepted(Json(body), location))
}

/// Who a command without an object of its own is about: the caller's tenant, or everybody.
pub(crate) fn namespace(caller: &Caller) -> &str {
    caller.tenant().unwrap_or(store::catalogue::SHARED_NAMESPACE)
}

/// What to scan.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewScan {
    /// The name of the image whose versions in use are scanned; all images when absent.
    #[oai(validator(min_length = 1, max_length = 63))]
    image: Option<Text>,
}

impl Example for NewScan {
    fn example() -> Self {
        NewScan { image: Some(tour::IMAGE.into()) }
    }
}

#[OpenApi(tag = "Tag::Commands")]
impl CommandsApi {
    /// Read a command
    ///
    /// Whether the world has taken it, and when, or why it was refused. A command belongs to no
    /// instant before the one at which the world takes it: with an earlier `as_of` there is none.
    #[oai(path = "/v1/commands/:id", method = "get", operation_id = "getCommand")]
    async fn get(
        &self,
        caller: Caller,
        /// The command's number.
        #[oai(validator(minimum(value = "0")), example = "example_command")]
        id: Path<i64>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<Command>, Failure<OneCommand>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let moment = view.moment;
        let known = |row: &CommandRow| {
            row.applied_at.map_or(moment.newest, |at| moment.newest || at <= moment.as_of)
        };
        let row = command(view.conn(), id.0).await?.filter(known).ok_or_else(|| {
            let detail = format!("There is no command {} as of {}.", id.0, view.as_of());
            Problem::new(Code::CommandNotFound, detail)
        })?;
        Ok(Json(Command::new(row)))
    }

    /// Scan now
    ///
    /// Looks at the versions in use, of one image or of all, beside the scheduled passes. The scan
    /// appears among GET /v1/scans with the trigger `requested`, a millisecond after the instant
    /// at which the world took the command.
    #[oai(path = "/v1/scans", method = "post", operation_id = "startScan")]
    async fn scan(
        &self,
        caller: Caller,
        wanted: Json<NewScan>,
    ) -> Result<Stored, Failure<StartScan>> {
        let mut write = self.0.write(&caller).await?;
        world(&mut write).await?;
        let (image, tenant) = match wanted.image.as_deref() {
            Some(name) => {
                let found = if is_name(name) { definition(&mut write, name).await? } else { None };
                let found = found.ok_or_else(|| {
                    Problem::new(Code::UnknownImage, format!("There is no image {name:?}."))
                })?;
                (Some(ImageId(ordinal(found.id)?)), namespace(&caller).to_owned())
            }
            None => (None, namespace(&caller).to_owned()),
        };
        let scan = sim::command::Command::Scan { image };
        Ok(store_command(write, &tenant, scan).await?)
    }

    /// Evaluate SLA timers now
    ///
    /// Beside the scheduled evaluations: what is late is recorded, and customers are told, a
    /// millisecond after the instant at which the world took the command.
    #[oai(path = "/v1/sla-checks", method = "post", operation_id = "startSlaCheck")]
    async fn sla_check(&self, caller: Caller) -> Result<Stored, Failure<StartSlaCheck>> {
        let mut write = self.0.write(&caller).await?;
        world(&mut write).await?;
        let tenant = namespace(&caller).to_owned();
        Ok(store_command(write, &tenant, sim::command::Command::CheckSla).await?)
    }
}

fn example_command() -> i64 {
    1
}
