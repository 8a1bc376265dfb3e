//! Findings of one image, each with by when it must be gone.
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::exposure::{SlaClock, TimerState, hours_left};
use crate::schemas::finding::Finding;
use crate::schemas::scan::ScanState;
use chrono::{DateTime, Utc};
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::findings::FindingRow;
use store::read::sla::NearestRow;
use store::read::versions::VersionRow;

/// The nearest deadline of one clock.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct FindingDeadline {
    /// Whose clock runs.
    clock: SlaClock,
    /// How the most urgent timer stands.
    state: TimerState,
    /// The nearest deadline; absent while all clocks stand still.
    due_at: Option<Instant>,
    /// Hours of the promise that are left until then, in the days of its policy; negative once it has
    /// passed.
    hours_left: Option<f64>,
}

/// A finding of an image with its deadlines.
#[derive(Object)]
#[oai(example)]
pub(super) struct ImageFinding {
    #[oai(flatten)]
    finding: Finding,
    /// By when the advisory must be gone, by clock: from the image, and from what customers run; none
    /// when nobody is promised anything, or all is done.
    deadlines: Vec<FindingDeadline>,
}

impl ImageFinding {
    pub(super) fn new(
        row: FindingRow,
        deadlines: &[NearestRow],
        at: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let open = row.is_open();
        let own = deadlines.iter().filter(|near| open && near.advisory_id == row.advisory_id);
        let deadline = |near: &NearestRow| {
            Ok(FindingDeadline {
                clock: SlaClock::parse(&near.clock)?,
                state: TimerState::of(near.excluded, near.warn_at, near.due_at, at),
                due_at: near.due_at.map(Into::into),
                hours_left: near
                    .due_at
                    .map(|due| hours_left(due, at, &near.calendar))
                    .transpose()?,
            })
        };
        Ok(ImageFinding {
            deadlines: own.map(deadline).collect::<Result<_, Problem>>()?,
            finding: Finding::new(row)?,
        })
    }
}

impl Example for ImageFinding {
    fn example() -> Self {
        let deadline = FindingDeadline {
            clock: SlaClock::Provider,
            state: TimerState::AtRisk,
            due_at: Some(time::example(9)),
            hours_left: Some(3.0),
        };
        ImageFinding { finding: Finding::example(), deadlines: vec![deadline] }
    }
}

/// A page of an image's findings.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ImageFindingPage {
    /// The entries, in the order that the operation tells.
    items: Vec<ImageFinding>,
    /// How many there are on all pages.
    total: Total,
    /// What is known from scans of the version that was asked about, or of the current one; absent
    /// before there is one.
    scan: Option<ScanState>,
    /// When that was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
    /// The last evaluation of SLA timers by then, which deadlines are of; absent before the first,
    /// when nobody has looked for deadlines.
    evaluated_at: Option<Instant>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl ImageFindingPage {
    pub(super) fn new(
        items: Vec<ImageFinding>,
        total: i64,
        next_page_token: Option<String>,
        (version, evaluated_at): (Option<VersionRow>, Option<DateTime<Utc>>),
        snapshot: &Snapshot,
    ) -> Self {
        ImageFindingPage {
            items,
            total: total.into(),
            scan: version.as_ref().map(|version| version.scan.into()),
            scanned_at: version.and_then(|version| version.scanned_at).map(Into::into),
            evaluated_at: evaluated_at.map(Into::into),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
            next_page_token,
        }
    }
}

impl Example for ImageFindingPage {
    fn example() -> Self {
        ImageFindingPage {
            items: vec![ImageFinding::example()],
            total: 1.into(),
            scan: Some(ScanState::Complete),
            scanned_at: Some(time::example(4)),
            evaluated_at: Some(time::example(6)),
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}
