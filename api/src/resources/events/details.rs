//! What events tell beside their kind: the version they concern, what was open in it, and where to
//! read on.
use crate::schemas::severity::AdvisoryCounts;
use store::read::event_details::EventDetails;
use store::read::events::EventRow;

/// Where to read on about an event: the address of what it is about, the most particular first.
pub(super) fn href(row: &EventRow) -> Option<String> {
    match (row.build_id, &row.image, row.details.version, &row.cve) {
        (Some(build), ..) => Some(format!("/v1/builds/{build}")),
        (None, Some(image), Some(version), _) => {
            Some(format!("/v1/images/{image}/versions/{version}"))
        }
        (None, Some(image), None, _) => Some(format!("/v1/images/{image}")),
        (None, None, _, Some(cve)) => Some(format!("/v1/advisories/{cve}")),
        (None, None, _, None) if row.kind == "notified" => {
            Some(format!("/v1/notifications/{}", row.seq))
        }
        (None, None, _, None) => None,
    }
}

/// What was open in the version that a scan looked at.
pub(super) fn severities(details: &EventDetails) -> Option<AdvisoryCounts> {
    let EventDetails { critical, high, medium, low, .. } = details;
    Some(AdvisoryCounts {
        critical: (*critical)?,
        high: (*high)?,
        medium: (*medium)?,
        low: (*low)?,
    })
}
