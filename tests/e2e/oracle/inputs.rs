//! What the oracle is given: what was published, found, judged and run, what was promised, and when
//! somebody looked. Nothing here comes from the tables that it judges.
use super::calendar::Ms;
use super::history::{
    Advisory, Again, ClockStart, Customer, FOREVER, Finding, Image, Policy, Usage, Version, World,
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;

/// All rows of a query.
pub(super) async fn rows<R>(conn: &mut PgConnection, sql: &'static str) -> Vec<R>
where
    R: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
{
    sqlx::query_as(sql).fetch_all(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(super) fn ms(at: DateTime<Utc>) -> Ms {
    at.timestamp_millis()
}

type At = DateTime<Utc>;

impl World {
    pub(super) async fn read(conn: &mut PgConnection) -> World {
        let sql = "SELECT name, seed, starts_at, ends_at FROM world";
        let (name, seed, starts, ends) =
            rows::<(String, i64, At, At)>(conn, sql).await.swap_remove(0);
        let sql = "SELECT DISTINCT at FROM timeline WHERE kind = 'sla_checked' ORDER BY at";
        let evaluations = rows::<(At,)>(conn, sql).await;
        let sql = "SELECT finished_at, tenant_namespace FROM build_events WHERE status = 'failed'";
        let failed_builds = rows::<(At, String)>(conn, sql).await;
        let advisories = advisories(conn).await;
        World {
            name,
            seed,
            starts: ms(starts),
            ends: ms(ends),
            evaluations: evaluations.into_iter().map(|(at,)| ms(at)).collect(),
            policies: policies(conn).await,
            customers: customers(conn).await,
            images: images(conn, &advisories).await,
            advisories,
            uses: uses(conn).await,
            failed_builds: failed_builds.into_iter().map(|(at, who)| (ms(at), who)).collect(),
        }
    }
}

async fn policies(conn: &mut PgConnection) -> BTreeMap<i64, Policy> {
    type Columns = (i64, String, Vec<Option<i32>>, String, String, bool, Option<i32>, i32, String);
    let sql = "SELECT id, name, ARRAY[critical_days, high_days, medium_days, low_days], calendar,
                      clock_start, pause_without_fix, exclude_over_permille, warn_permille,
                      on_reexposure
               FROM sla_policies";
    let policy = |(id, name, days, calendar, starts, pause, over, warn, again): Columns| {
        let named = ["critical", "high", "medium", "low"].map(str::to_owned);
        let promised = named.into_iter().zip(days).filter_map(|(s, d)| Some((s, i64::from(d?))));
        let starts = one_of(
            &starts,
            &[
                ("fix_available", ClockStart::FixAvailable),
                ("detected", ClockStart::Detected),
                ("published", ClockStart::Published),
            ],
        );
        let again = one_of(
            &again,
            &[
                ("continue", Again::Continue),
                ("restart", Again::Restart),
                ("ignore", Again::Ignore),
            ],
        );
        let policy = Policy {
            name,
            days: promised.collect(),
            business: one_of(&calendar, &[("business", true), ("calendar", false)]),
            starts,
            pause_without_fix: pause,
            excluded_over_permille: over.map(i64::from),
            warn_permille: i64::from(warn),
            again,
        };
        (id, policy)
    };
    rows::<Columns>(conn, sql).await.into_iter().map(policy).collect()
}

fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> T {
    let found = known.iter().find(|(name, _)| *name == text);
    found.unwrap_or_else(|| panic!("{text:?} is new to the oracle")).1
}

async fn customers(conn: &mut PgConnection) -> BTreeMap<i64, Customer> {
    let sql = "SELECT id, tenant_namespace, policy_id FROM customers";
    let all = rows::<(i64, String, i64)>(conn, sql).await.into_iter();
    all.map(|(id, tenant, policy)| (id, Customer { tenant, policy })).collect()
}

async fn advisories(conn: &mut PgConnection) -> BTreeMap<i64, Advisory> {
    let sql = "SELECT id, severity, published_at, fix_available_at FROM advisories";
    let all = rows::<(i64, String, At, Option<At>)>(conn, sql).await.into_iter();
    let mut all: BTreeMap<i64, Advisory> = all
        .map(|(id, severity, published, fix)| {
            let (published, fix) = (ms(published), fix.map(ms));
            (id, Advisory { severity, published, fix, ranges: BTreeMap::new() })
        })
        .collect();
    let sql = "SELECT advisory_id, package_id, introduced_release, fixed_release
               FROM advisory_packages";
    for (id, package, introduced, fixed) in rows::<(i64, i64, i32, Option<i32>)>(conn, sql).await {
        all.get_mut(&id).expect("an advisory").ranges.insert(package, (introduced, fixed));
    }
    all
}

async fn images(
    conn: &mut PgConnection,
    advisories: &BTreeMap<i64, Advisory>,
) -> BTreeMap<i64, Image> {
    let mut images: BTreeMap<i64, Image> = BTreeMap::new();
    let sql = "SELECT image_id, version, published_at, package_ids, releases FROM image_versions";
    type Versions = Vec<(i64, i32, At, Vec<i64>, Vec<i32>)>;
    let versions: Versions = rows(conn, sql).await;
    for (image, version, published, packages, releases) in versions {
        let contents = packages.into_iter().zip(releases).collect();
        let held = Version { published: ms(published), contents };
        images.entry(image).or_default().versions.insert(version, held);
    }
    let sql = "SELECT image_id, version, advisory_id, package_id, detected_at, resolved_at
               FROM cve_findings ORDER BY 1, 2, 3, 4";
    type Findings = Vec<(i64, i32, i64, i64, At, Option<At>)>;
    let findings: Findings = rows(conn, sql).await;
    for (image, version, advisory, package, found, resolved) in findings {
        let image = images.get_mut(&image).expect("an image with versions");
        let mut later = image.versions.range(version + 1..).map(|(_, later)| later);
        let without = later.find(|later| !advisories[&advisory].affects(later, package));
        image.findings.push(Finding {
            version,
            advisory,
            package,
            found: ms(found),
            resolved: without.map_or(FOREVER, |without| without.published),
            resolved_column: resolved.map(ms),
        });
    }
    let sql = "SELECT image_id, advisory_id, at FROM triages";
    for (image, advisory, at) in rows::<(i64, i64, At)>(conn, sql).await {
        images.entry(image).or_default().judged.insert(advisory, ms(at));
    }
    images
}

async fn uses(conn: &mut PgConnection) -> BTreeMap<(i64, i64), Vec<Usage>> {
    let sql = "SELECT customer_id, image_id, version, valid_from, valid_to, used_since
               FROM customer_image_usage ORDER BY customer_id, image_id, valid_from";
    let mut uses: BTreeMap<(i64, i64), Vec<Usage>> = BTreeMap::new();
    let all: Vec<(i64, i64, i32, At, Option<At>, At)> = rows(conn, sql).await;
    for (customer, image, version, from, to, since) in all {
        let usage = Usage { version, from: ms(from), to: to.map_or(FOREVER, ms), since: ms(since) };
        let earlier = uses.entry((customer, image)).or_default();
        // A use has no gaps: the first row begins it, and each other one where the last ended.
        let goes_on = earlier.last().is_some_and(|last: &Usage| last.since == usage.since);
        let begins = if goes_on { earlier.last().expect("a row").to } else { usage.since };
        assert_eq!(usage.from, begins, "{customer} uses {image}: {usage:?} after {earlier:?}");
        earlier.push(usage);
    }
    uses
}
