//! Replay: a new leader rebuilds the world from scenario, seed and stored commands, and compares it
//! with the record before it goes on.
use super::error::ConductorError;
use super::fingerprint::Fingerprint;
use sim::fact::Fact;
use sim::scenario::Scenario;
use sim::time::{DAY_MS, SimDuration, SimTime};
use sim::world::World;
use std::sync::Arc;
use store::commands::StoredCommand;
use store::world::{World as Record, check_kernel};
use tokio_util::sync::CancellationToken;

/// A world at the released position.
pub(super) struct Replayed {
    /// The kernel's world.
    pub(super) world: World,
    /// The hash over all its facts.
    pub(super) fingerprint: Fingerprint,
    /// The facts that are released and not yet materialized.
    pub(super) unfinished: Vec<Fact>,
    /// The last command that the world took.
    pub(super) last_command: u64,
}

/// Replays the record up to its released position; none when `shutdown` came first.
///
/// # Errors
/// The record is not what this kernel tells: nothing may be written then.
pub(super) fn replay(
    scenario: Arc<Scenario>,
    record: &Record,
    commands: &[StoredCommand],
    shutdown: &CancellationToken,
) -> Result<Option<Replayed>, ConductorError> {
    let mut unfinished = Vec::new();
    let tell = |fact: Fact| {
        if fact.seq > record.materialized.seq {
            unfinished.push(fact);
        }
    };
    let Some((world, fingerprint)) = retell(scenario, record, commands, shutdown, tell)? else {
        return Ok(None);
    };
    let last_command = commands.last().map_or(0, |command| command.seq);
    Ok(Some(Replayed { world, fingerprint, unfinished, last_command }))
}

/// Tells every fact of the record again, in order. Returns the world at the released position and
/// the hash over all its facts; none when `shutdown` came first.
///
/// # Errors
/// The record is not what this kernel tells: then what was told is not to be relied on.
pub(crate) fn retell(
    scenario: Arc<Scenario>,
    record: &Record,
    commands: &[StoredCommand],
    shutdown: &CancellationToken,
    mut tell: impl FnMut(Fact),
) -> Result<Option<(World, Fingerprint)>, ConductorError> {
    check_kernel(&record.origin.kernel_version)?;
    let mut world = World::new(scenario, record.origin.seed);
    let mut fingerprint = Fingerprint::default();
    let mut failed = None;
    let mut last_seq = 0;
    let mut sink = |fact: Fact| {
        last_seq = fact.seq;
        if let Err(source) = fingerprint.add(&fact) {
            failed.get_or_insert(ConductorError::Encode { seq: fact.seq, source });
        }
        tell(fact);
    };
    if record.released.seq > 0 || record.released.at > record.origin.starts_at {
        for command in commands {
            let Some(at) = command.applied_at else { continue };
            if !advance(&mut world, at, &mut sink, shutdown) {
                return Ok(None);
            }
            if let Err(error) = world.submit(&command.command, &mut sink) {
                tracing::debug!(command = command.seq, %error, "replay rejects a stored command");
            }
        }
        if !advance(&mut world, record.released.at, &mut sink, shutdown) {
            return Ok(None);
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let found = fingerprint.to_hex();
    if last_seq != record.released.seq || found != record.fingerprint {
        return Err(ConductorError::HistoryMismatch {
            at: record.released.at,
            seq: record.released.seq,
            stored: record.fingerprint.clone(),
            found_seq: last_seq,
            found,
        });
    }
    Ok(Some((world, fingerprint)))
}

/// Lets everything up to `until` happen, a day at a time; false when it was asked to stop.
fn advance(
    world: &mut World,
    until: SimTime,
    sink: &mut impl FnMut(Fact),
    shutdown: &CancellationToken,
) -> bool {
    loop {
        if shutdown.is_cancelled() {
            return false;
        }
        world.advance(until.min(world.now() + SimDuration(DAY_MS)), sink);
        if world.now() >= until {
            return true;
        }
    }
}
