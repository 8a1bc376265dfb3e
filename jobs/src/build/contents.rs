//! What a version is made of, from stored rows: the one list that every document follows from.
use crate::check::{expect_equal, expect_equal_lists};
use crate::error::JobError;
use crate::job::SequencedFact;
use crate::naming::{empty_image, repository};
use anyhow::Context;
use documents::{BaseReference, Component, Distribution, ImageContents};
use sim::fact::{BuildResult, Published};
use std::collections::BTreeSet;
use store::builds::{BuildSubject, ResolvedRelease};
use store::images::component_key;

/// The version that an image goes by: that of its main package.
pub(super) fn stream(version: Option<&str>) -> &str {
    version.unwrap_or("0")
}

/// Resolves the contents again from stored rows and compares: every release was out when the
/// build began, the base's packages are those of the base's version, and the image's own packages
/// are at their newest release.
pub(super) fn check(
    job: &SequencedFact<BuildResult>,
    published: &Published,
    subject: &BuildSubject,
    resolved: &[ResolvedRelease],
) -> Result<(), JobError> {
    let build = job.fact.build.0;
    let what = |which: &str| format!("{which} of build {build} at {}", job.fact.started);
    let expected: BTreeSet<_> = published.contents.iter().map(|c| component_key(*c)).collect();
    let key = |r: &ResolvedRelease| r.package_id << 20 | i64::from(r.release);
    let found: BTreeSet<_> = resolved.iter().map(key).collect();
    let list = |set: &BTreeSet<i64>| set.iter().copied().collect::<Vec<_>>();
    expect_equal_lists(|| what("released contents"), &list(&expected), &list(&found))?;

    let own: BTreeSet<_> = subject.own_packages.iter().copied().collect();
    let is_own = |key: &i64| own.contains(&(key >> 20));
    let inherited: Vec<_> = expected.iter().copied().filter(|key| !is_own(key)).collect();
    let mut of_base = subject.base_components.clone().unwrap_or_default();
    of_base.sort_unstable();
    expect_equal_lists(|| what("packages of the base"), &inherited, &of_base)?;

    let outdated = resolved.iter().filter(|r| r.outdated && own.contains(&r.package_id));
    let outdated: Vec<_> = outdated.map(|r| (&*r.name, &*r.version)).collect();
    expect_equal(|| what("own packages with a newer release"), &Vec::new(), &outdated)
}

/// The tags of a version: `latest`, and the version of its main package from full to major.
pub(super) fn tags(
    published: &Published,
    subject: &BuildSubject,
    resolved: &[ResolvedRelease],
) -> Vec<String> {
    let main = resolved.iter().find(|r| Some(r.package_id) == subject.main_package_id);
    let Some(main) = main else {
        return vec!["latest".to_owned(), format!("v{}", published.version)];
    };
    let number = main.version.split(['-', '_', '~']).next().unwrap_or_default();
    let mut parts = number.split('.');
    let mut tags = vec!["latest".to_owned(), main.version.clone()];
    if let (Some(major), minor) = (parts.next(), parts.next()) {
        tags.extend(minor.map(|minor| format!("{major}.{minor}")));
        tags.push(major.to_owned());
    }
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

/// The contents as the documents take them.
pub(super) fn image(
    published: &Published,
    subject: &BuildSubject,
    resolved: &[ResolvedRelease],
    tags: &[String],
    distribution: Distribution,
) -> Result<ImageContents, JobError> {
    let own: BTreeSet<_> = published.own_packages.iter().map(|p| i64::from(p.0)).collect();
    let components = resolved.iter().map(|r| component(r, !own.contains(&r.package_id)));
    let base = subject.base_name.as_ref().zip(subject.base_digest.as_ref());
    let base = base
        .map(|(name, digest)| {
            let tag = subject.base_tags.iter().flatten().nth(1).map_or("latest", String::as_str);
            let name = format!("{}:{tag}", repository(name));
            anyhow::Ok(BaseReference { name, digest: digest.parse()? })
        })
        .transpose()
        .context("digest of the base")?;
    Ok(ImageContents {
        components: components.collect::<Result<_, JobError>>()?,
        base,
        ..empty_image(distribution, &subject.name, tags)
    })
}

fn component(release: &ResolvedRelease, from_base: bool) -> Result<Component, JobError> {
    let checksum = documents::Digest::from_hex(&release.sha256);
    Ok(Component {
        name: release.name.clone(),
        version: release.version.clone(),
        license: release.license.clone(),
        supplier: release.supplier.clone(),
        origin: release.name.clone(),
        description: release.description.clone(),
        checksum: checksum.with_context(|| format!("checksum of {}", release.name))?,
        size_bytes: release.size_bytes.unsigned_abs(),
        depends_on: Vec::new(),
        from_base,
    })
}
