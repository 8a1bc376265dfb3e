//! The world's advisories as the databases of scanners, as known at one instant.
//!
//! Each is what its scanner downloads where it is at home, so that a scan of the world's images by
//! an unchanged scanner finds what is in them. docs/scanners.md has a line for each.

mod secdb;
mod trivy;

pub use trivy::{ARTIFACT_TYPE, Artifact, CONFIG_TYPE, LAYER_TYPE, artifact};

use crate::distribution::Distribution;
use crate::error::Error;
use crate::osv::{self, Advisory};
use crate::timestamp::Timestamp;
use crate::zip;

/// A file of a scanner's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFile {
    /// The scanner's name, or the format's.
    pub scanner: &'static str,
    /// Where it stands below the directory of databases.
    pub path: String,
    /// Its media type.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// All files, in the order of their paths.
///
/// # Errors
/// [`Error::CvssVector`] for a bad vector, [`Error::Purl`] for a package without a name,
/// [`Error::TooLarge`] for more than a format holds.
pub fn files(
    advisories: &[Advisory],
    distribution: Distribution,
    as_of: Timestamp,
) -> Result<Vec<DatabaseFile>, Error> {
    let trivy = trivy::files(advisories, distribution, as_of)?;
    let mut files = vec![DatabaseFile {
        scanner: "osv",
        path: format!("osv/{}/all.zip", ecosystem_directory(distribution)),
        media_type: "application/zip",
        bytes: osv_archive(advisories, distribution)?,
    }];
    files.push(DatabaseFile {
        scanner: "secdb",
        path: format!("secdb/{}", distribution.secdb()),
        media_type: JSON,
        bytes: secdb::document(advisories, distribution)?,
    });
    files.extend(trivy);
    Ok(files)
}

const JSON: &str = "application/json";

/// OSV publishes the records of an ecosystem, of all its releases, in a directory of its name.
fn ecosystem_directory(distribution: Distribution) -> &'static str {
    let ecosystem = distribution.osv_ecosystem();
    ecosystem.split_once(':').map_or(ecosystem, |(name, _)| name)
}

fn osv_archive(advisories: &[Advisory], distribution: Distribution) -> Result<Vec<u8>, Error> {
    let record = |advisory: &Advisory| {
        Ok((format!("{}.json", advisory.id), osv::record(advisory, distribution)?))
    };
    let records: Vec<_> = advisories.iter().map(record).collect::<Result<_, Error>>()?;
    zip::archive(records.iter().map(|(name, record)| (&**name, &**record)))
}

#[cfg(test)]
mod tests;
