//! The catalogue of images: those with a name, and the fleet.
use crate::scenario::units::{Instant, Name};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// One image.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name, unique in the scenario.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// The image it is built on.
    #[serde(default)]
    #[schemars(with = "Option<Name>")]
    pub base: Option<Spanned<Name>>,
    /// How many packages it adds to its base: drawn by the seed. 24 by default (D).
    #[serde(default = "default_image_packages")]
    #[schemars(range(min = 1, max = 5_000))]
    pub packages: u32,
    /// When it reaches the end of its life: no builds after that.
    #[serde(default)]
    pub end_of_life: Option<Instant>,
}

fn default_image_packages() -> u32 {
    24
}

/// Images made by the dozen: `bases` base images, and `images` images spread over them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// How many base images.
    #[schemars(range(min = 1, max = 1_000))]
    pub bases: u32,
    /// How many images on those bases (not counting the bases).
    #[schemars(range(max = 20_000))]
    pub images: u32,
    /// Packages of a base: uniform between the two, 14 to 26 by default (D).
    #[serde(default = "default_base_packages")]
    #[schemars(inner(range(min = 1, max = 5_000)))]
    pub base_packages: [u32; 2],
    /// Packages an image adds to its base: uniform between the two, 10 to 70 by default (D).
    #[serde(default = "default_own_packages")]
    #[schemars(inner(range(min = 1, max = 5_000)))]
    pub own_packages: [u32; 2],
}

fn default_base_packages() -> [u32; 2] {
    [14, 26]
}

fn default_own_packages() -> [u32; 2] {
    [10, 70]
}
