//! What is asked of the large world: where the API answers it, and the SQL that it runs for it.
use super::{DUE_BY, LIMIT};
use chrono::DateTime;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use store::read::{self, Moment, Page};

type Reading<'c> = BoxFuture<'c, sqlx::Result<i64>>;
type Sql = Box<dyn for<'c> Fn(&'c mut PgConnection, Moment) -> Reading<'c> + Send + Sync>;

/// A question or a list: where the API answers it, and the SQL that it runs for it.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) sql: Sql,
}

/// A page, its total where the API asks for one apart, and what else it reads.
macro_rules! asked {
    ($path:expr, |$conn:ident, $moment:ident| $($read:expr),+) => {
        Asked {
            path: $path.to_owned(),
            sql: Box::new(move |$conn, $moment| {
                Box::pin(async move {
                    let mut read = 0;
                    $(read += $read.await?.size();)+
                    Ok(read)
                })
            }),
        }
    };
}

/// How much was read.
trait Size {
    fn size(&self) -> i64;
}

impl Size for i64 {
    fn size(&self) -> i64 {
        *self
    }
}

impl<T> Size for Vec<T> {
    fn size(&self) -> i64 {
        self.len() as i64
    }
}

impl<T> Size for Page<T> {
    fn size(&self) -> i64 {
        self.rows.len() as i64 + self.total.count
    }
}

/// What is asked about: what most has happened to.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) advisory: i64,
    pub(super) image: i64,
    pub(super) version: i32,
    pub(super) customer: i64,
    pub(super) package: i64,
}

/// What the API calls it.
pub(super) struct Names {
    pub(super) cve: String,
    pub(super) image: String,
    pub(super) customer: String,
    pub(super) package: String,
}

fn soon() -> read::sla::TimerFilter<'static> {
    let by = DateTime::parse_from_rfc3339(DUE_BY).expect("an instant").to_utc();
    read::sla::TimerFilter { due_by: Some(by), ..Default::default() }
}

fn overdue(moment: Moment) -> read::sla::TimerFilter<'static> {
    read::sla::TimerFilter { due_by: Some(moment.as_of), ..Default::default() }
}

/// The five questions, then the lists.
pub(super) fn all(of: Subject, names: &Names) -> Vec<Asked> {
    [questions(of, names), lists(), of_images(of, names), of_others(of, names)]
        .into_iter()
        .flatten()
        .collect()
}

fn questions(of: Subject, names: &Names) -> Vec<Asked> {
    use read::exposure::{ExposureFilter, of_advisory, of_customer};
    use read::packages::holders;
    use read::sla::{durations, open_timers, open_total};
    let Names { cve, customer, package, .. } = names;
    vec![
        asked!(format!("/v1/advisories/{cve}/exposure"), |conn, moment| of_advisory(
            conn,
            moment,
            of.advisory,
            None,
            None,
            LIMIT
        )),
        asked!(format!("/v1/packages/{package}/images"), |conn, moment| holders(
            conn, moment, of.package, None, None, LIMIT
        )),
        asked!(format!("/v1/customers/{customer}/exposure"), |conn, moment| of_customer(
            conn,
            moment,
            of.customer,
            &ExposureFilter::default(),
            None,
            LIMIT
        )),
        asked!(
            format!("/v1/sla/forecast?by={DUE_BY}"),
            |conn, moment| open_timers(conn, moment, &soon(), None, LIMIT),
            open_total(conn, moment, &overdue(moment))
        ),
        asked!("/v1/sla/remediation", |conn, moment| durations(
            conn,
            moment.as_of,
            moment.as_of - chrono::TimeDelta::days(30)
        )),
    ]
}

fn lists() -> Vec<Asked> {
    use read::advisories::{AdvisoryFilter, advisories, advisories_total};
    use read::audit::{AuditFilter, lines, lines_total};
    use read::builds::{BuildFilter, builds, builds_total};
    use read::customers::{customers, customers_total};
    use read::findings::{FindingFilter, findings, findings_total};
    use read::images::{ImageFilter, images};
    use read::notifications::{NotificationFilter, notifications, notifications_total};
    use read::packages::{packages, packages_total};
    use read::sla::{
        TimerFilter, ViolationFilter, open_timers, stopped_timers, violations, violations_total,
    };
    use read::timeline::{TimelineFilter, timeline, timeline_total};
    fn one() -> ImageFilter<'static> {
        ImageFilter { tag: Some("1"), ..ImageFilter::default() }
    }
    fn scans() -> TimelineFilter<'static> {
        TimelineFilter { kind: Some("scanned"), ..TimelineFilter::default() }
    }
    vec![
        asked!("/v1/images", |conn, moment| images(
            conn,
            moment,
            &ImageFilter::default(),
            None,
            LIMIT
        )),
        asked!("/v1/images?tag=1", |conn, moment| images(conn, moment, &one(), None, LIMIT)),
        asked!(
            "/v1/builds",
            |conn, moment| builds(conn, moment, &BuildFilter::default(), LIMIT),
            builds_total(conn, moment, &BuildFilter::default())
        ),
        asked!(
            "/v1/findings",
            |conn, moment| findings(conn, moment, &FindingFilter::default(), None, LIMIT),
            findings_total(conn, moment, &FindingFilter::default())
        ),
        asked!(
            "/v1/advisories",
            |conn, moment| advisories(conn, moment, &AdvisoryFilter::default(), None, LIMIT),
            advisories_total(conn, moment, &AdvisoryFilter::default())
        ),
        asked!(
            "/v1/packages",
            |conn, moment| packages(conn, moment, None, None, LIMIT),
            packages_total(conn, moment, None)
        ),
        asked!(
            "/v1/customers",
            |conn, moment| customers(conn, moment, None, None, LIMIT),
            customers_total(conn, moment, None)
        ),
        asked!("/v1/sla/timers", |conn, moment| open_timers(
            conn,
            moment,
            &TimerFilter::default(),
            None,
            LIMIT
        )),
        asked!("/v1/sla/timers?state=stopped", |conn, moment| stopped_timers(
            conn,
            moment,
            &TimerFilter::default(),
            None,
            LIMIT
        )),
        asked!(
            "/v1/sla/violations",
            |conn, moment| violations(conn, moment, &ViolationFilter::default(), None, LIMIT),
            violations_total(conn, moment, &ViolationFilter::default())
        ),
        asked!(
            "/v1/notifications",
            |conn, moment| notifications(conn, moment, &NotificationFilter::default(), None, LIMIT),
            notifications_total(conn, moment, &NotificationFilter::default())
        ),
        asked!(
            "/v1/timeline",
            |conn, moment| timeline(conn, moment, &TimelineFilter::default(), None, LIMIT),
            timeline_total(conn, moment, &TimelineFilter::default())
        ),
        asked!(
            "/v1/scans",
            |conn, moment| timeline(conn, moment, &scans(), None, LIMIT),
            timeline_total(conn, moment, &scans())
        ),
        asked!(
            "/v1/audit-logs",
            |conn, moment| lines(conn, moment, &AuditFilter::default(), None, LIMIT),
            lines_total(conn, moment, &AuditFilter::default())
        ),
    ]
}

fn of_images(of: Subject, names: &Names) -> Vec<Asked> {
    use read::documents::{
        AttestationFilter, SbomFilter, attestations, attestations_total, sboms, sboms_total,
    };
    use read::findings::{FindingFilter, findings, findings_total};
    use read::sla::nearest;
    use read::usage::{users, users_total};
    use read::versions::{versions, versions_total};
    use read::{diff, lineage, vex};
    let image = format!("/v1/images/{}", names.image);
    let (id, newest) = (of.image, (of.image, of.version));
    let (from, to) = ((of.version - 9).max(1), of.version);
    let found = move || FindingFilter { image_id: Some(id), ..FindingFilter::default() };
    let boms = move || SbomFilter { image_id: id, version: None, format: None };
    let signed = move || AttestationFilter { image_id: id, version: None, predicate_type: None };
    vec![
        asked!(
            format!("{image}/usage"),
            |conn, moment| users(conn, moment, id, None, LIMIT),
            users_total(conn, moment, id)
        ),
        asked!(
            format!("{image}/versions"),
            |conn, moment| versions(conn, moment.as_of, id, None, LIMIT),
            versions_total(conn, moment.as_of, id)
        ),
        asked!(
            format!("{image}/findings"),
            |conn, moment| async {
                let rows = findings(&mut *conn, moment, &found(), None, LIMIT).await?;
                nearest(conn, moment, id, &rows, None).await
            },
            findings_total(conn, moment, &found())
        ),
        asked!(
            format!("{image}/sboms"),
            |conn, moment| sboms(conn, moment.as_of, &boms(), None, LIMIT),
            sboms_total(conn, moment.as_of, &boms())
        ),
        asked!(
            format!("{image}/attestations"),
            |conn, moment| attestations(conn, moment.as_of, &signed(), None, LIMIT),
            attestations_total(conn, moment.as_of, &signed())
        ),
        asked!(format!("{image}/vex?version={to}"), |conn, moment| vex::statements(
            conn, moment, newest, None, LIMIT
        )),
        asked!(
            format!("{image}/lineage"),
            |conn, moment| lineage::bases(conn, moment.as_of, id, 200),
            lineage::derived(conn, moment.as_of, id, 200)
        ),
        asked!(
            format!("{image}/diff?from={from}&to={to}"),
            |conn, moment| diff::packages(conn, id, (from, to)),
            diff::advisories(conn, moment.as_of, id, (from, to))
        ),
    ]
}

fn of_others(of: Subject, names: &Names) -> Vec<Asked> {
    use read::advisories::{advisory, affected, reach};
    use read::customers::{customer, usage};
    let Names { cve, customer: tenant, .. } = names;
    vec![
        asked!(format!("/v1/customers/{tenant}/usage"), |conn, moment| async {
            customer(conn, moment, of.customer).await?;
            usage(conn, moment, of.customer, None, LIMIT).await
        }),
        asked!(format!("/v1/advisories/{cve}"), |conn, moment| async {
            advisory(conn, moment, of.advisory).await?;
            let reach = reach(conn, moment, of.advisory).await?;
            let affected = affected(conn, moment, of.advisory, 200).await?;
            Ok::<i64, sqlx::Error>(affected.size() + reach.images_open)
        }),
    ]
}
