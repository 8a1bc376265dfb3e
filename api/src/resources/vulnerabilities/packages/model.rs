//! Packages as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::packages::{HolderRow, PackageRow, ReleaseRow};

/// A package of the distribution.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Package {
    /// Its name.
    name: String,
    /// One line for people.
    description: String,
    /// Its licence: an SPDX expression.
    license: String,
    /// Who supplies it.
    supplier: String,
    /// Whether upstream makes no more releases.
    end_of_life: bool,
    /// Its newest version.
    latest_version: Option<String>,
    /// When that was released.
    latest_released_at: Option<Instant>,
    /// How many published advisories affect it, in whatever version.
    advisories: i64,
    /// This package.
    href: String,
    /// The images that hold it.
    images_href: String,
}

impl From<PackageRow> for Package {
    fn from(row: PackageRow) -> Self {
        Package {
            href: format!("/v1/packages/{}", row.name),
            images_href: format!("/v1/packages/{}/images", row.name),
            name: row.name,
            description: row.description,
            license: row.license,
            supplier: row.supplier,
            end_of_life: row.end_of_life,
            latest_version: row.latest_version,
            latest_released_at: row.latest_released_at.map(Into::into),
            advisories: row.advisories,
        }
    }
}

page! {
    /// A page of packages.
    PackagePage of Package
}

/// A release of a package.
#[derive(Object)]
struct PackageRelease {
    /// Its version.
    version: String,
    /// When it was released.
    released_at: Instant,
    /// The size of its archive.
    size_bytes: i64,
    /// SHA-256 of its archive.
    sha256: String,
}

impl From<ReleaseRow> for PackageRelease {
    fn from(row: ReleaseRow) -> Self {
        PackageRelease {
            version: row.version,
            released_at: row.released_at.into(),
            size_bytes: row.size_bytes,
            sha256: row.sha256,
        }
    }
}

/// A package with its releases.
#[derive(Object)]
#[oai(example)]
pub(super) struct PackageDetail {
    #[oai(flatten)]
    package: Package,
    /// Its releases, the newest first; at most 200.
    releases: Vec<PackageRelease>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl PackageDetail {
    pub(super) fn new(row: PackageRow, releases: Vec<ReleaseRow>, snapshot: &Snapshot) -> Self {
        PackageDetail {
            package: row.into(),
            releases: releases.into_iter().map(Into::into).collect(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }
    }
}

/// A version of an image that holds a package.
#[derive(Object)]
#[oai(example)]
pub(super) struct PackageImage {
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The namespace of the image's owner.
    tenant_namespace: String,
    /// The image's version.
    version: i32,
    /// Its digest.
    digest: String,
    /// When it was published.
    published_at: Instant,
    /// Whether it was the newest of its image; otherwise a customer ran it.
    current: bool,
    /// The version of the package that it holds.
    package_version: String,
    /// How many customers ran it, of those the caller may see.
    customers: i64,
}

impl From<HolderRow> for PackageImage {
    fn from(row: HolderRow) -> Self {
        PackageImage {
            image: row.image,
            image_id: row.image_id,
            tenant_namespace: row.tenant_namespace,
            version: row.version,
            digest: row.digest,
            published_at: row.published_at.into(),
            current: row.current,
            package_version: row.package_version,
            customers: row.customers,
        }
    }
}

page! {
    /// A page of versions that hold a package.
    PackageImagePage of PackageImage
}

impl Example for Package {
    fn example() -> Self {
        Package {
            name: examples::PACKAGE.to_owned(),
            description: "Compression".to_owned(),
            license: "Zlib".to_owned(),
            supplier: "Example".to_owned(),
            end_of_life: false,
            latest_version: Some("1.3.2-r0".to_owned()),
            latest_released_at: Some(time::example(1)),
            advisories: 2,
            href: format!("/v1/packages/{}", examples::PACKAGE),
            images_href: format!("/v1/packages/{}/images", examples::PACKAGE),
        }
    }
}

impl Example for PackageDetail {
    fn example() -> Self {
        PackageDetail {
            package: Package::example(),
            releases: vec![PackageRelease {
                version: "1.3.2-r0".to_owned(),
                released_at: time::example(1),
                size_bytes: 53_120,
                sha256: "e".repeat(64),
            }],
            as_of: time::example(6),
            settled: true,
        }
    }
}

impl Example for PackageImage {
    fn example() -> Self {
        PackageImage {
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            tenant_namespace: "catalogue".to_owned(),
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            published_at: time::example(2),
            current: true,
            package_version: "1.3.1-r0".to_owned(),
            customers: 4,
        }
    }
}
