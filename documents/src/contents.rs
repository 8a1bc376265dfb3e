//! The one resolved package list of an image, from which every document about it follows.

use crate::apk_version;
use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::error::{Error, shorten};

/// Most components in one image that documents are made for and read from.
pub const MAX_COMPONENTS: usize = 100_000;
/// Most characters in one text field.
const MAX_TEXT_CHARS: usize = 1024;

/// One resolved package of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Package name, as apk allows it: `[A-Za-z0-9_][A-Za-z0-9._+-]*`.
    pub name: String,
    /// apk version, for example `1.4.2-r3`.
    pub version: String,
    /// Declared licence as an SPDX expression.
    pub license: String,
    /// The organization that supplies the package.
    pub supplier: String,
    /// The source package it was built from; its own name when it is the only one.
    pub origin: String,
    /// One line on what it is.
    pub description: String,
    /// SHA-256 of the (simulated) package file.
    pub checksum: Digest,
    /// Size of the package file, bytes.
    pub size_bytes: u64,
    /// Names of packages in the same image that it needs.
    pub depends_on: Vec<String>,
    /// Whether the base image brought it.
    pub from_base: bool,
}

/// The image that another image was built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseReference {
    /// The base's name with tag, for example `registry.example/base:3`.
    pub name: String,
    /// The digest of the base's manifest.
    pub digest: Digest,
}

impl BaseReference {
    /// The tag in the base's name; without one, the name stands for the newest.
    pub(crate) fn tag(&self) -> &str {
        let last = self.name.rsplit('/').next().and_then(|last| last.split_once(':'));
        last.map_or("latest", |(_, tag)| tag)
    }
}

/// What an image is: its identity and its resolved packages. It holds no instant, so that
/// identical contents give an identical digest (reproducible builds).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageContents {
    /// The image's short name, for example `nginx`.
    pub image: String,
    /// The version stream or tag, for example `1.27`.
    pub version: String,
    /// Registry and repository without tag, for example `registry.wavetank.example/nginx`.
    pub repository: String,
    /// The organization that publishes the image.
    pub vendor: String,
    /// As whose packages scanners see its packages.
    pub distribution: Distribution,
    /// apk's name of the architecture, for example `x86_64`.
    pub architecture: String,
    /// The packages, sorted by name, each name once.
    pub components: Vec<Component>,
    /// The base image, if there is one.
    pub base: Option<BaseReference>,
}

impl ImageContents {
    /// Checks what every document relies on: names, versions and licences are well formed, no
    /// text holds a control character, components are sorted by name without repetition, and
    /// each dependency is in the image.
    ///
    /// # Errors
    /// [`Error::Contents`] for the first field that is wrong, [`Error::TooLarge`] for over
    /// [`MAX_COMPONENTS`] components.
    pub fn check(&self) -> Result<(), Error> {
        let texts = [
            ("image", &self.image),
            ("version", &self.version),
            ("repository", &self.repository),
            ("vendor", &self.vendor),
        ];
        for (field, value) in texts {
            self.require(is_text(value), &self.image, field, value, TEXT)?;
        }
        let architecture = &self.architecture;
        self.require(is_name(architecture), &self.image, "architecture", architecture, NAME)?;
        if let Some(base) = &self.base {
            self.require(is_text(&base.name), &self.image, "base name", &base.name, TEXT)?;
        }
        if self.components.len() > MAX_COMPONENTS {
            return Err(Error::TooLarge {
                what: "components in an image",
                found: self.components.len() as u64,
                limit: MAX_COMPONENTS as u64,
            });
        }
        let mut previous = "";
        for component in &self.components {
            let name = &component.name;
            self.require(name.as_str() > previous, name, "name", name, "names sorted, each once")?;
            previous = name;
            self.check_component(component)?;
        }
        Ok(())
    }

    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        let found = self.components.binary_search_by(|component| component.name.as_str().cmp(name));
        found.ok().map(|index| &self.components[index])
    }

    fn check_component(&self, component: &Component) -> Result<(), Error> {
        let name = &component.name;
        let version = &component.version;
        self.require(is_name(name), name, "name", name, NAME)?;
        self.require(apk_version::is_valid(version), name, "version", version, "an apk version")?;
        let license = &component.license;
        self.require(is_license(license), name, "license", license, "an SPDX expression")?;
        self.require(is_name(&component.origin), name, "origin", &component.origin, NAME)?;
        let supplier = &component.supplier;
        self.require(is_text(supplier), name, "supplier", supplier, TEXT)?;
        let description = &component.description;
        let fine = description.is_empty() || is_text(description);
        self.require(fine, name, "description", description, TEXT)?;
        for needed in &component.depends_on {
            let known = self.component(needed).is_some();
            self.require(known, name, "depends_on", needed, "the name of a package in the image")?;
        }
        Ok(())
    }

    fn require(
        &self,
        holds: bool,
        subject: &str,
        field: &'static str,
        value: &str,
        expected: &'static str,
    ) -> Result<(), Error> {
        if holds {
            return Ok(());
        }
        let value = shorten(value);
        Err(Error::Contents { subject: shorten(subject), field, value, expected })
    }
}

const TEXT: &str = "1 to 1024 characters, none of them a control character";
const NAME: &str = "1 to 128 of A-Z a-z 0-9 . _ + -, not starting with . or -";

fn is_text(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= MAX_TEXT_CHARS * 4
        && value.chars().count() <= MAX_TEXT_CHARS
        && !value.chars().any(char::is_control)
}

fn is_name(value: &str) -> bool {
    let bytes = value.as_bytes();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
    (1..=128).contains(&bytes.len())
        && bytes.iter().all(allowed)
        && !matches!(bytes.first(), Some(b'.' | b'-'))
}

fn is_license(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" ().+-".contains(&byte);
    (1..=MAX_TEXT_CHARS).contains(&value.len()) && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn refused(change: impl FnOnce(&mut ImageContents)) -> String {
        let mut contents = sample::contents(8);
        change(&mut contents);
        contents.check().unwrap_err().to_string()
    }

    #[test]
    fn the_sample_is_fine() {
        sample::contents(60).check().unwrap();
        sample::contents(0).check().unwrap();
    }

    #[test]
    fn each_broken_field_is_named() {
        assert!(refused(|c| c.image = "a\nb".into()).contains("image"));
        assert!(refused(|c| c.image = "x".repeat(2000)).contains("1024"));
        assert!(refused(|c| c.architecture = "../etc".into()).contains("architecture"));
        assert!(refused(|c| c.components[1].version = "one".into()).contains("apk version"));
        assert!(refused(|c| c.components[1].description = "a\nP:evil".into()).contains("control"));
        assert!(refused(|c| c.components[1].license = "MIT\nX:y".into()).contains("SPDX"));
        assert!(refused(|c| c.components.swap(0, 1)).contains("sorted"));
        assert!(refused(|c| c.components[1] = c.components[0].clone()).contains("each once"));
        assert!(refused(|c| c.components[1].depends_on.push("gone".into())).contains("gone"));
    }
}
