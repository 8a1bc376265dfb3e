//! The security database of a distribution of apk packages: which versions fixed what. Wolfi
//! publishes one as `security.json`, Alpine one per release and repository.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::distribution::Distribution;
use crate::error::{Error, to_json};
use crate::osv::Advisory;
use crate::subject::NAMESPACE;

#[derive(Serialize)]
struct Secdb<'a> {
    apkurl: &'static str,
    archs: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    distroversion: Option<&'static str>,
    reponame: &'static str,
    urlprefix: String,
    packages: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    pkg: Package<'a>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    secfixes: BTreeMap<&'a str, Vec<&'a str>>,
}

/// The document. It has no place for what is not fixed yet.
pub(super) fn document(
    advisories: &[Advisory],
    distribution: Distribution,
) -> Result<Vec<u8>, Error> {
    let mut packages: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for advisory in advisories {
        for affected in &advisory.affected {
            if let Some(fixed) = &affected.fixed {
                let fixes = packages.entry(&affected.name).or_default();
                fixes.entry(fixed).or_default().push(&advisory.id);
            }
        }
    }
    let packages = packages.into_iter();
    let secdb = Secdb {
        apkurl: match distribution.stream() {
            Some(_) => {
                "{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk"
            }
            None => "{{urlprefix}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
        },
        archs: ["x86_64"],
        distroversion: distribution.stream(),
        reponame: distribution.repository(),
        urlprefix: format!("{NAMESPACE}/{distribution}"),
        packages: packages
            .map(|(name, secfixes)| Listed { pkg: Package { name, secfixes } })
            .collect(),
    };
    to_json("secdb", 64 * 1024, &secdb)
}
