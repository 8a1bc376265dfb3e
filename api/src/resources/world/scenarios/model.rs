//! Scenarios and loads as the API shows them.
use crate::http::problem::Problem;
use crate::http::scenario_text;
use crate::http::strict_text::StrictText;
use crate::http::time::{self, Instant};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use sha2::{Digest, Sha256};
use sim::World;
use sim::scenario::FileError;
use std::sync::Arc;
use store::read::world::{Beginning, Position};
use store::world::Origin;
use store::world_loads::Load;

/// What is in a scenario.
#[derive(Clone, Object)]
#[oai(example)]
pub(super) struct ScenarioSummary {
    /// Its name.
    name: String,
    /// One line for people.
    title: String,
    /// What it shows.
    description: String,
    /// SHA-256 of its file.
    sha256: String,
    /// The seed, as a text because it has 64 bits.
    seed: String,
    /// Where simulated time begins.
    starts_at: Instant,
    /// Where the scenario ends; a live world goes on.
    ends_at: Instant,
    /// How many images it has at the start.
    images: usize,
    /// How many packages.
    packages: usize,
    /// How many customers.
    customers: usize,
    /// How many SLA policies.
    policies: usize,
}

impl ScenarioSummary {
    /// Reads a scenario and makes its world, to count what is in it.
    pub(super) fn read(text: &str, seed: Option<u64>) -> Result<Self, FileError> {
        let scenario = sim::scenario::parse("scenario", text.as_bytes())?;
        let seed = seed.unwrap_or(scenario.seed);
        let (name, title) = (scenario.name.as_str().to_owned(), scenario.title.clone());
        let description = scenario.description.trim().to_owned();
        let start = scenario.start.time();
        let end = start + scenario.duration.duration();
        let never = |_| time::example(0);
        let world = World::new(Arc::new(scenario), seed);
        let of = world.catalogue();
        Ok(ScenarioSummary {
            name,
            title,
            description,
            sha256: sha256(text),
            seed: seed.to_string(),
            starts_at: instant(start).unwrap_or_else(never),
            ends_at: instant(end).unwrap_or_else(never),
            images: of.images.len(),
            packages: of.packages.len(),
            customers: of.customers.len(),
            policies: of.policies.len(),
        })
    }

    /// That of the world there is, with what its rows tell: another release may have made it,
    /// whose scenarios this one cannot read and whose kernel it does not have.
    pub(super) fn stored(origin: &Origin, counts: &Beginning) -> Self {
        let read = sim::scenario::parse("the stored scenario", origin.scenario.as_bytes());
        let (name, title, description) = match read {
            Ok(read) => {
                let description = read.description.trim().to_owned();
                (read.name.as_str().to_owned(), read.title, description)
            }
            Err(error) => {
                tracing::debug!(%error, "the stored scenario cannot be read");
                (origin.name.clone(), origin.name.clone(), String::new())
            }
        };
        let count = |rows: i64| usize::try_from(rows).unwrap_or_default();
        let never = |_| time::example(0);
        ScenarioSummary {
            name,
            title,
            description,
            sha256: sha256(&origin.scenario),
            seed: origin.seed.to_string(),
            starts_at: instant(origin.starts_at).unwrap_or_else(never),
            ends_at: instant(origin.ends_at).unwrap_or_else(never),
            images: count(counts.images),
            packages: count(counts.packages),
            customers: count(counts.customers),
            policies: count(counts.policies),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The seed it was read with.
    pub(super) fn own_seed(&self) -> u64 {
        self.seed.parse().unwrap_or_default()
    }
}

impl Example for ScenarioSummary {
    fn example() -> Self {
        ScenarioSummary {
            name: "classroom".to_owned(),
            title: "Eight images, three customers, one week".to_owned(),
            description: "A base, two runtimes and five applications.".to_owned(),
            sha256: "0".repeat(64),
            seed: "3".to_owned(),
            starts_at: time::example(-168),
            ends_at: time::example(0),
            images: 8,
            packages: 60,
            customers: 3,
            policies: 2,
        }
    }
}

/// The scenarios that come with the program.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ScenarioList {
    /// The scenarios, the smallest first.
    items: Vec<ScenarioSummary>,
    /// The name of the scenario that this world was made from.
    current: String,
    /// SHA-256 of its file.
    current_sha256: String,
    /// The whole of it; for keys of the platform alone, because it names all customers.
    current_href: Option<String>,
}

impl ScenarioList {
    pub(super) fn new(items: Vec<ScenarioSummary>, world: Position, whole: bool) -> Self {
        ScenarioList {
            items,
            current: world.name,
            current_sha256: world.scenario_sha256,
            current_href: whole.then(|| "/v1/scenarios/current".to_owned()),
        }
    }
}

impl Example for ScenarioList {
    fn example() -> Self {
        ScenarioList {
            items: vec![ScenarioSummary::example()],
            current: "four-weeks".to_owned(),
            current_sha256: "1".repeat(64),
            current_href: Some("/v1/scenarios/current".to_owned()),
        }
    }
}

/// A scenario with its file.
#[derive(Object)]
#[oai(example)]
pub(super) struct ScenarioDetail {
    #[oai(flatten)]
    summary: ScenarioSummary,
    /// The file: YAML.
    scenario: String,
}

impl ScenarioDetail {
    pub(super) fn new(summary: ScenarioSummary, scenario: String) -> Self {
        ScenarioDetail { summary, scenario }
    }
}

impl Example for ScenarioDetail {
    fn example() -> Self {
        ScenarioDetail { summary: Example::example(), scenario: SMALL.to_owned() }
    }
}

/// A scenario that is not wrong.
#[derive(Object)]
#[oai(example)]
pub(super) struct CheckedScenario {
    #[oai(flatten)]
    summary: ScenarioSummary,
    /// Always true: a scenario that is wrong is answered with a problem.
    valid: bool,
}

impl CheckedScenario {
    pub(super) fn new(summary: ScenarioSummary) -> Self {
        CheckedScenario { summary, valid: true }
    }
}

impl Example for CheckedScenario {
    fn example() -> Self {
        CheckedScenario::new(Example::example())
    }
}

/// A scenario as a text.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct ScenarioText {
    /// The file: YAML, as docs/model.md and `wavetank scenario schema` describe it.
    #[oai(validator(min_length = 1, max_length = 32768))]
    pub(super) scenario: StrictText,
}

const SMALL: &str = "name: small\ntitle: One image, one day\nstart: 2026-01-05T00:00:00Z\n\
                     duration: 1d\nimages:\n  - {name: base, packages: 5}\n";

impl Example for ScenarioText {
    fn example() -> Self {
        ScenarioText { scenario: SMALL.into() }
    }
}

/// How a loaded world's clock begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum LoadMode {
    /// Time stands still.
    Paused,
    /// Time follows the wall clock.
    Live,
    /// Time goes as fast as the workers to the scenario's end, then live.
    Fast,
}

impl LoadMode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            LoadMode::Paused => "paused",
            LoadMode::Live => "live",
            LoadMode::Fast => "fast",
        }
    }
}

/// Which world to make in the place of this one. Either `name` or `scenario` says from what.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewLoad {
    /// The name of a scenario that comes with the program.
    #[oai(validator(min_length = 1, max_length = 63))]
    name: Option<StrictText>,
    /// A scenario's file: YAML.
    #[oai(validator(min_length = 1, max_length = 32768))]
    scenario: Option<StrictText>,
    /// The seed, a number of 64 bits as a text; the scenario's own when absent.
    #[oai(validator(pattern = "^[0-9]{1,20}$"))]
    seed: Option<StrictText>,
    /// The name of the world there is now, which will be gone.
    #[oai(validator(min_length = 1, max_length = 63))]
    pub(super) replace: StrictText,
    /// How the clock begins; `fast` when absent.
    pub(super) clock: Option<LoadMode>,
}

impl NewLoad {
    /// The scenario's text and the seed, if one is given.
    pub(super) fn text_and_seed(&self) -> Result<(String, Option<u64>), Problem> {
        let text = scenario_text::text(self.name.as_deref(), self.scenario.as_deref())?;
        Ok((text, scenario_text::seed(self.seed.as_deref())?))
    }
}

impl Example for NewLoad {
    fn example() -> Self {
        NewLoad {
            name: Some("classroom".into()),
            scenario: None,
            seed: None,
            replace: "four-weeks".into(),
            clock: Some(LoadMode::Fast),
        }
    }
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum LoadStatus {
    /// The conductor has not taken it yet.
    Waiting,
    /// The new world is there and about to begin.
    Replaced,
    /// The new world runs; the old one's documents are being deleted meanwhile. Another load may be
    /// asked for.
    Deleting,
    /// It is over, and nothing of the old world is left.
    Done,
    /// It could not be; the old world goes on.
    Failed,
}

/// A load: another world in the place of this one.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct WorldLoad {
    /// Its number.
    id: i64,
    /// How far it is.
    status: LoadStatus,
    /// The scenario's name.
    name: String,
    /// SHA-256 of its file.
    scenario_sha256: String,
    /// The seed, as a text because it has 64 bits.
    seed: String,
    /// The id of the API key that asked for it.
    requested_by: String,
    /// When it was asked for, in real time.
    requested_wall: Instant,
    /// When the new world could begin, in real time, or the load failed.
    done_wall: Option<Instant>,
    /// While the status is `deleting`: how many documents of worlds before are still to be deleted.
    objects_left: Option<i64>,
    /// When nothing of the old world was left, in real time.
    deleted_wall: Option<Instant>,
    /// Why it failed.
    error: Option<String>,
    /// This load.
    pub(super) href: String,
}

impl WorldLoad {
    /// The load of a row; `left` documents of worlds before are still to be deleted.
    pub(super) fn new(row: Load, left: u64) -> Self {
        let status = match (row.done_wall, &row.error, row.replaced_wall) {
            (Some(_), Some(_), _) => LoadStatus::Failed,
            (Some(_), None, _) if row.deleted_wall.is_none() => LoadStatus::Deleting,
            (Some(_), None, _) => LoadStatus::Done,
            (None, _, Some(_)) => LoadStatus::Replaced,
            (None, _, None) => LoadStatus::Waiting,
        };
        let deleting = status == LoadStatus::Deleting;
        WorldLoad {
            id: row.id,
            status,
            name: row.name,
            scenario_sha256: sha256(&row.scenario),
            seed: row.seed.cast_unsigned().to_string(),
            requested_by: row.requested_by,
            requested_wall: row.requested_wall.into(),
            done_wall: row.done_wall.map(Into::into),
            objects_left: i64::try_from(left).ok().filter(|_| deleting),
            deleted_wall: row.deleted_wall.map(Into::into),
            error: row.error,
            href: format!("/v1/scenarios/loads/{}", row.id),
        }
    }
}

impl Example for WorldLoad {
    fn example() -> Self {
        WorldLoad {
            id: 1,
            status: LoadStatus::Waiting,
            name: "classroom".to_owned(),
            scenario_sha256: "0".repeat(64),
            seed: "3".to_owned(),
            requested_by: "0123456789abcdef".to_owned(),
            requested_wall: time::example(4_800),
            done_wall: None,
            objects_left: None,
            deleted_wall: None,
            error: None,
            href: "/v1/scenarios/loads/1".to_owned(),
        }
    }
}

/// SHA-256 of a scenario's text, in hexadecimal.
fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn instant(at: sim::time::SimTime) -> Result<Instant, sim::time::SimTime> {
    at.to_datetime().map(Instant::from).ok_or(at)
}
