//! The image and the version that a path or a filter names.
use crate::http::lookup::number;
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::Snapshot;
use sim::scenario::units::Name;
use store::read::images::{KnownImage, known};
use store::read::versions::{VersionRow, version};

pub(super) async fn base_number(snapshot: &mut Snapshot, base: &str) -> Result<i64, Problem> {
    number(snapshot, base).await?.ok_or_else(|| {
        let detail = format!("The parameter `base` is wrong: there is no image {base:?}.");
        Problem::new(Code::InvalidParameter, detail)
    })
}

/// The image that a path names.
pub(super) async fn one_image(snapshot: &mut Snapshot, given: &str) -> Result<KnownImage, Problem> {
    let moment = snapshot.moment;
    let found = match Name::is_valid(given) {
        true => known(snapshot.conn(), moment, given, given.parse().ok()).await?,
        false => None,
    };
    found.ok_or_else(|| {
        let shown: String = given.chars().take(64).collect();
        let detail = format!("There is no image {shown:?} as of {}.", snapshot.as_of());
        Problem::new(Code::ImageNotFound, detail)
    })
}

/// The version of an image that a path or a filter names.
pub(super) async fn one_version(
    snapshot: &mut Snapshot,
    image: &KnownImage,
    given: i32,
) -> Result<VersionRow, Problem> {
    let at = snapshot.moment.as_of;
    version(snapshot.conn(), at, image.id, given).await?.ok_or_else(|| {
        let detail = format!("{} has no version {given} as of {}.", image.name, snapshot.as_of());
        Problem::new(Code::VersionNotFound, detail)
    })
}
