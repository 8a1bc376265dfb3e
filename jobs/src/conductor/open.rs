//! Making a world, and telling whether the stored one is the one that is meant.
use super::error::ConductorError;
use super::fingerprint::Fingerprint;
use sha2::{Digest, Sha256};
use sim::scenario::Scenario;
use sim::world::World;
use sqlx::PgPool;
use std::sync::Arc;
use store::world::{self, Origin};

/// The advisory lock under which worlds are made.
const LOCK: i64 = 0x7761_7665_0002;

/// Makes the world of a scenario and a seed, unless the database holds it already.
///
/// # Errors
/// The database holds another world, or one of another kernel; nothing is changed then.
pub(super) async fn open(
    pool: &PgPool,
    text: &str,
    scenario: &Arc<Scenario>,
    seed: u64,
) -> Result<Origin, ConductorError> {
    let asked = origin(text, scenario, seed)?;
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    if let Some(stored) = world::find(&mut tx).await? {
        compare(&stored.origin, &asked)?;
        return Ok(stored.origin);
    }
    let made = World::new(scenario.clone(), seed);
    world::create(&mut tx, &asked, &Fingerprint::default().to_hex()).await?;
    store::catalogue::insert(&mut tx, made.catalogue(), asked.starts_at).await?;
    tx.commit().await?;
    tracing::info!(world = asked.name, seed, starts = %asked.starts_at, "made a world");
    Ok(asked)
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
    })
}

fn compare(stored: &Origin, asked: &Origin) -> Result<(), ConductorError> {
    let other = |what, stored: &str, asked: &str| ConductorError::OtherWorld {
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
    if stored.scenario_sha256 != asked.scenario_sha256 {
        let (stored, asked) = (&stored.scenario_sha256, &asked.scenario_sha256);
        return Err(other("the SHA-256 of the scenario file", stored, asked));
    }
    check_kernel(stored)
}

/// Whether this program's kernel is the one that made the world.
pub(super) fn check_kernel(stored: &Origin) -> Result<(), ConductorError> {
    if stored.kernel_version == sim::KERNEL_VERSION {
        return Ok(());
    }
    Err(ConductorError::OtherKernel {
        stored: stored.kernel_version.clone(),
        ours: sim::KERNEL_VERSION.to_owned(),
    })
}
