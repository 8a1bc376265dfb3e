//! Replacing the world by another one, while this conductor leads.
//!
//! Two steps, so that a crash between them loses nothing: one transaction deletes the old rows and
//! creates the new world; then the old world's objects are put on a list, from which they are deleted
//! while the new world runs ([`super::obsolete`]). The next leader finishes a load that it finds
//! between the two, before anything is written for the new world.
use super::create::{self, Wanted};
use super::error::ConductorError;
use super::options::Resources;
use sim::scenario::Scenario;
use sim::time::SimDuration;
use std::sync::Arc;
use store::objects::CONTENT_PREFIX;
use store::obsolete_objects;
use store::world::{self, Origin};
use store::world_loads::{self, Load};

/// How many objects are put on the list by one statement.
const LIST_BATCH: usize = 10_000;
/// How often a replacement is tried when it meets a deadlock.
const TRIES: usize = 5;

/// The world that is conducted, and what it is made from.
#[derive(Clone, Debug)]
pub(super) struct ActiveWorld {
    pub(super) scenario: Arc<Scenario>,
    pub(super) origin: Origin,
    pub(super) generation: i64,
}

/// Finishes a load that was interrupted, and returns the stored world if it is not `known`.
pub(super) async fn finish_pending(
    resources: &Resources,
    known: &ActiveWorld,
) -> Result<Option<ActiveWorld>, ConductorError> {
    let mut conn = resources.pool.acquire().await?;
    if let Some(load) = world_loads::in_progress(&mut conn).await?
        && load.replaced_wall.is_some()
    {
        finish(resources, &load).await?;
    }
    let stored = world::get(&mut conn).await?;
    if stored.generation == known.generation {
        return Ok(None);
    }
    let text = stored.origin.scenario.as_bytes();
    let scenario = sim::scenario::parse("the stored scenario", text)
        .map_err(|error| ConductorError::Scenario(error.to_string()))?;
    let (origin, generation) = (stored.origin, stored.generation);
    Ok(Some(ActiveWorld { scenario: Arc::new(scenario), origin, generation }))
}

/// Replaces the world as requested, or records why that cannot be done.
/// `keep`: how long the new one keeps history if its scenario does not say.
pub(super) async fn replace(
    resources: &Resources,
    term: i64,
    keep: Option<SimDuration>,
) -> Result<(), ConductorError> {
    let mut conn = resources.pool.acquire().await?;
    let Some(load) = world_loads::in_progress(&mut conn).await? else { return Ok(()) };
    drop(conn);
    let (name, generation) = (&load.name, load.id);
    tracing::info!(world = name, generation, "replacing the world");
    let mut tries = 0;
    let refused = loop {
        tries += 1;
        match swap(resources, &load, term, keep).await {
            Ok(()) => break None,
            Err(error) if error.is_deadlock() && tries < TRIES => {
                tracing::debug!(%error, "replacing the world met a deadlock; trying again");
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => break Some(error),
        }
    };
    if let Some(error) = refused {
        tracing::warn!(%error, generation, "the world was not replaced");
        let mut conn = resources.pool.acquire().await?;
        return Ok(world_loads::finish(&mut conn, load.id, Some(&error.to_string())).await?);
    }
    finish(resources, &load).await
}

async fn swap(
    resources: &Resources,
    load: &Load,
    term: i64,
    keep: Option<SimDuration>,
) -> Result<(), ConductorError> {
    let scenario = sim::scenario::parse("the scenario", load.scenario.as_bytes())
        .map_err(|error| ConductorError::Scenario(error.to_string()))?;
    let seed = load.seed.cast_unsigned();
    let keys = resources.keys.renewed();
    let scenario = &Arc::new(scenario);
    let wanted = Wanted { text: &load.scenario, scenario, seed, keep };
    let made = create::prepare(&keys, &wanted).await?;
    let mut tx = resources.pool.begin().await?;
    world_loads::clear_world(&mut tx, term).await?;
    create::write(&mut tx, &made).await?;
    world_loads::mark_replaced(&mut tx, load, term).await?;
    Ok(tx.commit().await?)
}

async fn finish(resources: &Resources, load: &Load) -> Result<(), ConductorError> {
    let objects = list_objects(resources).await?;
    let mut conn = resources.pool.acquire().await?;
    world_loads::finish(&mut conn, load.id, None).await?;
    let (name, generation) = (&load.name, load.id);
    tracing::info!(
        world = name,
        generation,
        objects,
        "replaced the world; deleting the old one's objects"
    );
    Ok(())
}

/// Lists what the old world has left: all objects, since a bucket holds one world, but those of
/// studies. Those that are not
/// named by their content are deleted at once (the logs' tiles, of which there are few): the new world
/// writes others under their names. Returns how many are left to be deleted.
async fn list_objects(resources: &Resources) -> Result<usize, ConductorError> {
    let listed = resources.objects.list_world().await?.into_iter().map(|object| object.key);
    let (content, named): (Vec<String>, Vec<String>) =
        listed.partition(|key| key.starts_with(CONTENT_PREFIX));
    resources.objects.delete_all(&named).await?;
    let mut conn = resources.pool.acquire().await?;
    for keys in content.chunks(LIST_BATCH) {
        obsolete_objects::add(&mut conn, keys).await?;
    }
    Ok(content.len())
}
