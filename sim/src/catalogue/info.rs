//! What is known of a package and of an image from the start.
use crate::ids::{CustomerId, ImageId, PackageId};
use crate::time::SimTime;
use std::sync::Arc;

/// A package of the synthetic distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageInfo {
    /// Its invented name.
    pub name: String,
    /// An SPDX licence expression.
    pub license: String,
    /// Who makes it.
    pub supplier: String,
    /// One line for people.
    pub description: String,
    /// Whether it never has another release.
    pub end_of_life: bool,
}

/// An image: a named stream of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The image it is built on.
    pub base: Option<ImageId>,
    /// How many images are below it.
    pub depth: u32,
    /// The package whose version names the image's tags and whose releases trigger builds.
    pub main_package: PackageId,
    /// What it adds to its base, in order.
    pub own_packages: Arc<[PackageId]>,
    /// No builds from here on.
    pub end_of_life: Option<SimTime>,
    /// The customer whose it is; none: the shared catalogue's.
    pub owner: Option<CustomerId>,
}
