//! What scans had looked at: whether "nothing found" says anything.
use poem_openapi::Enum;

/// What is known of a version from scans. Without a scan what is on it is unknown, not clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ScanState {
    /// No scan has reported yet: what is there is unknown.
    Pending,
    /// Advisories have become detectable since the last scan: there may be more than was found. So it
    /// stays with versions that nobody runs any more, which are not scanned again.
    Outdated,
    /// The last scan looked for all that scanners could see.
    Complete,
}

impl From<store::read::scans::ScanState> for ScanState {
    fn from(state: store::read::scans::ScanState) -> Self {
        match state {
            store::read::scans::ScanState::Pending => Self::Pending,
            store::read::scans::ScanState::Outdated => Self::Outdated,
            store::read::scans::ScanState::Complete => Self::Complete,
        }
    }
}

impl From<ScanState> for store::read::scans::ScanState {
    fn from(state: ScanState) -> Self {
        match state {
            ScanState::Pending => Self::Pending,
            ScanState::Outdated => Self::Outdated,
            ScanState::Complete => Self::Complete,
        }
    }
}

/// Whether all versions in use have been looked at for an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum AdvisoryScan {
    /// No pass over all versions in use has looked for it: scanners cannot see it yet, or the next
    /// pass is still to come. Who is exposed is unknown, beyond what was found by chance.
    Pending,
    /// A pass over all versions in use has looked for it, and what was published since was scanned when
    /// it was pushed.
    Complete,
}

impl From<store::read::scans::ScanState> for AdvisoryScan {
    fn from(state: store::read::scans::ScanState) -> Self {
        match state {
            store::read::scans::ScanState::Complete => Self::Complete,
            store::read::scans::ScanState::Pending | store::read::scans::ScanState::Outdated => {
                Self::Pending
            }
        }
    }
}

impl From<AdvisoryScan> for ScanState {
    fn from(scan: AdvisoryScan) -> Self {
        match scan {
            AdvisoryScan::Pending => ScanState::Pending,
            AdvisoryScan::Complete => ScanState::Complete,
        }
    }
}
