//! The audit log of the world: who did what in it, each line a leaf of a Merkle tree.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup as filter;
use crate::http::order::{ByTime, direction};
use crate::http::pages::{Turn, page};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{self, Instant, example_as_of};
use crate::http::examples;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::{Any, Example};
use poem_openapi::{Object, OpenApi};
use serde_json::{Value, json};
use store::read::audit::{AuditFilter, AuditRow, line, lines, lines_total};

pub(crate) struct AuditLogsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListAuditLogs: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One line.
    OneAuditLog: InvalidParameter, UnknownParameter, AsOfInFuture, AuditLogNotFound
}

/// A line of the audit log.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct AuditLog {
    /// Its number: the place of its fact.
    id: i64,
    /// When it happened.
    at: Instant,
    /// Who did it: a builder, a part of the platform, `api`, `webhook`, an attacker.
    actor: String,
    /// What was done.
    action: String,
    /// To what.
    object: String,
    /// Whose it is; `catalogue` for what all see.
    tenant_namespace: String,
    /// The particulars, by action.
    detail: Any<Value>,
    /// The hash of its leaf, hexadecimal.
    leaf_hash: String,
    /// Its index in the audit log's Merkle tree; absent until it is there.
    log_index: Option<i64>,
    /// The proof that it is there.
    inclusion_proof_href: Option<String>,
    /// This line.
    href: String,
}

impl From<AuditRow> for AuditLog {
    fn from(row: AuditRow) -> Self {
        let proof = |index| format!("/v1/logs/audit/inclusion-proof?index={index}");
        AuditLog {
            href: format!("/v1/audit-logs/{}", row.id),
            id: row.id,
            at: row.at.into(),
            actor: row.actor,
            action: row.action,
            object: row.object,
            tenant_namespace: row.tenant_namespace,
            detail: Any(row.detail),
            leaf_hash: hex::encode(row.leaf_hash),
            log_index: row.log_index,
            inclusion_proof_href: row.log_index.map(proof),
        }
    }
}

impl Example for AuditLog {
    fn example() -> Self {
        AuditRow {
            id: 815,
            at: time::example(2).datetime(),
            actor: "builder-2".to_owned(),
            action: "image.publish".to_owned(),
            object: "image/7/version/5".to_owned(),
            tenant_namespace: "catalogue".to_owned(),
            detail: json!({"build": 312}),
            leaf_hash: vec![0xab; 32],
            log_index: Some(98),
        }
        .into()
    }
}

page! {
    /// A page of the audit log.
    AuditLogPage of AuditLog
}

impl Resource for AuditLogsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listAuditLogs", Access::Read),
        ("getAuditLog", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        AuditLogsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Logs")]
impl AuditLogsApi {
    /// List the audit log
    ///
    /// What was asked for from outside, published, judged, or is not to be trusted any more:
    /// simulated history, provable in the audit log's Merkle tree. What callers of
    /// this API did and were refused, with request ids and real time, is at GET /v1/actions.
    #[oai(path = "/v1/audit-logs", method = "get", operation_id = "listAuditLogs")]
    async fn list(
        &self,
        caller: Caller,
        /// Only what this actor did.
        #[oai(validator(min_length = 1, max_length = 200))]
        actor: Query<Option<String>>,
        /// Only this action, such as `image.publish`.
        #[oai(validator(min_length = 1, max_length = 63))]
        action: Query<Option<String>>,
        /// Only what was done to this, such as `image/7/version/5`.
        #[oai(validator(min_length = 1, max_length = 200))]
        object: Query<Option<String>>,
        /// Only what belongs to this tenant, or `catalogue`.
        #[oai(validator(min_length = 1, max_length = 128))]
        tenant: Query<Option<String>>,
        /// The order; `-at` when absent.
        order_by: Query<Option<ByTime>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many lines a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<AuditLogPage>, Failure<ListAuditLogs>> {
        let direction = direction(order_by.0);
        let filters = (&actor.0, &action.0, &object.0, &tenant.0, direction.is_ascending());
        let list = ("audit logs", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<i64>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let tenant = filter::namespace(&mut turn.view, tenant.as_deref()).await?;
        let filter = AuditFilter {
            actor: filter::text("actor", actor.as_deref())?,
            action: filter::text("action", action.as_deref())?,
            object: filter::text("object", object.as_deref())?,
            tenant_namespace: tenant.as_deref(),
            direction,
        };
        let (moment, limit, before) = (turn.moment, turn.limit(), turn.after);
        let conn = turn.view.conn();
        let total = lines_total(conn, moment, &filter).await?;
        let mut rows = lines(conn, moment, &filter, before, limit).await?;
        let next = turn.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(AuditLog::from).collect();
        Ok(Json(AuditLogPage::new(items, total, next, &turn.view)))
    }

    /// Read a line of the audit log
    #[oai(path = "/v1/audit-logs/:id", method = "get", operation_id = "getAuditLog")]
    async fn get(
        &self,
        caller: Caller,
        /// The line's number.
        #[oai(validator(minimum(value = "0")), example = "example_line")]
        id: Path<i64>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<AuditLog>, Failure<OneAuditLog>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let moment = view.moment;
        let row = line(view.conn(), moment, id.0).await?.ok_or_else(|| {
            let detail = format!("The audit log has no line {} as of {}.", id.0, view.as_of());
            Problem::new(Code::AuditLogNotFound, detail)
        })?;
        Ok(Json(row.into()))
    }
}

fn example_line() -> i64 {
    examples::AUDIT_LOG
}
