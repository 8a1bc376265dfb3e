//! Packages: their releases, and which images hold them.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup::{package_id, text};
use crate::http::pages::{PageQuery, Pager};
use crate::http::problem::{Failure, failures};
use crate::http::query::{AsOf, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use model::{Package, PackageDetail, PackageImage, PackageImagePage, PackagePage};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use store::read::Page;
use store::read::packages::{holders, package, packages, packages_total, releases};

/// The most releases that one package shows.
const MAX_RELEASES: i64 = 200;

pub(crate) struct PackagesApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListPackages: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One package.
    OnePackage: InvalidParameter, UnknownParameter, AsOfInFuture, PackageNotFound
}
failures! {
    /// A list below one package.
    BelowPackage:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, PackageNotFound
}

query! {
    /// The parameters of listPackages.
    struct ListPackagesQuery {
        /// Only packages whose name holds this text, whatever its case.
        q: Option<String> = length(1, 63),
    }
}

query! {
    /// The parameters of listPackageImages.
    struct ListPackageImagesQuery {
        /// Only images that hold this version of the package.
        version: Option<String> = length(1, 128),
    }
}

impl Resource for PackagesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listPackages", Access::Read),
        ("getPackage", Access::Read),
        ("listPackageImages", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        PackagesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Packages")]
impl PackagesApi {
    /// List packages
    ///
    /// By name, each with its newest version.
    #[oai(path = "/v1/packages", method = "get", operation_id = "listPackages")]
    async fn list(
        &self,
        caller: Caller,
        query: ListPackagesQuery,
        page: PageQuery,
    ) -> Result<Json<PackagePage>, Failure<ListPackages>> {
        let q = text("q", query.q.as_deref())?;
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after.clone());
        let conn = pager.snapshot.conn();
        let total = packages_total(conn, moment, q).await?;
        let mut rows = packages(conn, moment, q, after.as_deref(), limit).await?;
        let next = pager.end(&mut rows, |row| row.name.clone())?;
        let items = rows.into_iter().map(Package::from).collect();
        Ok(Json(PackagePage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a package
    ///
    /// With its releases, the newest first.
    #[oai(path = "/v1/packages/:name", method = "get", operation_id = "getPackage")]
    async fn get(
        &self,
        caller: Caller,
        /// The package's name.
        #[oai(example = "example_package")]
        name: Path<String>,
        as_of: AsOf,
    ) -> Result<Json<PackageDetail>, Failure<OnePackage>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let (id, moment) = (package_id(&mut snapshot, &name).await?, snapshot.moment);
        let row = package(snapshot.conn(), moment, id).await?;
        let releases = releases(snapshot.conn(), moment, id, MAX_RELEASES).await?;
        Ok(Json(PackageDetail::new(row, releases, &snapshot)))
    }

    /// List the images that hold a package
    ///
    /// Versions that are current, or that a customer runs, by image and version.
    #[oai(path = "/v1/packages/:name/images", method = "get", operation_id = "listPackageImages")]
    async fn images(
        &self,
        caller: Caller,
        /// The package's name.
        #[oai(example = "example_package")]
        name: Path<String>,
        query: ListPackageImagesQuery,
        page: PageQuery,
    ) -> Result<Json<PackageImagePage>, Failure<BelowPackage>> {
        let version = text("version", query.version.as_deref())?;
        let mut pager = Pager::<(i64, i32)>::begin(&self.0, &caller, page).await?;
        let id = package_id(&mut pager.snapshot, &name).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after);
        let Page { mut rows, total } =
            holders(pager.snapshot.conn(), moment, id, version, after, limit).await?;
        let next = pager.end(&mut rows, |row| (row.image_id, row.version))?;
        let items = rows.into_iter().map(PackageImage::from).collect();
        Ok(Json(PackageImagePage::new(items, total, next, &pager.snapshot)))
    }
}

fn example_package() -> String {
    examples::PACKAGE.to_owned()
}
