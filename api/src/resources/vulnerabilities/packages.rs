//! Packages: their releases, and which images hold them.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup::{package_id, text};
use crate::http::pages::Turn;
use crate::http::problem::{Failure, failures};
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use crate::http::examples;
use model::{Package, PackageDetail, PackageImage, PackageImagePage, PackagePage};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
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
        /// Only packages whose name holds this text, whatever its case.
        #[oai(validator(min_length = 1, max_length = 63))]
        q: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many packages a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<PackagePage>, Failure<ListPackages>> {
        let q = text("q", q.as_deref())?;
        let turning = (page_size.0, page_token.as_deref());
        let list = ("packages", &q);
        let mut turn = Turn::<String>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after.clone());
        let conn = turn.view.conn();
        let total = packages_total(conn, moment, q).await?;
        let mut rows = packages(conn, moment, q, after.as_deref(), limit).await?;
        let next = turn.end(&mut rows, |row| row.name.clone())?;
        let items = rows.into_iter().map(Package::from).collect();
        Ok(Json(PackagePage::new(items, total, next, &turn.view)))
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<PackageDetail>, Failure<OnePackage>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let (id, moment) = (package_id(&mut view, &name).await?, view.moment);
        let row = package(view.conn(), moment, id).await?;
        let releases = releases(view.conn(), moment, id, MAX_RELEASES).await?;
        Ok(Json(PackageDetail::new(row, releases, &view)))
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
        /// Only images that hold this version of the package.
        #[oai(validator(min_length = 1, max_length = 128))]
        version: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many versions a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<PackageImagePage>, Failure<BelowPackage>> {
        let version = text("version", version.as_deref())?;
        let turning = (page_size.0, page_token.as_deref());
        let filters = (&name.0, version);
        let list = ("package images", &filters);
        let mut turn = Turn::<(i64, i32)>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let id = package_id(&mut turn.view, &name).await?;
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after);
        let Page { mut rows, total } =
            holders(turn.view.conn(), moment, id, version, after, limit).await?;
        let next = turn.end(&mut rows, |row| (row.image_id, row.version))?;
        let items = rows.into_iter().map(PackageImage::from).collect();
        Ok(Json(PackageImagePage::new(items, total, next, &turn.view)))
    }
}

fn example_package() -> String {
    examples::PACKAGE.to_owned()
}
