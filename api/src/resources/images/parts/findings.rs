//! Findings of one image, each with by when it must be gone.
use crate::http::pages::page;
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use crate::schemas::exposure::{SlaClock, TimerState, hours_left};
use crate::schemas::finding::Finding;
use chrono::{DateTime, Utc};
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::findings::FindingRow;
use store::read::sla::NearestRow;

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
    /// By when the advisory must be gone from the image, by clock; none when nobody is promised
    /// anything, or all is done.
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

page! {
    /// A page of an image's findings.
    ImageFindingPage of ImageFinding
}
