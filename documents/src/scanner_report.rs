//! Reports of vulnerability scanners, read into one form so that they can be compared with what is
//! true. The format is told by the content. What is read was written by others: everything in it is
//! optional but for what a comparison cannot do without, nothing in it is trusted, and a report
//! that says nothing of something is not taken to say that there is none of it.
mod cyclonedx;
mod detect;
mod error;
mod grype;
mod osv_scanner;
mod place;
mod report;
mod sarif;
mod trivy;

pub use error::ReportError;
pub use report::{
    Finding, Format, MAX_ENTRIES, MAX_TEXT_CHARS, Package, ScannerReport, Target, cve_within,
};

use place::Place;
use serde_json::Value;

/// The largest report that [`parse`] reads.
pub const MAX_REPORT_BYTES: usize = 64 << 20;

/// Reads a report from its bytes.
///
/// # Errors
/// It is too large, no JSON, of a format that is not known, or not what its format says.
pub fn parse(bytes: &[u8]) -> Result<ScannerReport, ReportError> {
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(ReportError::TooLarge { limit_bytes: MAX_REPORT_BYTES });
    }
    read(&detect::json(bytes)?)
}

/// Reads a report that has been parsed already.
///
/// # Errors
/// It is of a format that is not known, or not what its format says.
pub fn read(report: &Value) -> Result<ScannerReport, ReportError> {
    let root = Place::root(report);
    match detect::format(report)? {
        Format::Trivy => trivy::read(&root),
        Format::Grype => grype::read(&root),
        Format::Syft => grype::read_inventory(&root),
        Format::OsvScanner => osv_scanner::read(&root),
        Format::Sarif => sarif::read(&root),
        Format::CycloneDx => cyclonedx::read(&root),
    }
}

#[cfg(test)]
mod tests;
