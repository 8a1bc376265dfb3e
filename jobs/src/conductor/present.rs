//! The world of the record as it is now, to be read and forked: nobody conducts it by that.
use super::error::ConductorError;
use super::replay::retell;
use sim::World;
use sqlx::PgPool;
use std::sync::Arc;
use store::{commands, world};
use tokio_util::sync::CancellationToken;

/// Tells the record again, up to what is released.
///
/// # Errors
/// There is no world, another version of the kernel made it, or the record is not what this kernel
/// tells.
pub async fn present(pool: &PgPool) -> Result<World, ConductorError> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let record = world::get(&mut tx).await?;
    let applied = commands::applied(&mut tx).await?;
    tx.rollback().await?;
    let told = tokio::task::spawn_blocking(move || {
        let text = record.origin.scenario.as_bytes();
        let scenario = sim::scenario::parse("the stored scenario", text)
            .map_err(|error| ConductorError::Scenario(error.to_string()))?;
        let never = CancellationToken::new();
        retell(Arc::new(scenario), &record, &applied, &never, |_| ())
    });
    let told = told.await.map_err(|error| ConductorError::Ended(error.to_string()))??;
    let (world, _) = told.ok_or_else(|| ConductorError::Ended("it was stopped".to_owned()))?;
    Ok(world)
}
