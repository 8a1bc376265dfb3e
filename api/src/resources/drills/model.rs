//! Drills as the API shows them.
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::scenario_text;
use crate::http::strict_text::StrictText;
use crate::http::time::{self, Instant};
use crate::schemas::estimate::Estimate;
use poem_openapi::Object;
use poem_openapi::types::Example;
use sim::scenario::Scenario;
use study::drill;
use study::statistics::Level;

const REPLICATIONS: u32 = 20;
const CONFIDENCE: f64 = 0.95;

/// What to drill. Either `name` or `scenario` says in which scenario.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewDrill {
    /// The name of a scenario that comes with the program.
    #[oai(validator(min_length = 1, max_length = 63))]
    name: Option<StrictText>,
    /// A scenario's file: YAML.
    #[oai(validator(min_length = 1, max_length = 32768))]
    scenario: Option<StrictText>,
    /// The place of the incident in the scenario's list, from 0; its first mass vulnerability when
    /// absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "10000")))]
    incident: Option<u32>,
    /// The seed, a number of 64 bits as a text; the scenario's own when absent.
    #[oai(validator(pattern = "^[0-9]{1,20}$"))]
    seed: Option<StrictText>,
    /// How often it is played, each time with the next seed; 20 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
    replications: Option<u32>,
}

/// How it is to be played.
pub(super) struct Options {
    incident: Option<usize>,
    seed: Option<u64>,
    replications: u32,
    level: Level,
}

impl Options {
    /// The same with what the scenario says.
    pub(super) fn of(&self, scenario: &Scenario) -> drill::Options {
        drill::Options {
            incident: self.incident,
            seed: self.seed.unwrap_or(scenario.seed),
            replications: self.replications,
            level: self.level,
        }
    }
}

impl NewDrill {
    /// The scenario's text, and how it is to be played.
    pub(super) fn text_and_options(&self) -> Result<(String, Options), Problem> {
        let text = scenario_text::text(self.name.as_deref(), self.scenario.as_deref())?;
        let options = Options {
            incident: self.incident.map(|place| place as usize),
            seed: scenario_text::seed(self.seed.as_deref())?,
            replications: self.replications.unwrap_or(REPLICATIONS),
            level: Level::new(CONFIDENCE).map_err(Problem::internal)?,
        };
        Ok((text, options))
    }
}

impl Example for NewDrill {
    fn example() -> Self {
        NewDrill {
            name: Some("friday-night".into()),
            scenario: None,
            incident: None,
            seed: None,
            replications: Some(2),
        }
    }
}

/// A duration in the drill itself, and over all replications.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct DrillHours {
    /// Hours from the disclosure, in the replication with the first seed; absent: not by the end.
    hours: Option<f64>,
    /// In how many replications it was reached.
    reached: u64,
    /// The median over all replications, with order statistics; one in which it was not reached
    /// counts as the longest.
    median: Estimate,
    /// The 90 % quantile.
    p90: Estimate,
}

/// When a share was reached.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct DrillShare {
    /// The share, such as 0.5.
    share: f64,
    #[oai(flatten)]
    reached: DrillHours,
    /// The fewest hours that a real mass event took, for rebuilding (docs/model.md).
    reference_least_hours: Option<f64>,
    /// The most.
    reference_most_hours: Option<f64>,
}

/// A clock of the Cyber Resilience Act: what is known and done when it ends, in the replication with
/// the first seed.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CraClock {
    /// When it ends, in hours from the disclosure; absent: it has not started.
    due_hours: Option<f64>,
    /// Whether it ends before the scenario does: a later end cannot be scored.
    observed: bool,
    /// The share of the images that were hit on which it had been found by then.
    scoped: Option<f64>,
    /// The share of the exposed customers that had been told.
    told: Option<f64>,
    /// The share of the images that had a fixed version.
    fixed: Option<f64>,
}

/// The score card of a drill; hours count from the disclosure.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Drill {
    /// The scenario's name.
    scenario: String,
    /// The place of the incident in its list, from 0.
    incident: u64,
    /// The seed of the drill itself, as a text; further replications count on from it.
    seed: String,
    /// How often it was played.
    replications: u64,
    /// The confidence of intervals.
    confidence: f64,
    /// The CVE id.
    cve: Option<String>,
    /// When it is disclosed.
    disclosed_at: Instant,
    /// For how many hours it was watched: until the scenario's end.
    observed_hours: f64,
    /// Images that were hit, in the replication with the first seed.
    images: u64,
    /// Customers that were exposed.
    customers: u64,
    /// Until it was first found on an image, in the replication with the first seed.
    aware_hours: Option<f64>,
    /// Until the first exposed customer was told.
    first_told_hours: Option<f64>,
    /// Until it had been found on every image that was hit: then it is known who runs it.
    scoped: DrillHours,
    /// Until all exposed customers were told. Only critical findings are told at once.
    all_told: DrillHours,
    /// Until shares of the images had a fixed version.
    rebuilt: Vec<DrillShare>,
    /// Until shares of the exposed uses ran something else.
    adopted: Vec<DrillShare>,
    /// The early warning: 24 h from becoming aware.
    early_warning: CraClock,
    /// The notification: 72 h from becoming aware.
    notification: CraClock,
    /// The final report: 14 days from the first fixed image, which is the corrective measure.
    final_report: CraClock,
}

impl DrillHours {
    fn new(hours: Option<f64>, over: drill::Observed) -> Self {
        DrillHours {
            hours,
            reached: over.reached as u64,
            median: over.median.into(),
            p90: over.p90.into(),
        }
    }
}

fn shares(own: Vec<drill::ScoredShare>, over: Vec<drill::Observed>) -> Vec<DrillShare> {
    let pairs = own.into_iter().zip(over);
    pairs
        .map(|(own, over)| DrillShare {
            share: own.share,
            reached: DrillHours::new(own.hours, over),
            reference_least_hours: own.reference.map(|reference| reference.least_hours),
            reference_most_hours: own.reference.map(|reference| reference.most_hours),
        })
        .collect()
}

impl From<drill::Cra> for CraClock {
    fn from(of: drill::Cra) -> Self {
        CraClock {
            due_hours: of.due_hours,
            observed: of.observed,
            scoped: of.scoped,
            told: of.told,
            fixed: of.fixed,
        }
    }
}

impl Drill {
    pub(super) fn new(card: drill::Drill) -> Result<Self, Problem> {
        let (own, spread, timeline) = (card.own, card.spread, card.timeline);
        let disclosed = card.disclosed.to_datetime().map(Instant::from);
        Ok(Drill {
            scenario: card.scenario,
            incident: card.incident as u64,
            seed: timeline.seed.to_string(),
            replications: card.replications as u64,
            confidence: card.confidence,
            cve: timeline.cve,
            disclosed_at: disclosed
                .ok_or_else(|| Problem::internal("an instant outside of the calendar"))?,
            observed_hours: timeline.observed_hours,
            images: own.images as u64,
            customers: own.customers as u64,
            aware_hours: own.aware,
            first_told_hours: own.first_told,
            scoped: DrillHours::new(own.scoped, spread.scoped),
            all_told: DrillHours::new(own.all_told, spread.all_told),
            rebuilt: shares(own.rebuilt, spread.rebuilt),
            adopted: shares(own.adopted, spread.adopted),
            early_warning: own.cra.early_warning.into(),
            notification: own.cra.notification.into(),
            final_report: own.cra.final_report.into(),
        })
    }
}

impl Example for Drill {
    fn example() -> Self {
        let hours = |hours: f64| {
            let estimate = Some(hours);
            let (lower, upper) = (None, None);
            let of = Estimate { estimate, lower, upper };
            DrillHours { hours: estimate, reached: 2, median: of, p90: of }
        };
        let share = |share, least: Option<f64>, most: Option<f64>| DrillShare {
            share,
            reached: hours(24.5),
            reference_least_hours: least,
            reference_most_hours: most,
        };
        let clock = |due: f64| CraClock {
            due_hours: Some(due),
            observed: true,
            scoped: Some(1.0),
            told: Some(1.0),
            fixed: Some(0.5),
        };
        Drill {
            scenario: "friday-night".to_owned(),
            incident: 0,
            seed: "7".to_owned(),
            replications: 2,
            confidence: CONFIDENCE,
            cve: Some(examples::CVE.to_owned()),
            disclosed_at: time::example(0),
            observed_hours: 248.0,
            images: 100,
            customers: 12,
            aware_hours: Some(4.0),
            first_told_hours: Some(4.5),
            scoped: hours(8.0),
            all_told: hours(9.0),
            rebuilt: vec![share(0.5, Some(21.0), Some(33.0))],
            adopted: vec![share(0.5, None, None)],
            early_warning: clock(28.0),
            notification: clock(76.0),
            final_report: clock(346.0),
        }
    }
}
