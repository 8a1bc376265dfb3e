//! What callers did and what they were refused.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::pages::{PageQuery, Pager, page};
use crate::http::problem::{Failure, failures};
use crate::http::query::{length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::actions::{ActionFilter, ActionRow};

pub(crate) struct ActionsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListActions: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Outcome {
    /// It was done.
    Done,
    /// It was refused; `code` says why.
    Refused,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        }
    }
}

/// Something that a caller did, or tried.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Action {
    /// Its number, in the order of writing.
    id: i64,
    /// When it happened, in real time.
    happened_wall: Instant,
    /// The simulated instant at which the world stood.
    at: Option<Instant>,
    /// The id of the caller's API key, or the part of the platform that acted.
    actor: String,
    /// The caller's role.
    role: String,
    /// The caller's tenant; absent: the platform.
    tenant_namespace: Option<String>,
    /// The operation of this specification.
    operation: String,
    /// What it was done to: the path of a resource.
    object: String,
    /// How it ended.
    outcome: Outcome,
    /// The code of the problem, when it was refused.
    code: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    request_id: String,
}

impl From<ActionRow> for Action {
    fn from(row: ActionRow) -> Self {
        Action {
            id: row.id,
            happened_wall: row.happened_wall.into(),
            at: row.at.map(Instant::from),
            actor: row.actor,
            role: row.role,
            tenant_namespace: row.tenant_namespace,
            operation: row.operation,
            object: row.object,
            outcome: if row.outcome == "done" { Outcome::Done } else { Outcome::Refused },
            code: row.code,
            request_id: row.request_id,
        }
    }
}

impl Example for Action {
    fn example() -> Self {
        Action {
            id: 7,
            happened_wall: time::example(9),
            at: Some(time::example(6)),
            actor: "0123456789abcdef".to_owned(),
            role: "editor".to_owned(),
            tenant_namespace: None,
            operation: "buildImage".to_owned(),
            object: "/v1/builds/1000000001".to_owned(),
            outcome: Outcome::Done,
            code: None,
            request_id: "01KBA2Z5W4T0Q3S9V7XJ8M6N1C".to_owned(),
        }
    }
}

page! {
    /// A page of actions.
    ActionPage of Action
}

query! {
    /// The parameters of listActions.
    struct ListActionsQuery {
        /// Only actions of this API key: its id.
        actor: Option<String> = length(1, 63).pattern("^[\\x21-\\x7e]+$"),
        /// Only actions with this operation.
        operation: Option<String> = length(1, 63).pattern("^[A-Za-z]+$"),
        /// Only actions that ended so.
        outcome: Option<Outcome>,
    }
}

impl Resource for ActionsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("listActions", Access::Read)];

    fn new(state: &ApiState) -> Self {
        ActionsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Identity")]
impl ActionsApi {
    /// List actions
    ///
    /// What callers of this API did and were refused, the latest first: every write, every denied
    /// request and every wrong key. A tenant sees its own. What the world itself did is in the
    /// audit log. With `as_of`, only actions that happened when the world stood at that simulated
    /// instant or earlier.
    #[oai(path = "/v1/actions", method = "get", operation_id = "listActions")]
    async fn list(
        &self,
        caller: Caller,
        query: ListActionsQuery,
        page: PageQuery,
    ) -> Result<Json<ActionPage>, Failure<ListActions>> {
        let outcome = query.outcome.map(Outcome::as_str);
        let as_of = page.as_of();
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let filter = ActionFilter {
            tenant_namespace: caller.tenant(),
            actor: query.actor.as_deref(),
            operation: query.operation.as_deref(),
            outcome,
            // Without an instant, also those of the world before this one, and of no world.
            as_of: as_of.map(Instant::datetime),
        };
        let (before, limit) = (pager.after, pager.limit());
        let conn = pager.snapshot.conn();
        let total = store::actions::total(conn, &filter).await?;
        let mut rows = store::actions::list(conn, &filter, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(Action::from).collect();
        Ok(Json(ActionPage::new(items, total, next, &pager.snapshot)))
    }
}
