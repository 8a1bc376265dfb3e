//! Images: the list, one of them with its documents, its versions, and the request to build one.
//! What else belongs to an image is in `parts`.
mod create;
mod evidence;
mod lookup;
mod model;
mod parts;
mod versions;

use crate::http::access::{Access, Resource};
use crate::schemas::build::Build;
use crate::http::caller::Caller;
use crate::http::lookup::text;
use crate::http::pages::{self as page, Turn};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::schemas::severity::Severity;
use crate::http::tag::Tag;
use crate::http::snapshot::View;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use crate::http::examples;
use create::NewBuild;
use lookup::{base_number, one_image, one_version};
use model::{Image, ImageDetail, ImageOrderBy, ImagePage, ImageStatus};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use store::read::Listed;
use store::read::images::{ImageFilter, ImagePlace, KnownImage, images};
use store::read::versions::{
    assessment, attestations, sboms, tags, versions_total,
};
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
        OtherKernel
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
        /// Only images with this text in their name or description, whatever its case; or with a
        /// version of this digest (`sha256:...`).
        #[oai(validator(min_length = 1, max_length = 80))]
        q: Query<Option<String>>,
        /// Only images whose name holds this text, whatever its case.
        #[oai(validator(min_length = 1, max_length = 63))]
        name: Query<Option<String>>,
        /// Only images with this tag.
        #[oai(validator(min_length = 1, max_length = 128))]
        tag: Query<Option<String>>,
        /// Only images that were so.
        status: Query<Option<ImageStatus>>,
        /// Only images built on this one: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        base: Query<Option<String>>,
        /// Only images with an advisory of this severity open on their current version.
        severity: Query<Option<Severity>>,
        /// Only images whose current version has this SLSA build level.
        #[oai(validator(minimum(value = "0"), maximum(value = "3")))]
        slsa_level: Query<Option<i32>>,
        /// The order, `name` when absent; with `-` the other way round.
        order_by: Query<Option<ImageOrderBy>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many images a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ImagePage>, Failure<ListImages>> {
        let order_by = order_by.0.unwrap_or(ImageOrderBy::Name);
        let (order, descending) = order_by.order();
        let severity = severity.0.map(Severity::as_str);
        let kind = (status.0.map(|status| status as u8), severity, slsa_level.0);
        let filters = (&q.0, &name.0, &tag.0, &base.0, kind, order_by as u8);
        let list = ("images", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let filter = ImageFilter {
            q: text("q", q.as_deref())?,
            name: text("name", name.as_deref())?,
            tag: text("tag", tag.as_deref())?,
            status: status.0.map(Into::into),
            base_image_id: match base.as_deref() {
                Some(base) => Some(base_number(&mut turn.view, base).await?),
                None => None,
            },
            severity,
            slsa_level: slsa_level.0,
            order,
            descending,
        };
        let after = match turn.after.take() {
            Some((name, ms)) => Some(ImagePlace { name, at: ms.map(page::instant).transpose()? }),
            None => None,
        };
        let (moment, limit) = (turn.moment, turn.limit());
        let conn = turn.view.conn();
        let Listed { mut rows, total } =
            images(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = turn.end(&mut rows, |row| {
            let place = row.place(order);
            (place.name, place.at.map(|at| at.timestamp_millis()))
        })?;
        let as_of = turn.view.as_of();
        let items = rows.into_iter().map(|row| Image::new(row, as_of)).collect();
        Ok(Json(ImagePage::new(items, total, next, &turn.view)))
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
        let build = create::build_image(&self.0, &caller, wanted.0).await?;
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<ImageDetail>, Failure<OneImage>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let KnownImage { id, version, name } = one_image(&mut view, &image).await?;
        let (moment, at) = (view.moment, view.moment.as_of);
        let row = store::read::images::image(view.conn(), moment, id).await?;
        let row = row.ok_or_else(|| Problem::internal(format!("the image {name} is gone")))?;
        let tags = tags(view.conn(), at, id, MAX_TAGS).await?;
        let (sboms, attestations, assessment) = match version {
            Some(version) => (
                sboms(view.conn(), id, version).await?,
                attestations(view.conn(), at, id, version).await?,
                assessment(view.conn(), at, id, version).await?,
            ),
            None => (Vec::new(), Vec::new(), None),
        };
        let image = Image::new(row, view.as_of());
        Ok(Json(ImageDetail::new(image, tags, sboms, attestations, assessment, &view)))
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many versions a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<VersionPage>, Failure<BelowImage>> {
        let list = ("versions", &image.0);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<i32>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let id = one_image(&mut turn.view, &image).await?.id;
        let (at, limit, before) = (turn.moment.as_of, turn.limit(), turn.after);
        let conn = turn.view.conn();
        let total = versions_total(conn, at, id).await?;
        let mut rows = store::read::versions::versions(conn, at, id, before, limit).await?;
        let next = turn.end(&mut rows, |row| row.version)?;
        let items = rows.into_iter().map(Version::from).collect();
        Ok(Json(VersionPage::new(items, total, next, &turn.view)))
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<VersionDetail>, Failure<OneVersion>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let image = one_image(&mut view, &image).await?;
        let row = one_version(&mut view, &image, version.0).await?;
        let (id, at) = (image.id, view.moment.as_of);
        let sboms = sboms(view.conn(), id, row.version).await?;
        let attestations = attestations(view.conn(), at, id, row.version).await?;
        let assessment = assessment(view.conn(), at, id, row.version).await?;
        let detail = VersionDetail::new(image.name, row, sboms, attestations, assessment, &view);
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

