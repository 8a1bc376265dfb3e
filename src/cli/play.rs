//! A scenario file and a seed, ready to be played.
use super::say::say;
use crate::services::Services;
use anyhow::{Context, Result, bail};
use clap::Args;
use sim::scenario::Scenario;
use sim::time::SimTime;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::world::World;

/// Which world to play.
#[derive(Args, Clone, Debug)]
pub(super) struct WorldOptions {
    /// The seed of all randomness; the scenario's own when absent.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Stop here: a simulated instant (2026-01-12T00:00:00Z) or a length of time from the
    /// scenario's start (7d). The end of the scenario when absent.
    #[arg(long, value_name = "T")]
    pub(super) until: Option<String>,
}

/// A scenario that was read and checked.
pub(super) struct Play {
    pub(super) text: String,
    pub(super) scenario: Arc<Scenario>,
    pub(super) seed: u64,
    pub(super) until: SimTime,
}

impl Play {
    /// From a file.
    pub(super) fn read(path: &Path, options: &WorldOptions) -> Result<Play> {
        let text = read_scenario(path)?;
        Play::of(&path.display().to_string(), text, options)
    }

    /// From the text of a scenario.
    pub(super) fn of(name: &str, text: Vec<u8>, options: &WorldOptions) -> Result<Play> {
        let scenario = sim::scenario::parse(name, &text)?;
        let text = String::from_utf8(text).context("a scenario is UTF-8 text")?;
        let start = scenario.start.time();
        let until = match &options.until {
            Some(until) => instant("--until", until, start)?,
            None => start + scenario.duration.duration(),
        };
        if until <= start {
            bail!("--until {until} is not after the scenario's start, {start}");
        }
        let seed = options.seed.unwrap_or(scenario.seed);
        Ok(Play { text, scenario: Arc::new(scenario), seed, until })
    }

    /// The world that was loaded over the API in the place of the one that was meant; else that
    /// one.
    pub(super) async fn or_loaded(self, services: &Services) -> Result<Play> {
        let mut conn = services.pool.acquire().await?;
        let stored = store::world::find(&mut conn).await?;
        let Some(world) = stored.filter(|world| world.generation > 0) else { return Ok(self) };
        let (name, seed) = (&world.origin.name, world.origin.seed);
        say!("Going on with {name}, seed {seed}, which was loaded over the API.");
        Play::stored(world)
    }

    /// The stored world of the scenario that comes with the program, if the release that made it
    /// had another text of it; else the one that was meant.
    pub(super) async fn or_earlier(
        self,
        services: &Services,
        options: &WorldOptions,
    ) -> Result<Play> {
        let mut conn = services.pool.acquire().await?;
        let earlier = |world: &World| {
            let origin = &world.origin;
            (origin.name.as_str(), origin.seed) == (self.scenario.name.as_str(), self.seed)
                && origin.scenario != self.text
        };
        let Some(world) = store::world::find(&mut conn).await?.filter(earlier) else {
            return Ok(self);
        };
        say!("Going on with {} as an earlier release had it.", world.origin.name);
        Play::stored_until(world, options.until.clone())
    }

    /// A stored world.
    pub(super) fn stored(world: World) -> Result<Play> {
        Play::stored_until(world, None)
    }

    fn stored_until(world: World, until: Option<String>) -> Result<Play> {
        // Another release may have scenarios that this one cannot read: that is not the reason.
        store::world::check_kernel(&world.origin.kernel_version)?;
        let options = WorldOptions { seed: Some(world.origin.seed), until };
        Play::of("the stored scenario", world.origin.scenario.into_bytes(), &options)
    }

    /// The data directory of this world when none is named: one a scenario and seed, so that the
    /// same command goes on where it stopped.
    pub(super) fn default_data_dir(&self) -> PathBuf {
        Path::new("data").join(format!("{}-{}", self.scenario.name.as_str(), self.seed))
    }
}

/// Reads a scenario file, but never more than a scenario may have.
pub(super) fn read_scenario(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let shown = path.display();
    let meta = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    if meta.is_dir() {
        bail!(
            "{shown} is a directory\nhint: name a scenario file, such as scenarios/classroom.yaml"
        );
    }
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(sim::scenario::MAX_BYTES as u64 + 1).read_to_end(&mut text))
        .with_context(|| format!("cannot read {shown}"))?;
    Ok(text)
}

/// An instant, or a length of time from the start, as an option gives it.
pub(super) fn instant(option: &str, text: &str, start: SimTime) -> Result<SimTime> {
    use sim::scenario::units::{Instant, Span};
    if let Ok(span) = text.parse::<Span>() {
        return Ok(start + span.duration());
    }
    match text.parse::<Instant>() {
        Ok(instant) => Ok(instant.time()),
        Err(_) => bail!(
            "{option} {text:?} is neither an instant nor a length of time\n\
             hint: write 2026-01-12T00:00:00Z, or 7d"
        ),
    }
}
