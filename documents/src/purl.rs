//! Package URLs of components and images: the names that every scanner and SBOM tool matches by.

use packageurl::PackageUrl;

use crate::contents::ImageContents;
use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::error::Error;

/// The purl of an apk package in an image:
/// `pkg:apk/alpine/zlib@1.3.1-r0?arch=x86_64&distro=alpine-3.23.0`.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn component(contents: &ImageContents, name: &str, version: &str) -> Result<String, Error> {
    let distro = contents.distribution.qualifier();
    build("apk", name, |purl| {
        purl.with_namespace(contents.distribution.id())?
            .with_version(version)?
            .add_qualifier("arch", contents.architecture.as_str())?
            .add_qualifier("distro", distro.as_str())?;
        Ok(())
    })
}

/// The purl of an apk package of a distribution, whatever its version and architecture: what an
/// advisory names.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn package(distribution: Distribution, name: &str) -> Result<String, Error> {
    build("apk", name, |purl| purl.with_namespace(distribution.id()).map(|_| ()))
}

/// The purl of an image, as the purl type `oci` asks: the name is the repository's last part in
/// lower case, the version is the digest.
/// `pkg:oci/nginx@sha256:...?arch=amd64&repository_url=registry.example%2Fnginx&tag=1.27`.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn image(contents: &ImageContents, digest: Digest) -> Result<String, Error> {
    build("oci", &image_name(contents), |purl| {
        purl.with_version(digest.to_string())?
            .add_qualifier("arch", crate::oci::architecture(&contents.architecture))?
            .add_qualifier("repository_url", contents.repository.as_str())?
            .add_qualifier("tag", contents.version.as_str())?;
        Ok(())
    })
}

/// How VEX names an image: by its digest and where it is published. Matching takes every qualifier
/// of a VEX product for a demand (go-vex `PurlMatches`, which Trivy, Grype and vexctl use), and no
/// scanner knows the tag that the image's own purl has.
/// `pkg:oci/nginx@sha256:...?repository_url=registry.example%2Fnginx`.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn product(contents: &ImageContents, digest: Digest) -> Result<String, Error> {
    build("oci", &image_name(contents), |purl| {
        purl.with_version(digest.to_string())?
            .add_qualifier("repository_url", contents.repository.as_str())?;
        Ok(())
    })
}

/// The image by its digest alone, wherever somebody has pulled it from: a copy in another registry
/// has another `repository_url`, and scanners differ in what they write there.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn product_anywhere(contents: &ImageContents, digest: Digest) -> Result<String, Error> {
    build("oci", &image_name(contents), |purl| purl.with_version(digest.to_string()).map(|_| ()))
}

/// How VEX names a package in an image: without qualifiers, because each scanner writes another
/// `distro` (Syft `alpine-3.23.0`, Trivy `3.23.0`). `pkg:apk/alpine/zlib@1.3.1-r0`.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn subcomponent(contents: &ImageContents, name: &str, version: &str) -> Result<String, Error> {
    build("apk", name, |purl| {
        purl.with_namespace(contents.distribution.id())?.with_version(version)?;
        Ok(())
    })
}

fn image_name(contents: &ImageContents) -> String {
    contents.repository.rsplit('/').next().unwrap_or_default().to_lowercase()
}

/// The purl of a base image, known by its name with tag and its digest.
///
/// # Errors
/// [`Error::Purl`] if the name is empty.
pub fn base(name: &str, digest: Digest) -> Result<String, Error> {
    let last = name.rsplit('/').next().unwrap_or_default();
    let (bare, tag) = last.split_once(':').unwrap_or((last, ""));
    let repository = name.strip_suffix(tag).unwrap_or(name).trim_end_matches(':');
    build("oci", &bare.to_lowercase(), |purl| {
        purl.with_version(digest.to_string())?.add_qualifier("repository_url", repository)?;
        if !tag.is_empty() {
            purl.add_qualifier("tag", tag)?;
        }
        Ok(())
    })
}

/// The purl of the distribution itself, for the SBOMs' operating-system component. Type
/// `generic`, so that a document holds one type of operating-system package.
///
/// # Errors
/// [`Error::Purl`] if the distribution has no name.
pub fn distribution(contents: &ImageContents) -> Result<String, Error> {
    let distribution = contents.distribution;
    build("generic", distribution.id(), |purl| {
        purl.with_version(distribution.version()).map(|_| ())
    })
}

fn build<'a>(
    kind: &'static str,
    name: &'a str,
    fill: impl FnOnce(&mut PackageUrl<'a>) -> Result<(), packageurl::Error>,
) -> Result<String, Error> {
    let refused = |source| Error::Purl { name: name.to_owned(), source };
    let mut purl = PackageUrl::new(kind, name).map_err(refused)?;
    fill(&mut purl).map_err(refused)?;
    Ok(purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn escaped_as_the_specification_says() {
        let contents = sample::contents(4);
        assert_eq!(
            component(&contents, "libstdc++", "13.2.0_git20250101-r1").unwrap(),
            "pkg:apk/alpine/libstdc%2B%2B@13.2.0_git20250101-r1\
             ?arch=x86_64&distro=alpine-3.23.0"
        );
        assert_eq!(package(Distribution::Wolfi, "zlib").unwrap(), "pkg:apk/wolfi/zlib");
        assert_eq!(distribution(&contents).unwrap(), "pkg:generic/alpine@3.23.0");
        let digest = Digest::of(b"");
        let hex = digest.hex();
        assert_eq!(
            image(&contents, digest).unwrap(),
            format!(
                "pkg:oci/harbor-web@sha256:{hex}?arch=amd64\
                 &repository_url=registry.wavetank.example%2Fharbor-web&tag=2.4"
            )
        );
        assert_eq!(
            base("registry.wavetank.example/keel:3", digest).unwrap(),
            format!(
                "pkg:oci/keel@sha256:{hex}?repository_url=registry.wavetank.example%2Fkeel&tag=3"
            )
        );
        assert_eq!(
            base("localhost:5000/keel", digest).unwrap(),
            format!("pkg:oci/keel@sha256:{hex}?repository_url=localhost:5000%2Fkeel")
        );
        let bare = format!("pkg:oci/harbor-web@sha256:{hex}");
        assert_eq!(product_anywhere(&contents, digest).unwrap(), bare);
        assert_eq!(
            product(&contents, digest).unwrap(),
            format!("{bare}?repository_url=registry.wavetank.example%2Fharbor-web")
        );
        assert_eq!(
            subcomponent(&contents, "zlib", "1.3.1-r0").unwrap(),
            "pkg:apk/alpine/zlib@1.3.1-r0"
        );
        assert!(package(Distribution::Wolfi, "").is_err());
    }
}
