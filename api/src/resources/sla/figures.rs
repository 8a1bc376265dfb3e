//! How promises were kept, as the API shows it.
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::exposure::SlaClock;
use crate::schemas::severity::Severity;
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::sla::SlaFigures;

/// The timers of one clock and severity; each is counted once below `opened`.
#[derive(Object)]
struct TimerFigures {
    /// Whose clock.
    clock: SlaClock,
    /// The severity of the advisories.
    severity: Severity,
    /// All that opened.
    opened: i64,
    /// Stopped at or before the deadline.
    kept: i64,
    /// Missed the deadline; some may have stopped since.
    missed: i64,
    /// Of the missed ones, recorded as violations by an evaluation.
    recorded: i64,
    /// Run, with time left.
    running: i64,
    /// Stand still, because no fix exists.
    paused: i64,
    /// Excluded by the policy as part of a mass event.
    excluded: i64,
    /// Of which it is not decided yet whether they are part of a mass event.
    undecided: i64,
    /// Stopped before their clock ran.
    never_ran: i64,
}

/// How long customers ran what was affected.
#[derive(Object)]
struct ExposureDays {
    /// The severity.
    severity: Severity,
    /// Days, summed over customers, images and advisories.
    days: f64,
}

/// An advisory that a policy excludes, because it hits too many images.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct MassEvent {
    /// The advisory's CVE id.
    cve: String,
    /// The policy's name.
    policy: String,
    /// The evaluation that decided it.
    decided_at: Instant,
    /// On how many images it had been found then; only for callers of the platform, for images of all
    /// tenants count.
    images_hit: Option<i32>,
    /// Of how many images; likewise.
    images: Option<i32>,
    /// How many timers are excluded for it.
    timers: i64,
}

/// How promises were kept.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Figures {
    /// Timers by clock and severity.
    timers: Vec<TimerFigures>,
    /// Exposure-days by severity.
    exposure_days: Vec<ExposureDays>,
    /// Mass events that exclude timers, the latest first; at most 100.
    mass_events: Vec<MassEvent>,
    /// From when on: timers that opened before, and exposure before, are left out.
    from: Instant,
    /// The last evaluation; absent before the first: then no timer is known.
    evaluated_at: Option<Instant>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl Figures {
    pub(super) fn new(
        rows: SlaFigures,
        from: Instant,
        snapshot: &Snapshot,
    ) -> Result<Self, Problem> {
        let timers = rows.timers.into_iter().map(|row| {
            Ok(TimerFigures {
                clock: SlaClock::parse(&row.clock)?,
                severity: Severity::parse(&row.severity)?,
                opened: row.opened,
                kept: row.kept,
                missed: row.breached,
                recorded: row.recorded,
                running: row.running,
                paused: row.paused,
                excluded: row.excluded,
                undecided: row.undecided,
                never_ran: row.never_ran,
            })
        });
        let days = rows.exposure_days.into_iter().map(|row| {
            Ok(ExposureDays { severity: Severity::parse(&row.severity)?, days: row.days })
        });
        let events = rows.mass_events.into_iter().map(|row| MassEvent {
            cve: row.cve,
            policy: row.policy,
            decided_at: row.decided_at.into(),
            images_hit: row.images_hit,
            images: row.images,
            timers: row.timers,
        });
        Ok(Figures {
            timers: timers.collect::<Result<_, Problem>>()?,
            exposure_days: days.collect::<Result<_, Problem>>()?,
            mass_events: events.collect(),
            from,
            evaluated_at: rows.evaluated_at.map(Into::into),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        })
    }
}

impl Example for Figures {
    fn example() -> Self {
        Figures {
            timers: vec![TimerFigures {
                clock: SlaClock::Provider,
                severity: Severity::Critical,
                opened: 12,
                kept: 7,
                missed: 1,
                recorded: 1,
                running: 2,
                paused: 1,
                excluded: 1,
                undecided: 0,
                never_ran: 0,
            }],
            exposure_days: vec![ExposureDays { severity: Severity::Critical, days: 41.25 }],
            mass_events: vec![MassEvent {
                cve: examples::CVE.to_owned(),
                policy: "gold".to_owned(),
                decided_at: time::example(5),
                images_hit: Some(30),
                images: Some(80),
                timers: 1,
            }],
            from: time::example(6 - 30 * 24),
            evaluated_at: Some(time::example(6)),
            as_of: time::example(6),
            settled: true,
        }
    }
}
