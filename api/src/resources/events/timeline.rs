//! What happened in the world, and the scans among it.
use super::details::{href, severities};
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup;
use crate::http::order::{ByTime, direction};
use crate::http::pages::{PageQuery, Pager, page};
use crate::http::problem::{Failure, Problem, failures};
use crate::http::query::{length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::schemas::severity::AdvisoryCounts;
use poem_openapi::payload::Json;
use poem_openapi::types::{Any, Example};
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::{Value, json};
use store::read::Visible;
use store::read::timeline::{TimelineFilter, TimelineRow, timeline, timeline_total};

pub(crate) struct TimelineApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListTimeline: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum TimelineKind {
    /// An advisory became public.
    AdvisoryPublished,
    /// Somebody has put another bundle in the place of a signed one.
    AttestationTampered,
    /// A build ended.
    BuildFinished,
    /// An attempt failed for no fault of the image.
    BuildFlaked,
    /// A build is covered by another one.
    BuildMerged,
    /// A build was asked for.
    BuildRequested,
    /// A builder took a build.
    BuildStarted,
    /// A builder is not trusted any more.
    BuilderDistrusted,
    /// Builders went out of service or came back.
    BuilderOutage,
    /// A finding was judged a false positive.
    FindingTriaged,
    /// Upstream has a fix.
    FixAvailable,
    /// An image was added.
    ImageCreated,
    /// Somebody was told something.
    Notified,
    /// The distribution released a package.
    PackageReleased,
    /// The scanner looked at versions.
    Scanned,
    /// SLA timers were evaluated.
    SlaChecked,
    /// A customer began to run a version.
    UsageChanged,
    /// A customer runs an image no longer.
    UsageEnded,
}

/// The kind of the evaluations of SLA timers: their particulars count those of all tenants.
const SLA_CHECKED: &str = "sla_checked";
/// The kind of scans.
const SCANNED: &str = "scanned";

/// Something that happened.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct TimelineEntry {
    /// Its place in the order of facts.
    seq: i64,
    /// When it happened.
    at: Instant,
    /// What kind of thing it is.
    kind: String,
    /// The tenant it concerns; `catalogue` for what all see.
    tenant_namespace: String,
    /// The image it concerns.
    image: Option<String>,
    /// The build it concerns.
    build_id: Option<i64>,
    /// The CVE it concerns.
    cve: Option<String>,
    /// The version it concerns; of a scan of one image, the one that was current.
    version: Option<i32>,
    /// The digest of that version.
    digest: Option<String>,
    /// The tags that it was published under.
    tags: Option<Vec<String>>,
    /// Which advisories were open in it after a scan of one image, by severity.
    severities: Option<AdvisoryCounts>,
    /// Where to read on.
    href: Option<String>,
    /// The particulars, by kind. Tenants do not see those of `sla_checked`, which count all
    /// tenants' timers.
    data: Option<Any<Value>>,
}

impl TimelineEntry {
    fn new(TimelineRow { event: row, data }: TimelineRow, caller: &Caller) -> Self {
        let hidden = caller.tenant().is_some() && row.kind == SLA_CHECKED;
        TimelineEntry {
            href: href(&row),
            severities: severities(&row.details),
            version: row.details.version,
            digest: row.details.digest,
            tags: row.details.tags,
            seq: row.seq,
            at: row.at.into(),
            kind: row.kind,
            tenant_namespace: row.tenant_namespace,
            image: row.image,
            build_id: row.build_id,
            cve: row.cve,
            data: (!hidden).then_some(Any(data)),
        }
    }
}

impl Example for TimelineEntry {
    fn example() -> Self {
        TimelineEntry {
            seq: 812,
            at: time::example(2),
            kind: "build_finished".to_owned(),
            tenant_namespace: "catalogue".to_owned(),
            image: Some(examples::IMAGE.to_owned()),
            build_id: Some(312),
            cve: None,
            version: Some(3),
            digest: Some(format!("sha256:{}", "d".repeat(64))),
            tags: Some(vec!["latest".to_owned(), "1.7".to_owned()]),
            severities: None,
            href: Some("/v1/builds/312".to_owned()),
            data: Some(Any(json!({"trigger": "cve_fix", "outcome": "published", "version": 3}))),
        }
    }
}

page! {
    /// A page of the timeline.
    TimelinePage of TimelineEntry
}

/// A pass of the scanner.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct ScanRun {
    /// Its place in the order of facts.
    id: i64,
    /// When it was made.
    at: Instant,
    /// Why: `push` (a version was published), `scheduled` or `requested`.
    trigger: String,
    /// The image it looked at; absent: all images in use.
    image: Option<String>,
    /// How many versions it looked at.
    versions: i64,
    /// How many findings they had.
    findings: i64,
    /// How many of those had not been known.
    new_findings: i64,
}

impl ScanRun {
    fn new(TimelineRow { event: row, data }: TimelineRow) -> Result<Self, Problem> {
        let wrong = || Problem::internal(format!("the scan {} cannot be read", row.seq));
        let count = |name: &str| data[name].as_i64().ok_or_else(wrong);
        Ok(ScanRun {
            id: row.seq,
            at: row.at.into(),
            trigger: data["trigger"].as_str().ok_or_else(wrong)?.to_owned(),
            versions: count("versions")?,
            findings: count("findings")?,
            new_findings: count("new")?,
            image: row.image,
        })
    }
}

impl Example for ScanRun {
    fn example() -> Self {
        ScanRun {
            id: 904,
            at: time::example(4),
            trigger: "requested".to_owned(),
            image: Some(examples::IMAGE.to_owned()),
            versions: 2,
            findings: 17,
            new_findings: 3,
        }
    }
}

page! {
    /// A page of scans.
    ScanPage of ScanRun
}

query! {
    /// The parameters of listTimeline.
    struct ListTimelineQuery {
        /// Only things of this kind.
        kind: Option<TimelineKind>,
        /// Only what concerns this tenant, or `catalogue`.
        tenant: Option<String> = length(1, 128),
        /// Only what concerns this image: its name or number.
        image: Option<String> = length(1, 63),
        /// Only what concerns this advisory: its CVE id.
        cve: Option<String> = length(1, 63),
        /// The order; `-at` when absent.
        order_by: Option<ByTime>,
    }
}

query! {
    /// The parameters of listScans.
    struct ListScansQuery {
        /// Only scans of this image alone: its name or number.
        image: Option<String> = length(1, 63),
        /// The order; `-at` when absent.
        order_by: Option<ByTime>,
    }
}

impl Resource for TimelineApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listTimeline", Access::Read), ("listScans", Access::Read)];

    fn new(state: &ApiState) -> Self {
        TimelineApi(state.clone())
    }
}

#[OpenApi]
impl TimelineApi {
    /// List what happened
    ///
    /// Everything that happened and that the caller may see. GET /v1/events tells the same as it
    /// happens.
    #[oai(
        path = "/v1/timeline",
        method = "get",
        operation_id = "listTimeline",
        tag = "Tag::Events"
    )]
    async fn list(
        &self,
        caller: Caller,
        query: ListTimelineQuery,
        page: PageQuery,
    ) -> Result<Json<TimelinePage>, Failure<ListTimeline>> {
        use poem_openapi::types::ToJSON;
        let kind = query.kind.and_then(|kind| kind.to_json());
        let kind = kind.as_ref().and_then(Value::as_str);
        let direction = direction(query.order_by);
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let tenant = lookup::namespace(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let filter = TimelineFilter {
            kind,
            visible: Visible::new(caller.tenant(), tenant.as_deref()),
            image_id: lookup::image(&mut pager.snapshot, query.image.as_deref()).await?,
            advisory_id: lookup::cve(&mut pager.snapshot, query.cve.as_deref()).await?,
            direction,
        };
        let (moment, limit, before) = (pager.moment, pager.limit(), pager.after);
        let conn = pager.snapshot.conn();
        let total = timeline_total(conn, moment, &filter).await?;
        let mut rows = timeline(conn, moment, &filter, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.event.seq)?;
        let items = rows.into_iter().map(|row| TimelineEntry::new(row, &caller)).collect();
        Ok(Json(TimelinePage::new(items, total, next, &pager.snapshot)))
    }

    /// List scans
    ///
    /// Every pass of the scanner: after each push, on schedule, and those that
    /// were asked for.
    #[oai(path = "/v1/scans", method = "get", operation_id = "listScans", tag = "Tag::Findings")]
    async fn scans(
        &self,
        caller: Caller,
        query: ListScansQuery,
        page: PageQuery,
    ) -> Result<Json<ScanPage>, Failure<ListTimeline>> {
        let direction = direction(query.order_by);
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let filter = TimelineFilter {
            kind: Some(SCANNED),
            visible: Visible::new(caller.tenant(), None),
            image_id: lookup::image(&mut pager.snapshot, query.image.as_deref()).await?,
            direction,
            ..TimelineFilter::default()
        };
        let (moment, limit, before) = (pager.moment, pager.limit(), pager.after);
        let conn = pager.snapshot.conn();
        let total = timeline_total(conn, moment, &filter).await?;
        let mut rows = timeline(conn, moment, &filter, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.event.seq)?;
        let items = rows.into_iter().map(ScanRun::new).collect::<Result<_, _>>()?;
        Ok(Json(ScanPage::new(items, total, next, &pager.snapshot)))
    }
}
