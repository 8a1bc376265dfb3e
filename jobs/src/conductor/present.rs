//! The world of the record as it is now, to be read and forked: nobody conducts it by that.
use super::error::ConductorError;
use super::replay::retell;
use sim::World;
use sim::time::SimTime;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use store::commands::StoredCommand;
use store::{commands, world};
use tokio_util::sync::CancellationToken;

/// What the world was made from and what it took since: all that it takes to make it again.
#[derive(Clone, Debug)]
pub struct WorldRecord {
    world: world::World,
    applied: Vec<StoredCommand>,
}

/// Where a record stands: two with the same position tell the same world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPosition {
    generation: i64,
    scenario_sha256: String,
    seed: u64,
    at: SimTime,
    seq: u64,
    fingerprint: String,
    commands: usize,
}

impl WorldRecord {
    /// Reads it, in one snapshot: `conn` is in a transaction that repeats its reads.
    ///
    /// # Errors
    /// There is no world, or another version of the kernel made it.
    pub async fn read(conn: &mut PgConnection) -> Result<Self, store::error::Error> {
        let world = world::get(conn).await?;
        world::check_kernel(&world.origin.kernel_version)?;
        let applied = commands::applied(conn).await?;
        Ok(WorldRecord { world, applied })
    }

    /// Where it stands.
    pub fn position(&self) -> RecordPosition {
        RecordPosition {
            generation: self.world.generation,
            scenario_sha256: self.world.origin.scenario_sha256.clone(),
            seed: self.world.origin.seed,
            at: self.world.released.at,
            seq: self.world.released.seq,
            fingerprint: self.world.fingerprint.clone(),
            commands: self.applied.len(),
        }
    }

    /// Tells it again, up to what is released; none: it was stopped. This takes as long as the kernel
    /// takes for the world's whole past.
    ///
    /// # Errors
    /// The record is not what this kernel tells.
    pub fn rebuild(&self, stop: &CancellationToken) -> Result<Option<World>, ConductorError> {
        let text = self.world.origin.scenario.as_bytes();
        let scenario = sim::scenario::parse("the stored scenario", text)
            .map_err(|error| ConductorError::Scenario(error.to_string()))?;
        let told = retell(Arc::new(scenario), &self.world, &self.applied, stop, |_| ())?;
        Ok(told.map(|(world, _)| world))
    }
}

/// Tells the record again, up to what is released.
///
/// # Errors
/// There is no world, another version of the kernel made it, or the record is not what this kernel
/// tells.
pub async fn present(pool: &PgPool) -> Result<World, ConductorError> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let record = WorldRecord::read(&mut tx).await?;
    tx.rollback().await?;
    let told = tokio::task::spawn_blocking(move || record.rebuild(&CancellationToken::new()));
    let told = told.await.map_err(|error| ConductorError::Ended(error.to_string()))??;
    told.ok_or_else(|| ConductorError::Ended("it was stopped".to_owned()))
}
