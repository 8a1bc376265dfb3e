//! What events tell beside their kind: the version they concern, what was open in it, and where to
//! read on.
use crate::schemas::severity::AdvisoryCounts;
use store::read::event_details::EventDetails;

/// Where to read on about an event.
pub(super) struct Subject<'a> {
    pub(super) kind: &'a str,
    pub(super) seq: i64,
    pub(super) image: Option<&'a str>,
    pub(super) version: Option<i32>,
    pub(super) build_id: Option<i64>,
    pub(super) cve: Option<&'a str>,
}

impl Subject<'_> {
    /// The address of what the event is about, the most particular first.
    pub(super) fn href(&self) -> Option<String> {
        match (self.build_id, self.image, self.version, self.cve) {
            (Some(build), ..) => Some(format!("/v1/builds/{build}")),
            (None, Some(image), Some(version), _) => {
                Some(format!("/v1/images/{image}/versions/{version}"))
            }
            (None, Some(image), None, _) => Some(format!("/v1/images/{image}")),
            (None, None, _, Some(cve)) => Some(format!("/v1/advisories/{cve}")),
            (None, None, _, None) if self.kind == "notified" => {
                Some(format!("/v1/notifications/{}", self.seq))
            }
            (None, None, _, None) => None,
        }
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
