//! The image and the version that a path or a filter names.
use crate::http::lookup::{is_name, number};
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::View;
use store::read::images::{KnownImage, known};
use store::read::versions::{VersionRow, version};

pub(super) async fn base_number(view: &mut View, base: &str) -> Result<i64, Problem> {
    number(view, base).await?.ok_or_else(|| {
        let detail = format!("The parameter `base` is wrong: there is no image {base:?}.");
        Problem::new(Code::InvalidParameter, detail)
    })
}

/// The image that a path names.
pub(super) async fn one_image(view: &mut View, given: &str) -> Result<KnownImage, Problem> {
    let moment = view.moment;
    let found = match is_name(given) {
        true => known(view.conn(), moment, given, given.parse().ok()).await?,
        false => None,
    };
    found.ok_or_else(|| {
        let shown: String = given.chars().take(64).collect();
        let detail = format!("There is no image {shown:?} as of {}.", view.as_of());
        Problem::new(Code::ImageNotFound, detail)
    })
}

/// The version of an image that a path or a filter names.
pub(super) async fn one_version(
    view: &mut View,
    image: &KnownImage,
    given: i32,
) -> Result<VersionRow, Problem> {
    let at = view.moment.as_of;
    version(view.conn(), at, image.id, given).await?.ok_or_else(|| {
        let detail = format!("{} has no version {given} as of {}.", image.name, view.as_of());
        Problem::new(Code::VersionNotFound, detail)
    })
}
