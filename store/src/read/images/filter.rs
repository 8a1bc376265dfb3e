//! Which images a list holds, and in which order.
use crate::read::scans::ScanState;
use chrono::{DateTime, Utc};

/// Where an image is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageStatus {
    /// It has no version yet.
    Unpublished,
    /// It is built and used.
    Active,
    /// It is no longer built.
    EndOfLife,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageOrder {
    /// By name.
    #[default]
    Name,
    /// By when it was added.
    CreatedAt,
    /// By when its current version was published; those without one come before all.
    PublishedAt,
}

impl ImageOrder {
    /// What goes before the name.
    pub(super) const fn key(self) -> Option<&'static str> {
        match self {
            ImageOrder::Name => None,
            ImageOrder::CreatedAt => Some("i.created_at"),
            ImageOrder::PublishedAt => Some("coalesce(v.published_at, '-infinity')"),
        }
    }
}

/// A place in a list, whatever its order.
#[derive(Clone, Debug)]
pub struct ImagePlace {
    /// The image's name.
    pub name: String,
    /// The instant by which it is ordered, if it has one.
    pub at: Option<DateTime<Utc>>,
}

/// Which images a list holds, and in which order.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter<'a> {
    /// Only those with this text in their name or description, whatever its case; or with a
    /// version of this digest (`sha256:...`).
    pub q: Option<&'a str>,
    /// Only those whose name holds this text, whatever its case.
    pub name: Option<&'a str>,
    /// Only those with this tag.
    pub tag: Option<&'a str>,
    /// Only those that are so.
    pub status: Option<ImageStatus>,
    /// Only those built on this image.
    pub base_image_id: Option<i64>,
    /// Only those with an advisory of this severity open on the current version.
    pub severity: Option<&'a str>,
    /// Only those whose current version has this SLSA build level.
    pub slsa_level: Option<i32>,
    /// Only those whose current version has been assessed for its SLSA build level, or has not.
    pub assessed: Option<bool>,
    /// Only those of whose current version this is known from scans.
    pub scan: Option<ScanState>,
    /// The order.
    pub order: ImageOrder,
    /// Whether it is turned round.
    pub descending: bool,
}

impl ImageFilter<'_> {
    /// Whether it leaves any image out.
    pub(super) fn narrows(&self) -> bool {
        let ImageFilter { q, name, tag, status, base_image_id, .. } = self;
        [q, name, tag].into_iter().any(Option::is_some)
            || status.is_some()
            || base_image_id.is_some()
            || self.by_level()
            || self.by_scan()
    }

    /// Whether the level of the current version decides.
    pub(super) const fn by_level(&self) -> bool {
        self.slsa_level.is_some() || self.assessed.is_some()
    }

    /// Whether what scans have seen of the current version decides.
    pub(super) const fn by_scan(&self) -> bool {
        self.severity.is_some() || self.scan.is_some()
    }
}

/// How the current version decides what is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ByVersion {
    /// Not at all.
    No,
    /// Image by image, until the page is full.
    OneByOne,
    /// Of all images at once: it decides the order, or few may be found.
    All,
}

impl<'a> ImageFilter<'a> {
    /// How the current version decides.
    pub(super) fn by_version(&self) -> ByVersion {
        let rare = self.status.is_some() || self.scan.is_some() || self.assessed.is_some();
        if self.order == ImageOrder::PublishedAt || rare {
            ByVersion::All
        } else if self.severity.is_some() || self.slsa_level.is_some() {
            ByVersion::OneByOne
        } else {
            ByVersion::No
        }
    }

    /// The tag that alone decides which images are listed, by name.
    pub(super) fn tag_alone(&self) -> Option<&'a str> {
        let rest = ImageFilter { tag: None, ..self.clone() };
        self.tag.filter(|_| self.order == ImageOrder::Name && !rest.narrows())
    }
}
