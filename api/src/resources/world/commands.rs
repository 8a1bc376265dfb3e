//! What was asked of the world and what became of it; scans and evaluations that are asked for.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup::{is_name, ordinal};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::http::strict_text::Text;
use crate::http::time::{self, Instant};
use crate::http::examples;
use crate::schemas::command::{Command, Stored, namespace, store_command};
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
    StartScan: InvalidBody, BodyTooLarge, UnsupportedMediaType, UnknownImage, OtherKernel
}
failures! {
    /// An evaluation can be asked for whenever the world can go on.
    StartSlaCheck: OtherKernel
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
