//! Whom an image serves: who runs it, what it is built on, and what is built on it.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::scan::ScanState;
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::lineage::LineageRow;
use store::read::usage::UserRow;

/// A customer that runs an image.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ImageUsage {
    /// The customer's namespace.
    tenant_namespace: String,
    /// The customer's name.
    customer: String,
    /// The version that runs.
    version: i32,
    /// Its digest.
    digest: String,
    /// Whether that was the current version.
    current: bool,
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
    /// What is known from scans of the version that runs.
    scan: ScanState,
    /// When that was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
    /// The customer.
    customer_href: String,
}

impl ImageUsage {
    pub(super) fn new(row: UserRow, current: Option<i32>) -> Self {
        ImageUsage {
            customer_href: format!("/v1/customers/{}", row.tenant_namespace),
            tenant_namespace: row.tenant_namespace,
            customer: row.customer,
            current: current == Some(row.version),
            version: row.version,
            digest: row.digest,
            mode: row.mode,
            environment: row.environment,
            cluster: row.cluster,
            replicas: row.replicas,
            internet_exposed: row.internet_exposed,
            running_since: row.running_since.into(),
            used_since: row.used_since.into(),
            scan: row.scan.into(),
            scanned_at: row.scanned_at.map(Into::into),
        }
    }
}

page! {
    /// A page of customers that run an image.
    ImageUsagePage of ImageUsage
}

/// An image that another stands on, or that stands on it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Relative {
    /// How many steps away it is, from 1.
    distance: i32,
    /// The image's name.
    image: String,
    /// The namespace of its owner.
    tenant_namespace: String,
    /// Its current version; absent before the first is published.
    version: Option<i32>,
    /// That version's digest.
    digest: Option<String>,
    /// The name of the image it is built on.
    base: Option<String>,
    /// The version of that image it stands on.
    base_version: Option<i32>,
    /// Whether that was the current one; absent without a base or a version.
    on_current_base: Option<bool>,
    /// The image.
    href: String,
}

impl From<LineageRow> for Relative {
    fn from(row: LineageRow) -> Self {
        Relative {
            href: format!("/v1/images/{}", row.image),
            on_current_base: row.base_version.map(|on| Some(on) == row.base_current_version),
            distance: row.distance,
            image: row.image,
            tenant_namespace: row.tenant_namespace,
            version: row.version,
            digest: row.digest,
            base: row.base,
            base_version: row.base_version,
        }
    }
}

/// What an image is built on, and what is built on it.
#[derive(Object)]
#[oai(example)]
pub(super) struct Lineage {
    /// The image's name.
    image: String,
    /// Its base, that one's base, and so on.
    up: Vec<Relative>,
    /// What is built on it, the nearest first.
    down: Vec<Relative>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl Lineage {
    pub(super) fn new(
        image: String,
        up: Vec<LineageRow>,
        down: Vec<LineageRow>,
        snapshot: &Snapshot,
    ) -> Self {
        Lineage {
            image,
            up: up.into_iter().map(Relative::from).collect(),
            down: down.into_iter().map(Relative::from).collect(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }
    }
}

impl Example for ImageUsage {
    fn example() -> Self {
        let row = UserRow {
            tenant_namespace: examples::TENANT.to_owned(),
            customer: "Gold One".to_owned(),
            version: 4,
            digest: format!("sha256:{}", "a".repeat(64)),
            mode: "follow".to_owned(),
            environment: "production".to_owned(),
            cluster: "eu-1".to_owned(),
            replicas: 12,
            internet_exposed: true,
            running_since: time::example(-24).datetime(),
            used_since: time::example(-168).datetime(),
            scan: store::read::scans::ScanState::Complete,
            scanned_at: Some(time::example(4).datetime()),
        };
        ImageUsage::new(row, Some(5))
    }
}

impl Example for Lineage {
    fn example() -> Self {
        let base = LineageRow {
            distance: 1,
            image_id: 1,
            image: "base-1".to_owned(),
            tenant_namespace: "catalogue".to_owned(),
            version: Some(4),
            digest: Some(format!("sha256:{}", "b".repeat(64))),
            base: None,
            base_version: None,
            base_current_version: None,
        };
        Lineage {
            image: examples::IMAGE.to_owned(),
            up: vec![base.into()],
            down: Vec::new(),
            as_of: time::example(6),
            settled: true,
        }
    }
}
