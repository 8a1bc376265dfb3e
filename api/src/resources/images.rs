//! Images: the list, one of them with its documents, its versions, and the request to build one.
//! What else belongs to an image is in `parts`.
mod create;
mod evidence;
mod lookup;
mod model;
pub(super) mod parts;
mod versions;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup::text;
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Failure, Problem, failures};
use crate::http::query::{AsOf, length, query, range};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::schemas::build::Build;
use crate::schemas::scan::ScanState;
use crate::schemas::severity::Severity;
use create::NewBuild;
use lookup::{base_number, one_image, one_version};
use model::{Assessed, Image, ImageDetail, ImageOrderBy, ImagePage, ImageStatus};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use store::read::Page;
use store::read::images::{ImageFilter, ImagePlace, KnownImage, images};
use store::read::versions::{assessment, attestations, sboms, tags, versions_total};
use versions::{Version, VersionDetail, VersionPage};

/// The most tags that one image shows.
const MAX_TAGS: i64 = 100;

pub(crate) struct ImagesApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListImages: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One image.
    OneImage: InvalidParameter, UnknownParameter, AsOfInFuture, ImageNotFound
}
failures! {
    /// One version.
    OneVersion:
        InvalidParameter, UnknownParameter, AsOfInFuture, ImageNotFound, VersionNotFound
}
failures! {
    /// A list below one image.
    BelowImage:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, ImageNotFound
}
failures! {
    /// A build that cannot be asked for.
    CreateImage:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, ImageDiffers, ImageEndOfLife,
        NotYourImage, NameOutsideNamespace, UnknownImage, UnknownPackage, UnknownTenant,
        KernelMismatch
}

/// A build that was asked for.
#[derive(ApiResponse)]
pub(crate) enum Accepted {
    /// The build is pending; the `Location` header and `href` say where to watch it.
    #[oai(status = 202)]
    Build(
        Json<Build>,
        /// Where to watch the build.
        #[oai(header = "Location")]
        String,
    ),
}

query! {
    /// The parameters of listImages.
    struct ListImagesQuery {
        /// Only images with this text in their name or description, whatever its case; or with a
        /// version of this digest (`sha256:...`).
        q: Option<String> = length(1, 80),
        /// Only images whose name holds this text, whatever its case.
        name: Option<String> = length(1, 63),
        /// Only images with this tag.
        tag: Option<String> = length(1, 128),
        /// Only images that were so.
        status: Option<ImageStatus>,
        /// Only images built on this one: its name or number.
        base: Option<String> = length(1, 63),
        /// Only images with an advisory of this severity open on their current version, as far as
        /// that was scanned.
        severity: Option<Severity>,
        /// Only images of whose current version this is known from scans.
        scan: Option<ScanState>,
        /// Only images whose current version has this SLSA build level.
        slsa_level: Option<i32> = range(0, 3),
        /// Only images whose current version has been assessed for a SLSA build level, or not yet.
        slsa_assessment: Option<Assessed>,
        /// The order, `name` when absent; with `-` the other way round.
        order_by: Option<ImageOrderBy>,
    }
}

impl Resource for ImagesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listImages", Access::Read),
        ("buildImage", Access::Edit),
        ("getImage", Access::Read),
        ("listVersions", Access::Read),
        ("getVersion", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        ImagesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Images")]
impl ImagesApi {
    /// List images
    ///
    /// Each with its current version and the advisories open on it. `q` searches; the other
    /// filters narrow what is found.
    #[oai(path = "/v1/images", method = "get", operation_id = "listImages")]
    async fn list(
        &self,
        caller: Caller,
        query: ListImagesQuery,
        page: PageQuery,
    ) -> Result<Json<ImagePage>, Failure<ListImages>> {
        let order_by = query.order_by.unwrap_or(ImageOrderBy::Name);
        let (order, descending) = order_by.order();
        let severity = query.severity.map(Severity::as_str);
        let mut pager = Pager::<Key>::begin(&self.0, &caller, page).await?;
        let filter = ImageFilter {
            q: text("q", query.q.as_deref())?,
            name: text("name", query.name.as_deref())?,
            tag: text("tag", query.tag.as_deref())?,
            status: query.status.map(Into::into),
            base_image_id: match query.base.as_deref() {
                Some(base) => Some(base_number(&mut pager.snapshot, base).await?),
                None => None,
            },
            severity,
            slsa_level: query.slsa_level,
            assessed: query.slsa_assessment.map(|wanted| wanted == Assessed::Complete),
            scan: query.scan.map(Into::into),
            order,
            descending,
        };
        let after = match pager.after.take() {
            Some((name, ms)) => Some(ImagePlace { name, at: ms.map(pages::instant).transpose()? }),
            None => None,
        };
        let (moment, limit) = (pager.moment, pager.limit());
        let conn = pager.snapshot.conn();
        let Page { mut rows, total } = images(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, |row| {
            let place = row.place(order);
            (place.name, place.at.map(|at| at.timestamp_millis()))
        })?;
        let as_of = pager.snapshot.as_of();
        let items = rows.into_iter().map(|row| Image::new(row, as_of)).collect();
        Ok(Json(ImagePage::new(items, total, next, &pager.snapshot)))
    }

    /// Build an image
    ///
    /// Asks for a build now. With `base` and `packages` the image is added to the catalogue
    /// first; with its name alone an image that exists is rebuilt. The answer is the build as it
    /// waits; it runs when a builder is free and time moves. With `builder: external` it waits
    /// for POST /v1/builds/{id}/completion instead. A tenant's key makes and builds images of its
    /// own, on those of the catalogue or its own.
    #[oai(path = "/v1/images", method = "post", operation_id = "buildImage")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewBuild>,
    ) -> Result<Accepted, Failure<CreateImage>> {
        let build = wanted.request(&self.0, &caller).await?;
        let location = build.href.clone();
        Ok(Accepted::Build(Json(build), location))
    }

    /// Read an image
    ///
    /// With its current version, tags, SBOMs, attestations and open advisories as of an instant.
    #[oai(path = "/v1/images/:image", method = "get", operation_id = "getImage")]
    async fn get(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        as_of: AsOf,
    ) -> Result<Json<ImageDetail>, Failure<OneImage>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let KnownImage { id, version, name } = one_image(&mut snapshot, &image).await?;
        let (moment, at) = (snapshot.moment, snapshot.moment.as_of);
        let row = store::read::images::image(snapshot.conn(), moment, id).await?;
        let row = row.ok_or_else(|| Problem::internal(format!("the image {name} is gone")))?;
        let tags = tags(snapshot.conn(), at, id, MAX_TAGS).await?;
        let (sboms, attestations, assessment) = match version {
            Some(version) => (
                sboms(snapshot.conn(), id, version).await?,
                attestations(snapshot.conn(), at, id, version).await?,
                assessment(snapshot.conn(), at, id, version).await?,
            ),
            None => (Vec::new(), Vec::new(), None),
        };
        let image = Image::new(row, snapshot.as_of());
        Ok(Json(ImageDetail::new(image, tags, sboms, attestations, assessment, &snapshot)))
    }

    /// List an image's versions
    ///
    /// Newest first, each with the tags that pointed to it at that instant.
    #[oai(path = "/v1/images/:image/versions", method = "get", operation_id = "listVersions")]
    async fn versions(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        page: PageQuery,
    ) -> Result<Json<VersionPage>, Failure<BelowImage>> {
        let mut pager = Pager::<i32>::begin(&self.0, &caller, page).await?;
        let id = one_image(&mut pager.snapshot, &image).await?.id;
        let (at, limit, before) = (pager.moment.as_of, pager.limit(), pager.after);
        let conn = pager.snapshot.conn();
        let total = versions_total(conn, at, id).await?;
        let mut rows = store::read::versions::versions(conn, at, id, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.version)?;
        let items = rows.into_iter().map(Version::from).collect();
        Ok(Json(VersionPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a version of an image
    ///
    /// With its SBOMs, attestations and the evidence for its SLSA level as of an instant.
    #[oai(
        path = "/v1/images/:image/versions/:version",
        method = "get",
        operation_id = "getVersion"
    )]
    async fn version(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        /// The version's ordinal, from 1.
        #[oai(validator(minimum(value = "1")), example = "example_version")]
        version: Path<i32>,
        as_of: AsOf,
    ) -> Result<Json<VersionDetail>, Failure<OneVersion>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let image = one_image(&mut snapshot, &image).await?;
        let row = one_version(&mut snapshot, &image, version.0).await?;
        let (id, at) = (image.id, snapshot.moment.as_of);
        let sboms = sboms(snapshot.conn(), id, row.version).await?;
        let attestations = attestations(snapshot.conn(), at, id, row.version).await?;
        let assessment = assessment(snapshot.conn(), at, id, row.version).await?;
        let detail =
            VersionDetail::new(image.name, row, sboms, attestations, assessment, &snapshot);
        Ok(Json(detail))
    }
}

/// The image's name; the instant by which the list is ordered, in milliseconds.
type Key = (String, Option<i64>);

fn example_version() -> i32 {
    examples::VERSION
}

fn example_image() -> String {
    examples::IMAGE.to_owned()
}
