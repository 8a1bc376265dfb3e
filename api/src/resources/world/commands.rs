//! What was asked of the world and what became of it; scans and evaluations that are asked for.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::AsOf;
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use crate::schemas::command::{Command, Stored};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use store::read::commands::{CommandRow, command};
use store::requests::scan;

pub(crate) struct CommandsApi(pub(crate) ApiState);

failures! {
    /// One command.
    OneCommand: InvalidParameter, AsOfInFuture, CommandNotFound
}
failures! {
    /// A scan that cannot be made.
    StartScan: InvalidBody, BodyTooLarge, UnsupportedMediaType, UnknownImage, KernelMismatch
}
failures! {
    /// An evaluation can be asked for whenever the world can go on.
    StartSlaCheck: KernelMismatch
}

/// What to scan.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewScan {
    /// The name of the image whose versions in use are scanned; all images when absent.
    #[oai(validator(min_length = 1, max_length = 63))]
    image: Option<StrictText>,
}

impl Example for NewScan {
    fn example() -> Self {
        NewScan { image: Some(examples::IMAGE.into()) }
    }
}

impl Resource for CommandsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("getCommand", Access::Builds),
        ("startScan", Access::Edit),
        ("startSlaCheck", Access::Edit),
    ];

    fn new(state: &ApiState) -> Self {
        CommandsApi(state.clone())
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
        as_of: AsOf,
    ) -> Result<Json<Command>, Failure<OneCommand>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let moment = snapshot.moment;
        let known = |row: &CommandRow| {
            row.applied_at.map_or(moment.newest, |at| moment.newest || at <= moment.as_of)
        };
        let row = command(snapshot.conn(), id.0).await?.filter(known).ok_or_else(|| {
            let detail = format!("There is no command {} as of {}.", id.0, snapshot.as_of());
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
        let row = scan::scan(&mut write, caller.requester(), wanted.image.as_deref()).await?;
        Ok(Stored::commit(write, row).await?)
    }

    /// Evaluate SLA timers now
    ///
    /// Beside the scheduled evaluations: what is late is recorded, and customers are told, a
    /// millisecond after the instant at which the world took the command.
    #[oai(path = "/v1/sla-checks", method = "post", operation_id = "startSlaCheck")]
    async fn sla_check(&self, caller: Caller) -> Result<Stored, Failure<StartSlaCheck>> {
        let mut write = self.0.write(&caller).await?;
        let row = scan::sla_check(&mut write, caller.requester()).await?;
        Ok(Stored::commit(write, row).await?)
    }
}

fn example_command() -> i64 {
    1
}
