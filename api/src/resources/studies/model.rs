//! Studies as the API shows them, and as they come.
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::strict_text::StrictText;
use crate::http::time::{self, Instant};
use jobs::studies::FILE_NAME;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use serde_json::Value;
use sim::bundled::BUNDLED;
use sim::scenario::FileError;
use std::sync::Arc;
use store::studies::summary::{Summary, SummaryAnswer, SummaryArm, SummaryMeasure};
use store::studies::{Status, StudyDetailRow, StudyRow};
use study::arms::{Source, compile};
use study::campaign::Campaign;

/// A scenario of a study.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct NamedScenario {
    /// By which name the study calls it.
    #[oai(validator(min_length = 1, max_length = 1000))]
    name: StrictText,
    /// The file: YAML.
    #[oai(validator(min_length = 1, max_length = 32768))]
    scenario: StrictText,
}

/// A study to be played.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewStudy {
    /// The file: YAML, as docs/studies.md describes it. Its scenarios are named by those that come with
    /// the program (GET /v1/scenarios), or are given here.
    #[oai(validator(min_length = 1, max_length = 32768))]
    pub(super) study: StrictText,
    /// The scenarios that do not come with the program.
    #[oai(validator(max_items = 16))]
    scenarios: Option<Vec<NamedScenario>>,
}

const SMALL: &str = "name: one-or-two\ntitle: One builder or two\nscenario: classroom\n\
                     horizon: 7d\nwarm_up: 1d\nreplications: 4\ngrid:\n  builders.count: [1, 2]\n\
                     questions:\n  - better: {arm: builders.count=2, than: builders.count=1, \
                     in: {measure: queue_wait_mean}}\n";

impl Example for NewStudy {
    fn example() -> Self {
        NewStudy { study: SMALL.into(), scenarios: None }
    }
}

/// A study that can be played.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) seed: u64,
    /// As they are stored.
    pub(super) scenarios: Value,
    pub(super) expected: i64,
}

impl Checked {
    /// Reads a study and its scenarios, as strictly as they will be when they are played.
    pub(super) fn read(wanted: &NewStudy) -> Result<Self, FileError> {
        let load = |name: &str| {
            let given = wanted.scenarios.iter().flatten().find(|of| *of.name == *name);
            let given = given.map(|of| of.scenario.0.clone());
            let bundled = || BUNDLED.iter().find(|of| of.name == name).map(|of| of.text.to_owned());
            let text = given.or_else(bundled).ok_or_else(|| {
                let shown: String = name.chars().take(64).collect();
                format!("{shown:?}, which neither comes with the program nor is in `scenarios`")
            })?;
            Ok((name.to_owned(), text.into_bytes()))
        };
        let source = Source { file_name: FILE_NAME, bytes: wanted.study.as_bytes() };
        let compiled = compile(source, &load)?;
        let (name, title) = (compiled.study.name.as_str().to_owned(), compiled.study.title.clone());
        let (seed, scenarios) = (compiled.study.seed, serde_json::json!(compiled.scenarios));
        let expected = Campaign::new(Arc::new(compiled)).progress().expected;
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        Ok(Checked { name, title, seed, scenarios, expected })
    }
}

/// How a study stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum StudyStatus {
    /// It waits for workers.
    Queued,
    /// It is being played.
    Running,
    /// Its result is there.
    Completed,
    /// It could not be played.
    Failed,
    /// Somebody has stopped it.
    Cancelled,
}

impl StudyStatus {
    pub(super) fn as_str(self) -> &'static str {
        Status::from(self).as_str()
    }

    /// Whether nothing more will come of it.
    pub(super) fn has_ended(self) -> bool {
        !matches!(self, StudyStatus::Queued | StudyStatus::Running)
    }
}

impl From<StudyStatus> for Status {
    fn from(status: StudyStatus) -> Self {
        match status {
            StudyStatus::Queued => Status::Queued,
            StudyStatus::Running => Status::Running,
            StudyStatus::Completed => Status::Completed,
            StudyStatus::Failed => Status::Failed,
            StudyStatus::Cancelled => Status::Cancelled,
        }
    }
}

impl From<Status> for StudyStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => StudyStatus::Queued,
            Status::Running => StudyStatus::Running,
            Status::Completed => StudyStatus::Completed,
            Status::Failed => StudyStatus::Failed,
            Status::Cancelled => StudyStatus::Cancelled,
        }
    }
}

/// A study. All its instants are of real time: it is of no world.
#[derive(Clone, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Study {
    /// Its number.
    pub(super) id: i64,
    /// Its short name.
    name: String,
    /// One line for people.
    title: String,
    /// How it stands.
    pub(super) status: StudyStatus,
    /// The seed of its first replication, as a text because it has 64 bits.
    seed: String,
    /// The version of the kernel that plays it.
    kernel_version: Option<String>,
    /// Replications of each arm that have been played and counted.
    pub(super) done: i64,
    /// How many there will be, as far as that can be told now.
    pub(super) expected: i64,
    /// The id of the API key that asked for it.
    requested_by: String,
    /// What it waits for, that somebody should see to: a full object store, say. It goes on by itself.
    pub(super) obstacle: Option<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// When it was asked for.
    created_wall: Instant,
    /// When it began.
    started_wall: Option<Instant>,
    /// When it ended.
    ended_wall: Option<Instant>,
    /// This study.
    pub(super) href: String,
}

impl Study {
    pub(super) fn new(row: StudyRow) -> Result<Self, Problem> {
        Ok(Study {
            href: format!("/v1/studies/{}", row.id),
            id: row.id,
            name: row.name,
            title: row.title,
            status: Status::parse(&row.status)?.into(),
            seed: row.seed.cast_unsigned().to_string(),
            kernel_version: row.kernel_version,
            done: row.done,
            expected: row.expected,
            requested_by: row.requested_by,
            obstacle: row.obstacle,
            error: row.error,
            created_wall: row.created_wall.into(),
            started_wall: row.started_wall.map(Instant::from),
            ended_wall: row.ended_wall.map(Instant::from),
        })
    }
}

impl Example for Study {
    fn example() -> Self {
        Study {
            id: 1,
            name: "one-or-two".to_owned(),
            title: "One builder or two".to_owned(),
            status: StudyStatus::Queued,
            seed: "1".to_owned(),
            kernel_version: None,
            done: 0,
            expected: 4,
            requested_by: "0123456789abcdef".to_owned(),
            obstacle: None,
            error: None,
            created_wall: time::example(4_800),
            started_wall: None,
            ended_wall: None,
            href: "/v1/studies/1".to_owned(),
        }
    }
}

/// Studies. They are of the present, so pages speak of no one instant.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct StudyPage {
    /// The studies, the latest first.
    pub(super) items: Vec<Study>,
    /// How many there are on all pages.
    pub(super) total: Total,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}

impl Example for StudyPage {
    fn example() -> Self {
        StudyPage { items: vec![Study::example()], total: 1.into(), next_page_token: None }
    }
}

/// An answer to a question of a study.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct StudyAnswer {
    /// The question, as a sentence.
    question: String,
    /// The answer, in a sentence.
    answer: String,
    /// What it rests on.
    basis: String,
    /// Whether the question could be answered.
    told: bool,
    /// About how many replications more it takes, where it could not.
    more_replications: Option<u64>,
}

impl From<SummaryAnswer> for StudyAnswer {
    fn from(of: SummaryAnswer) -> Self {
        let SummaryAnswer { question, answer, basis, told, more_replications } = of;
        StudyAnswer { question, answer, basis, told, more_replications }
    }
}

/// A measure over the replications of an arm.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct StudyMeasure {
    /// What was measured, as studies name it.
    measure: String,
    /// What it is called in a sentence.
    words: String,
    /// Its unit: empty, `h`, `d`, `%` (then values are shares) or the currency.
    unit: String,
    /// Of what the interval is: `mean`, `proportion`, `ratio`, `median` or `p90`.
    statistic: String,
    /// The estimate; absent: nothing was seen of it.
    estimate: Option<f64>,
    /// The lower limit; absent: there is none.
    lower: Option<f64>,
    /// The upper limit; absent: there is none.
    upper: Option<f64>,
}

impl From<SummaryMeasure> for StudyMeasure {
    fn from(of: SummaryMeasure) -> Self {
        let SummaryMeasure { measure, words, unit, statistic, estimate, lower, upper } = of;
        StudyMeasure { measure, words, unit, statistic, estimate, lower, upper }
    }
}

/// What came of an arm, over all its customers and severities.
#[derive(Object)]
struct StudyArm {
    /// Its name.
    name: String,
    /// Its builders.
    builders: u32,
    /// Measures, over all replications.
    measures: Vec<StudyMeasure>,
}

impl From<SummaryArm> for StudyArm {
    fn from(arm: SummaryArm) -> Self {
        let measures = arm.measures.into_iter().map(StudyMeasure::from).collect();
        StudyArm { name: arm.name, builders: arm.builders, measures }
    }
}

/// What came of a study, in short.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct StudySummary {
    /// Replications of each arm.
    replications: u64,
    /// Why there are so many.
    stopping: String,
    /// Whether the budget ended before the precision was reached.
    capped: bool,
    /// The confidence of all intervals, such as 0.95.
    confidence: f64,
    /// The currency of costs.
    currency: Option<String>,
    /// Answers to the questions, in their order.
    answers: Vec<StudyAnswer>,
    /// The arms, in the order of the file.
    arms: Vec<StudyArm>,
}

impl From<Summary> for StudySummary {
    fn from(of: Summary) -> Self {
        StudySummary {
            replications: of.replications,
            stopping: of.stopping,
            capped: of.capped,
            confidence: of.confidence,
            currency: of.currency,
            answers: of.answers.into_iter().map(StudyAnswer::from).collect(),
            arms: of.arms.into_iter().map(StudyArm::from).collect(),
        }
    }
}

/// A study with its text and what came of it.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct StudyDetail {
    #[oai(flatten)]
    of: Study,
    /// The file: YAML.
    study: String,
    /// What came of it; absent: it has not completed.
    summary: Option<StudySummary>,
}

impl StudyDetail {
    pub(super) fn new(row: StudyDetailRow) -> Result<Self, Problem> {
        Ok(StudyDetail {
            of: Study::new(row.study)?,
            study: row.text,
            summary: row.summary.map(|summary| summary.0.into()),
        })
    }
}

impl Example for StudyDetail {
    fn example() -> Self {
        let measure = StudyMeasure {
            measure: "queue_wait_mean".to_owned(),
            words: "mean wait for a builder".to_owned(),
            unit: "h".to_owned(),
            statistic: "mean".to_owned(),
            estimate: Some(0.21),
            lower: Some(0.16),
            upper: Some(0.26),
        };
        let answer = StudyAnswer {
            question: "Is builders.count=2 better than builders.count=1?".to_owned(),
            answer: "Yes: builds wait 0.7 h less.".to_owned(),
            basis: "4 replications under the same seeds".to_owned(),
            told: true,
            more_replications: None,
        };
        let arm =
            StudyArm { name: "builders.count=2".to_owned(), builders: 2, measures: vec![measure] };
        let completed = Study {
            status: StudyStatus::Completed,
            kernel_version: Some("1".to_owned()),
            done: 4,
            started_wall: Some(time::example(4_800)),
            ended_wall: Some(time::example(4_801)),
            ..Study::example()
        };
        StudyDetail {
            of: completed,
            study: SMALL.to_owned(),
            summary: Some(StudySummary {
                replications: 4,
                stopping: "as many as the study asks for".to_owned(),
                capped: false,
                confidence: 0.95,
                currency: None,
                answers: vec![answer],
                arms: vec![arm],
            }),
        }
    }
}
