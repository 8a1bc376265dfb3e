//! The world: a pure, deterministic kernel that turns a scenario, a seed and commands into facts.
//!
//! No IO, no clock, no environment: whoever has the same scenario, seed and commands has the same
//! facts, on any machine. [`World`] is the way in.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod bundled;
mod cast;
pub mod catalogue;
pub mod command;
pub mod events;
pub mod fact;
pub mod ids;
mod names;
pub mod pool;
pub mod random;
pub mod recorder;
pub mod scenario;
pub mod severity;
pub mod stats;
pub mod strict_yaml;
pub mod time;
pub mod world;

pub use recorder::Recorder;
pub use world::World;
pub use world::{sla_due, sla_left};

/// Changes whenever the same scenario, seed and commands could give other facts than before: a
/// stored world is then refused, never silently continued differently.
pub const KERNEL_VERSION: &str = "2";
