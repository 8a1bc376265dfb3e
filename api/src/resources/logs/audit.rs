//! The audit log of the world: who did what in it, each line a leaf of a Merkle tree.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup;
use crate::http::order::{ByTime, direction};
use crate::http::pages::{PageQuery, Pager, page};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::param::Path;
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
pub(crate) struct AuditLog {
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

query! {
    /// The parameters of listAuditLogs.
    struct ListAuditLogsQuery {
        /// Only what this actor did.
        actor: Option<String> = length(1, 200),
        /// Only this action, such as `image.publish`.
        action: Option<String> = length(1, 63),
        /// Only what was done to this, such as `image/7/version/5`.
        object: Option<String> = length(1, 200),
        /// Only what belongs to this tenant, or `catalogue`.
        tenant: Option<String> = length(1, 128),
        /// The order; `-at` when absent.
        order_by: Option<ByTime>,
    }
}

impl Resource for AuditLogsApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listAuditLogs", Access::Read), ("getAuditLog", Access::Read)];

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
        query: ListAuditLogsQuery,
        page: PageQuery,
    ) -> Result<Json<AuditLogPage>, Failure<ListAuditLogs>> {
        let direction = direction(query.order_by);
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let tenant = lookup::namespace(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let filter = AuditFilter {
            actor: lookup::text("actor", query.actor.as_deref())?,
            action: lookup::text("action", query.action.as_deref())?,
            object: lookup::text("object", query.object.as_deref())?,
            tenant_namespace: tenant.as_deref(),
            direction,
        };
        let (moment, limit, before) = (pager.moment, pager.limit(), pager.after);
        let conn = pager.snapshot.conn();
        let total = lines_total(conn, moment, &filter).await?;
        let mut rows = lines(conn, moment, &filter, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(AuditLog::from).collect();
        Ok(Json(AuditLogPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a line of the audit log
    #[oai(path = "/v1/audit-logs/:id", method = "get", operation_id = "getAuditLog")]
    async fn get(
        &self,
        caller: Caller,
        /// The line's number.
        #[oai(validator(minimum(value = "0")), example = "example_line")]
        id: Path<i64>,
        as_of: AsOf,
    ) -> Result<Json<AuditLog>, Failure<OneAuditLog>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let moment = snapshot.moment;
        let row = line(snapshot.conn(), moment, id.0).await?.ok_or_else(|| {
            let detail = format!("The audit log has no line {} as of {}.", id.0, snapshot.as_of());
            Problem::new(Code::AuditLogNotFound, detail)
        })?;
        Ok(Json(row.into()))
    }
}

fn example_line() -> i64 {
    examples::AUDIT_LOG
}
