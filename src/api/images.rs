//! Images: the list, one of them with its documents, its versions, and the request to build one.
pub(crate) mod create;
mod model;

use super::builds::model::Build;
use super::caller::Caller;
use super::page::{self, Scope};
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, View};
use super::time::{Instant, example_as_of};
use create::NewBuild;
use model::{Image, ImageDetail, ImagePage, Version, VersionPage};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use store::read::images::{ImageFilter, find, image, images};
use store::read::versions::{assessment, attestations, sboms, tags, versions};

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
    /// A list below one image.
    BelowImage:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, ImageNotFound
}
failures! {
    /// A build that cannot be asked for.
    CreateImage:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, ImageDiffers, ImageEndOfLife,
        NotYourImage, NameOutsideNamespace, UnknownImage, UnknownPackage, UnknownTenant
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

#[OpenApi(tag = "Tag::Images")]
impl ImagesApi {
    /// List images
    ///
    /// By name, each with its current version and the advisories open on it.
    #[oai(path = "/v1/images", method = "get", operation_id = "listImages")]
    async fn list(
        &self,
        caller: Caller,
        /// Only images whose name holds this text, whatever its case.
        #[oai(validator(min_length = 1, max_length = 63))]
        name: Query<Option<String>>,
        /// Only images built on this one: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        base: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many images a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ImagePage>, Failure<ListImages>> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("images", &(&name.0, &base.0, at_ms))?;
        let start = page::start::<String>(&scope, page_token.as_deref())?;
        let mut view = self.0.page_view(&caller, as_of.0, start.as_ref()).await?;
        let base_image_id = match base.as_deref() {
            Some(base) => Some(base_number(&mut view, base).await?),
            None => None,
        };
        let filter = ImageFilter {
            name: name.as_deref().map(plain_text).transpose()?,
            base_image_id,
            after: start.as_ref().map(|start| start.key.as_str()),
        };
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let moment = view.moment;
        let mut rows = images(view.conn(), moment, &filter, i64::from(size) + 1).await?;
        let more = page::cut(&mut rows, size);
        let last = rows.last().filter(|_| more).map(|row| row.name.clone());
        Ok(Json(ImagePage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items: rows.into_iter().map(|row| Image::new(row, view.as_of())).collect(),
            as_of: view.as_of(),
            settled: view.settled(),
        }))
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
        let row = one_image(&mut view, &image).await?;
        let (id, version, at) = (row.id, row.version, view.moment.as_of);
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
        /// How many versions a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<VersionPage>, Failure<BelowImage>> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("versions", &(&image.0, at_ms))?;
        let start = page::start::<i32>(&scope, page_token.as_deref())?;
        let mut view = self.0.page_view(&caller, as_of.0, start.as_ref()).await?;
        let id = one_image(&mut view, &image).await?.id;
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let moment = view.moment;
        let before = start.map(|start| start.key);
        let limit = i64::from(size) + 1;
        let mut rows = versions(view.conn(), moment.as_of, id, before, limit).await?;
        let more = page::cut(&mut rows, size);
        let last = rows.last().filter(|_| more).map(|row| row.version);
        Ok(Json(VersionPage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items: rows.into_iter().map(Version::from).collect(),
            as_of: view.as_of(),
            settled: view.settled(),
        }))
    }
}

fn example_image() -> String {
    "nginx".to_owned()
}

/// Whether a text can be the name of an image: the form that scenarios demand.
pub(crate) fn is_name(text: &str) -> bool {
    let outer = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = |b: &u8| outer(b) || matches!(b, b'.' | b'_' | b'-');
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(outer)
        && bytes.last().is_some_and(outer)
        && bytes.iter().all(inner)
}

/// The number of the image that a path or a filter names.
pub(crate) async fn number(view: &mut View, given: &str) -> Result<Option<i64>, Problem> {
    if !is_name(given) {
        return Ok(None);
    }
    Ok(find(view.conn(), given, given.parse().ok()).await?)
}

async fn base_number(view: &mut View, base: &str) -> Result<i64, Problem> {
    number(view, base).await?.ok_or_else(|| {
        let detail = format!("The parameter `base` is wrong: there is no image {base:?}.");
        Problem::new(Code::InvalidParameter, detail)
    })
}

async fn one_image(view: &mut View, given: &str) -> Result<store::read::images::ImageRow, Problem> {
    let moment = view.moment;
    let row = match number(view, given).await? {
        Some(id) => image(view.conn(), moment, id).await?,
        None => None,
    };
    row.ok_or_else(|| {
        let shown: String = given.chars().take(64).collect();
        let detail = format!("There is no image {shown:?} as of {}.", view.as_of());
        Problem::new(Code::ImageNotFound, detail)
    })
}

/// A text that a database takes: no control characters.
fn plain_text(text: &str) -> Result<&str, Problem> {
    if text.chars().any(char::is_control) {
        let detail = "The parameter `name` is wrong: it holds control characters.";
        return Err(Problem::new(Code::InvalidParameter, detail));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_scenarios() {
        for name in ["a", "nginx", "python-3.12", "team_a", "7", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a b", "a/b", "é", "..", "a\0b", &"x".repeat(64)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
