//! What callers did and what they were refused.
use super::caller::Caller;
use super::page::{self, Scope};
use super::problem::{Failure, failures};
use super::spec::Tag;
use super::state::ApiState;
use super::time::{self, Instant};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::actions::{ActionFilter, ActionRow};

pub(crate) struct ActionsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListActions: InvalidParameter, UnknownParameter, InvalidPageToken
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
struct Action {
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

/// Actions.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct ActionPage {
    /// The actions, the latest first.
    items: Vec<Action>,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl Example for ActionPage {
    fn example() -> Self {
        ActionPage { items: vec![Action::example()], next_page_token: None }
    }
}

#[OpenApi(tag = "Tag::Identity")]
impl ActionsApi {
    /// List actions
    ///
    /// What callers of this API did and were refused, the latest first: every write, every denied
    /// request and every wrong key. A tenant sees its own. What the world itself did is in the
    /// audit log.
    #[oai(path = "/v1/actions", method = "get", operation_id = "listActions")]
    async fn list(
        &self,
        caller: Caller,
        /// Only actions of this API key: its id.
        #[oai(validator(min_length = 1, max_length = 63, pattern = "^[\\x21-\\x7e]+$"))]
        actor: Query<Option<String>>,
        /// Only actions with this operation.
        #[oai(validator(min_length = 1, max_length = 63, pattern = "^[A-Za-z]+$"))]
        operation: Query<Option<String>>,
        /// Only actions that ended so.
        outcome: Query<Option<Outcome>>,
        /// How many actions a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ActionPage>, Failure<ListActions>> {
        let outcome = outcome.map(Outcome::as_str);
        let scope = Scope::new("actions", &(&actor.0, &operation.0, outcome))?;
        let start = page::start::<i64>(&scope, page_token.as_deref())?;
        let mut view = self.0.view(&caller, None).await?;
        let filter = ActionFilter {
            actor: actor.as_deref(),
            operation: operation.as_deref(),
            outcome,
            before: start.map(|start| start.key),
        };
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let mut rows = store::actions::list(view.conn(), &filter, i64::from(size) + 1).await?;
        let more = page::cut(&mut rows, size);
        let last = rows.last().filter(|_| more).map(|row| row.id);
        let token = last.map(|key| page::token(&scope, view.moment, key));
        Ok(Json(ActionPage {
            next_page_token: token.transpose()?,
            items: rows.into_iter().map(Action::from).collect(),
        }))
    }
}
