//! What the documents of all images have in common: registry, vendor, distribution.
use documents::{Distribution, ImageContents};
use sim::ids::BuilderId;

/// Under this name images stand in the world's registry.
const REGISTRY: &str = "registry.wavetank.example";
/// Who publishes them.
const VENDOR: &str = "Wavetank";
/// apk's name of the only architecture.
const ARCHITECTURE: &str = "x86_64";

/// The registry and repository of an image.
pub(crate) fn repository(image: &str) -> String {
    format!("{REGISTRY}/{image}")
}

/// An image without its packages: enough for documents that only name it.
pub(crate) fn empty_image(
    distribution: Distribution,
    image: &str,
    tags: &[String],
) -> ImageContents {
    ImageContents {
        image: image.to_owned(),
        version: tags.get(1).cloned().unwrap_or_default(),
        repository: repository(image),
        vendor: VENDOR.to_owned(),
        distribution,
        architecture: ARCHITECTURE.to_owned(),
        components: Vec::new(),
        base: None,
    }
}

/// Who made what existed before the world began.
pub(crate) const BOOTSTRAP_BUILDER: &str = "bootstrap";

/// What a builder is called in rows and documents.
pub(crate) fn builder_name(builder: BuilderId) -> String {
    builder.name()
}
