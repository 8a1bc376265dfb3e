//! Customers as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::scan::ScanState;
use crate::schemas::severity::AdvisoryCounts;
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::customers::{CustomerRow, UsageRow};

/// Where more about a customer is.
#[derive(Object)]
struct CustomerLinks {
    /// This customer.
    #[oai(rename = "self")]
    own: String,
    /// What it runs.
    usage: String,
    /// What it is exposed to.
    exposure: String,
    /// What is owed to it.
    timers: String,
    /// What was missed.
    violations: String,
}

/// A customer.
#[derive(Object)]
#[oai(example)]
pub(super) struct Customer {
    /// Its namespace.
    tenant_namespace: String,
    /// Its name.
    name: String,
    /// Whom to talk to.
    contact_name: String,
    /// Where.
    contact_email: String,
    /// Its tier.
    sla_tier: String,
    /// The name of the policy that is promised to it.
    policy: String,
    /// How many images it runs.
    images: i64,
    /// How many of them can be reached from the internet.
    internet_exposed: i64,
    /// Where more is.
    links: CustomerLinks,
}

impl From<CustomerRow> for Customer {
    fn from(row: CustomerRow) -> Self {
        let tenant = &row.tenant_namespace;
        Customer {
            links: CustomerLinks {
                own: format!("/v1/customers/{tenant}"),
                usage: format!("/v1/customers/{tenant}/usage"),
                exposure: format!("/v1/customers/{tenant}/exposure"),
                timers: format!("/v1/sla/timers?tenant={tenant}"),
                violations: format!("/v1/sla/violations?tenant={tenant}"),
            },
            tenant_namespace: row.tenant_namespace,
            name: row.name,
            contact_name: row.contact_name,
            contact_email: row.contact_email,
            sla_tier: row.sla_tier,
            policy: row.policy,
            images: row.images,
            internet_exposed: row.internet_exposed,
        }
    }
}

page! {
    /// A page of customers.
    CustomerPage of Customer
}

/// A customer at an instant.
#[derive(Object)]
#[oai(example)]
pub(super) struct CustomerDetail {
    #[oai(flatten)]
    customer: Customer,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl CustomerDetail {
    pub(super) fn new(row: CustomerRow, snapshot: &Snapshot) -> Self {
        CustomerDetail {
            customer: row.into(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }
    }
}

/// An image that a customer runs.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct CustomerUsage {
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The version that runs.
    version: i32,
    /// Its digest.
    digest: String,
    /// The version that was current.
    current_version: Option<i32>,
    /// `follow`: the customer follows a tag. `pin`: it stays with the digest.
    mode: String,
    /// Where it runs.
    environment: String,
    /// The cluster.
    cluster: String,
    /// How many replicas.
    replicas: i32,
    /// Whether it can be reached from the internet.
    internet_exposed: bool,
    /// Since when this version runs.
    running_since: Instant,
    /// Since when any version of the image runs.
    used_since: Instant,
    /// Advisories open on the version that runs, as its last scan found them; absent while no scan of
    /// it has reported.
    findings: Option<AdvisoryCounts>,
    /// What is known of that version from scans.
    scan: ScanState,
    /// When it was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
}

impl From<UsageRow> for CustomerUsage {
    fn from(row: UsageRow) -> Self {
        CustomerUsage {
            image: row.image,
            image_id: row.image_id,
            version: row.version,
            digest: row.digest,
            current_version: row.current_version,
            mode: row.mode,
            environment: row.environment,
            cluster: row.cluster,
            replicas: row.replicas,
            internet_exposed: row.internet_exposed,
            running_since: row.running_since.into(),
            used_since: row.used_since.into(),
            findings: row.scanned_at.map(|_| AdvisoryCounts {
                critical: row.critical,
                high: row.high,
                medium: row.medium,
                low: row.low,
            }),
            scan: row.scan.into(),
            scanned_at: row.scanned_at.map(Into::into),
        }
    }
}

page! {
    /// A page of images that a customer runs.
    CustomerUsagePage of CustomerUsage
}

impl Example for Customer {
    fn example() -> Self {
        CustomerRow {
            id: 0,
            tenant_namespace: examples::TENANT.to_owned(),
            name: "Gold One".to_owned(),
            contact_name: "Ada Example".to_owned(),
            contact_email: "ada@customer.example".to_owned(),
            sla_tier: "gold".to_owned(),
            policy: "gold".to_owned(),
            images: 24,
            internet_exposed: 5,
        }
        .into()
    }
}

impl Example for CustomerDetail {
    fn example() -> Self {
        CustomerDetail { customer: Customer::example(), as_of: time::example(6), settled: true }
    }
}

impl Example for CustomerUsage {
    fn example() -> Self {
        CustomerUsage {
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            version: 4,
            digest: format!("sha256:{}", "a".repeat(64)),
            current_version: Some(5),
            mode: "follow".to_owned(),
            environment: "production".to_owned(),
            cluster: "eu-1".to_owned(),
            replicas: 12,
            internet_exposed: true,
            running_since: time::example(-24),
            used_since: time::example(-168),
            findings: Some(AdvisoryCounts { critical: 1, high: 3, medium: 12, low: 0 }),
            scan: ScanState::Complete,
            scanned_at: Some(time::example(4)),
        }
    }
}
