//! A small world made row by row, for tests that need to know every instant.
use super::support::at;
use chrono::{DateTime, Utc};
use sim::fact::{Clock, TimerRef};
use sim::ids::{AdvisoryId, CustomerId, ImageId};
use sqlx::PgPool;
use store::db::instant;

/// The day on which these worlds play, with a time of day: `day(3, "10:00")` is 2026-01-07.
pub fn day(day: u32, time: &str) -> DateTime<Utc> {
    instant(at(&format!("2026-01-{:02}T{time}:00Z", day + 4))).unwrap()
}

/// The name of a timer.
pub fn timer(customer: u32, image: u32, advisory: u32, clock: Clock) -> TimerRef {
    TimerRef {
        customer: CustomerId(customer),
        image: ImageId(image),
        advisory: AdvisoryId(advisory),
        clock,
        episode: 1,
    }
}

/// A database and the rows in it.
pub struct Fixture {
    /// The database.
    pub pool: PgPool,
    builds: i64,
}

impl Fixture {
    /// Two images (0 and 1), three packages, one policy of 7 calendar days that starts at the fix
    /// and excludes nothing, and customers 0 and 1 under it.
    pub async fn new(pool: PgPool) -> Self {
        let fixture = Fixture { pool, builds: 0 };
        fixture
            .sql(
                "INSERT INTO packages SELECT n, 'package-' || n, 'MIT', 'Somebody', '', false
                 FROM generate_series(0, 2) n;
             INSERT INTO package_releases SELECT p, r, '1.' || r || '-r0', '2026-01-01Z', 1,
                     repeat('0', 64) FROM generate_series(0, 2) p, generate_series(0, 3) r;
             INSERT INTO images (id, name, description, depth, main_package_id, own_packages,
                                 tenant_namespace, created_at)
                 SELECT n, 'image-' || n, '', 0, 0, '{0,1,2}', 'catalogue', '2026-01-01Z'
                 FROM generate_series(0, 1) n;
             INSERT INTO sla_policies VALUES (0, 'seven', 7, 7, 7, NULL, 'calendar',
                 'fix_available', false, NULL, 750);
             INSERT INTO customers SELECT n, 'tenant-' || n, 'Tenant', 'A', 'a@tenant.example',
                 'gold', 0 FROM generate_series(0, 1) n;",
            )
            .await;
        fixture
    }

    /// Runs statements.
    pub async fn sql(&self, statements: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{statements}"));
    }

    /// Publishes a version.
    pub async fn version(&mut self, image: i64, version: i32, published: DateTime<Utc>) {
        self.builds += 1;
        self.sql(&format!(
            "INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
                 requested_at) VALUES ({0}, {image}, 'catalogue', 'cron', '{{}}', 'completed',
                 '{published}');
             INSERT INTO image_versions VALUES ({image}, {version}, {0}, 'catalogue',
                 'sha256:' || repeat('0', 64), '{{latest}}', NULL, NULL, '{{0}}', '{{0}}', '{{0}}',
                 '{published}', NULL);",
            self.builds
        ))
        .await;
    }

    /// Publishes an advisory for packages 0 and 1, with the instant of its upstream fix.
    pub async fn advisory(
        &self,
        id: i64,
        severity: &str,
        published: DateTime<Utc>,
        fix: Option<DateTime<Utc>>,
    ) {
        let fix = fix.map_or("NULL".to_owned(), |fix| format!("'{fix}'"));
        self.sql(&format!(
            "INSERT INTO advisories VALUES ({id}, 'CVE-2026-{:07}', '', 9.8, '{severity}', false,
                 '{published}', '{published}', {fix});
             INSERT INTO advisory_packages (advisory_id, package_id, introduced_release,
                 introduced_version) SELECT {id}, n, 0, '1.0-r0' FROM generate_series(0, 1) n;",
            1_000_000 + id
        ))
        .await;
    }

    /// Finds an advisory in a package of a version.
    pub async fn finding(
        &self,
        image: i64,
        version: i32,
        advisory: i64,
        package: i64,
        detected: DateTime<Utc>,
    ) {
        self.sql(&format!(
            "INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace,
                 severity, score, detected_at)
             SELECT {image}, {version}, {advisory}, {package}, 'catalogue', severity, score,
                 '{detected}' FROM advisories WHERE id = {advisory}"
        ))
        .await;
    }

    /// Resolves the findings of an advisory in a package of an image, as a publication does.
    pub async fn resolve(
        &self,
        image: i64,
        advisory: i64,
        package: i64,
        version: i32,
        resolved: DateTime<Utc>,
    ) {
        self.sql(&format!(
            "UPDATE cve_findings SET resolved_at = '{resolved}', resolved_version = {version}
             WHERE image_id = {image} AND advisory_id = {advisory} AND package_id = {package}
               AND resolved_at IS NULL AND detected_at <= '{resolved}'"
        ))
        .await;
    }

    /// Judges that an image is not affected.
    pub async fn judge(&self, image: i64, advisory: i64, judged: DateTime<Utc>) {
        self.sql(&format!(
            "INSERT INTO triages VALUES ({image}, {advisory}, '{judged}', 'component_not_present')"
        ))
        .await;
    }

    /// Lets a customer run a version from then on.
    pub async fn uses(&self, customer: i64, image: i64, version: i32, from: DateTime<Utc>) {
        self.sql(&format!(
            "UPDATE customer_image_usage SET valid_to = '{from}'
                 WHERE customer_id = {customer} AND image_id = {image} AND valid_to IS NULL;
             INSERT INTO customer_image_usage
             SELECT {customer}, {image}, {version}, '{from}', NULL,
                 coalesce((SELECT min(used_since) FROM customer_image_usage
                           WHERE customer_id = {customer} AND image_id = {image}), '{from}'),
                 'tenant-{customer}', 'follow', 'production', 'eu-1', 3, true"
        ))
        .await;
    }
}
