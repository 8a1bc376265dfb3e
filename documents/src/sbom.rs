//! Reads the packages back out of an SBOM: what a scan works on.
//!
//! It is the hot path of the scanner, and its input may come from anywhere, so it borrows from
//! the bytes, skips what it does not need without building it, and counts what it reads.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};

use crate::contents::MAX_COMPONENTS;
use crate::error::Error;

/// The largest SBOM that is read, bytes. An image of 400 packages has about 0.4 MB.
pub const MAX_SBOM_BYTES: usize = 64 << 20;
const PURL_PREFIX: &str = "pkg:apk/";
const DOCUMENT: &str = "SBOM";

/// The format of an SBOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// SPDX 2.3 JSON.
    Spdx,
    /// CycloneDX 1.6 JSON.
    CycloneDx,
}

/// Name and version of a package found in an SBOM, borrowed from its bytes where they hold no
/// escapes.
pub type NameVersion<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The apk packages of an SPDX 2.3 or CycloneDX 1.6 JSON document, in document order. Images and
/// operating systems in it are left out: only what has a `pkg:apk/` purl counts.
///
/// # Errors
/// [`Error::TooLarge`] over [`MAX_SBOM_BYTES`], [`Error::Decode`] for JSON that is broken, has
/// the wrong types, repeats a field that matters or lists more than [`MAX_COMPONENTS`] packages,
/// [`Error::Malformed`] for any other document or version, an apk package without a version, or
/// components nested in components (which this reader would miss, so it refuses them).
pub fn parse_components(bytes: &[u8]) -> Result<Vec<NameVersion<'_>>, Error> {
    if bytes.len() > MAX_SBOM_BYTES {
        return Err(Error::TooLarge {
            what: "bytes of an SBOM",
            found: bytes.len() as u64,
            limit: MAX_SBOM_BYTES as u64,
        });
    }
    let document: Document<'_> = serde_json::from_slice(bytes)
        .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
    match document.format()? {
        Format::Spdx => from_spdx(document.packages.unwrap_or_default().0),
        Format::CycloneDx => from_cyclonedx(document.components.unwrap_or_default().0),
    }
}

fn from_spdx(packages: Vec<SpdxPackage<'_>>) -> Result<Vec<NameVersion<'_>>, Error> {
    let apk = packages.into_iter().filter(|package| package.external_refs.0);
    apk.map(|package| pair(package.name, package.version_info)).collect()
}

fn from_cyclonedx(components: Vec<CdxComponent<'_>>) -> Result<Vec<NameVersion<'_>>, Error> {
    let mut found = Vec::with_capacity(components.len());
    for component in components {
        if component.components.is_some() {
            return Err(malformed("components are nested in components"));
        }
        if component.purl.is_some_and(|purl| purl.0.starts_with(PURL_PREFIX)) {
            found.push(pair(component.name, component.version)?);
        }
    }
    Ok(found)
}

fn pair<'a>(name: Text<'a>, version: Option<Text<'a>>) -> Result<NameVersion<'a>, Error> {
    match version {
        Some(version) if !name.0.is_empty() && !version.0.is_empty() => Ok((name.0, version.0)),
        _ => Err(malformed("an apk package has no name or no version")),
    }
}

fn malformed(reason: &str) -> Error {
    Error::Malformed { document: DOCUMENT, reason: reason.to_owned() }
}

/// Text that borrows from the input. (Serde's `Cow` alone borrows only as a direct field.)
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of both formats that matter; `IgnoredAny` skips the others without recursion.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    spdx_version: Option<Text<'a>>,
    #[serde(borrow)]
    bom_format: Option<Text<'a>>,
    #[serde(borrow)]
    spec_version: Option<Text<'a>>,
    #[serde(borrow)]
    packages: Option<Bounded<SpdxPackage<'a>>>,
    #[serde(borrow)]
    components: Option<Bounded<CdxComponent<'a>>>,
}

impl Document<'_> {
    fn format(&self) -> Result<Format, Error> {
        let text = |field: &Option<Text<'_>>| field.as_ref().map(|text| text.0.to_string());
        let spdx = text(&self.spdx_version);
        let bom = text(&self.bom_format).zip(text(&self.spec_version));
        match (spdx.as_deref(), bom.as_ref().map(|(format, version)| (&**format, &**version))) {
            (Some("SPDX-2.3"), None) => Ok(Format::Spdx),
            (None, Some(("CycloneDX", "1.6"))) => Ok(Format::CycloneDx),
            _ => Err(malformed("expected either SPDX 2.3 or CycloneDX 1.6")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version_info: Option<Text<'a>>,
    #[serde(default)]
    external_refs: HasApkPurl,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxRef<'a> {
    #[serde(borrow)]
    reference_locator: Text<'a>,
}

#[derive(Deserialize)]
struct CdxComponent<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Option<Text<'a>>,
    #[serde(borrow)]
    purl: Option<Text<'a>>,
    components: Option<IgnoredAny>,
}

/// Whether one of a package's external references is an apk purl; nothing of the list is kept.
#[derive(Default)]
struct HasApkPurl(bool);

impl<'de> Deserialize<'de> for HasApkPurl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct References;
        impl<'de> Visitor<'de> for References {
            type Value = HasApkPurl;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of external references")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<HasApkPurl, A::Error> {
                let mut found = false;
                while let Some(reference) = items.next_element::<SpdxRef<'de>>()? {
                    found |= reference.reference_locator.0.starts_with(PURL_PREFIX);
                }
                Ok(HasApkPurl(found))
            }
        }
        deserializer.deserialize_seq(References)
    }
}

/// A list that stops growing at [`MAX_COMPONENTS`].
struct Bounded<T>(Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Bounded<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bounded<T>, A::Error> {
                let mut found = Vec::new();
                while let Some(item) = items.next_element()? {
                    // The image, its base and the operating system stand beside the components.
                    if found.len() >= MAX_COMPONENTS + 3 {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_COMPONENTS} packages"
                        )));
                    }
                    found.push(item);
                }
                Ok(Bounded(found))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests;
