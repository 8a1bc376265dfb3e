//! Creates a world, or checks that the stored one is the one requested.
use super::error::ConductorError;
use super::fingerprint::Fingerprint;
use crate::keys::Keyring;
use crate::naming::{BOOTSTRAP_BUILDER, builder_name};
use documents::world_keys::WorldKeys;
use sha2::{Digest, Sha256};
use sim::ids::BuilderId;
use sim::scenario::Scenario;
use sim::time::SimDuration;
use sim::world::World;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use store::locks;
use store::logs::{self, Log};
use store::slsa;
use store::world::{self, Origin};

/// A world that is not written yet.
pub(super) struct NewWorld {
    origin: Origin,
    world: World,
    keys: WorldKeys,
    builders: Vec<(String, u8)>,
    keep: Option<SimDuration>,
}

/// Which world is wanted.
pub(super) struct Wanted<'a> {
    /// The scenario's file.
    pub(super) text: &'a str,
    /// What it says.
    pub(super) scenario: &'a Arc<Scenario>,
    /// The seed.
    pub(super) seed: u64,
    /// How long history is kept if the scenario does not say; none: for ever.
    pub(super) keep: Option<SimDuration>,
}

/// Creates the world of a scenario and a seed, unless the database holds it already. Returns what
/// it is made from, and its generation.
///
/// # Errors
/// The database holds another world, or one of another kernel; nothing is changed then.
pub(super) async fn find_or_create(
    pool: &PgPool,
    keys: &Keyring,
    wanted: &Wanted<'_>,
) -> Result<(Origin, i64), ConductorError> {
    let mut tx = pool.begin().await?;
    locks::lock(&mut tx, locks::WORLD_CREATION).await?;
    if let Some(stored) = world::find(&mut tx).await? {
        compare(&stored.origin, &requested(keys, wanted)?.0)?;
        return Ok((stored.origin, stored.generation));
    }
    let made = prepare(keys, wanted).await?;
    write(&mut tx, &made).await?;
    tx.commit().await?;
    let Origin { name, starts_at, seed, .. } = &made.origin;
    tracing::info!(world = name, seed, starts = %starts_at, "created a world");
    Ok((made.origin, 0))
}

/// Computes a new world, off the threads that others share: the kernel may take seconds.
///
/// # Errors
/// The scenario ends outside the years that can be stored.
pub(super) async fn prepare(
    keys: &Keyring,
    wanted: &Wanted<'_>,
) -> Result<NewWorld, ConductorError> {
    let (origin, keys) = requested(keys, wanted)?;
    let (scenario, seed) = (wanted.scenario.clone(), wanted.seed);
    let builders = trusted_builders(&scenario);
    let keep = scenario.keep.history.map(|history| history.duration()).or(wanted.keep);
    let world = tokio::task::spawn_blocking(move || World::new(scenario, seed)).await;
    let world = world.map_err(|error| ConductorError::Ended(error.to_string()))?;
    Ok(NewWorld { origin, world, keys, builders, keep })
}

/// Writes a world's first rows.
///
/// # Errors
/// Postgres failed.
pub(super) async fn write(conn: &mut PgConnection, made: &NewWorld) -> Result<(), ConductorError> {
    let NewWorld { origin, world, keys, builders, keep } = made;
    world::create(conn, origin, &Fingerprint::default().to_hex(), *keep).await?;
    store::catalogue::insert(conn, world.catalogue(), origin.starts_at).await?;
    let identity = &keys.identity;
    logs::create(conn, Log::Transparency, identity.log_verifier.name()).await?;
    logs::create(conn, Log::Audit, identity.audit_verifier.name()).await?;
    slsa::trust(conn, &identity.signer.id().hex(), builders, origin.starts_at).await?;
    Ok(())
}

fn requested(keys: &Keyring, wanted: &Wanted<'_>) -> Result<(Origin, WorldKeys), ConductorError> {
    let origin = origin(wanted.text, wanted.scenario, wanted.seed)?;
    let keys = keys.of(&origin.scenario_sha256, wanted.seed)?;
    let signer_key = keys.identity.signer.pem().to_owned();
    Ok((Origin { signer_key, ..origin }, keys))
}

/// The level that each builder is granted: hardened ones the highest, and what made the inventory
/// that the world begins with one less.
fn trusted_builders(scenario: &Scenario) -> Vec<(String, u8)> {
    let pool = (0..scenario.builders.count).map(|n| (builder_name(BuilderId(n)), 3));
    pool.chain([(BOOTSTRAP_BUILDER.to_owned(), 2)]).collect()
}

fn origin(text: &str, scenario: &Scenario, seed: u64) -> Result<Origin, ConductorError> {
    let starts_at = scenario.start.time();
    let ends_at = starts_at + scenario.duration.duration();
    if ends_at <= starts_at || ends_at.to_datetime().is_none() {
        return Err(ConductorError::Duration);
    }
    Ok(Origin {
        name: scenario.name.as_str().to_owned(),
        scenario: text.to_owned(),
        scenario_sha256: hex::encode(Sha256::digest(text.as_bytes())),
        seed,
        kernel_version: sim::KERNEL_VERSION.to_owned(),
        starts_at,
        ends_at,
        signer_key: String::new(),
        distribution: scenario.distribution.identity.as_str().to_owned(),
    })
}

fn compare(stored: &Origin, asked: &Origin) -> Result<(), ConductorError> {
    let other = |what, stored: &str, asked: &str| ConductorError::WorldMismatch {
        what,
        stored: stored.to_owned(),
        asked: asked.to_owned(),
    };
    if stored.name != asked.name {
        return Err(other("the scenario", &stored.name, &asked.name));
    }
    if stored.seed != asked.seed {
        return Err(other("the seed", &stored.seed.to_string(), &asked.seed.to_string()));
    }
    // Before the scenario's text: a release with another kernel may ship another text too.
    world::check_kernel(&stored.kernel_version)?;
    if stored.scenario_sha256 != asked.scenario_sha256 {
        let (stored, asked) = (&stored.scenario_sha256, &asked.scenario_sha256);
        return Err(other("the SHA-256 of the scenario file", stored, asked));
    }
    if stored.signer_key != asked.signer_key {
        return Err(other("the signing key", &stored.signer_key, &asked.signer_key));
    }
    Ok(())
}
