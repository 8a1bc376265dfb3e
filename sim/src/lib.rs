//! The world: a pure, deterministic kernel that turns a scenario, a seed and commands into facts.
pub mod command;
pub mod fact;
pub mod ids;
pub mod scenario;
pub mod severity;
pub mod time;
