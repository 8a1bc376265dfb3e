//! The clock, the scenario, and what was asked of the world.
pub(super) mod clock;
pub(super) mod commands;
pub(super) mod history;
pub(super) mod incidents;
pub(super) mod retention;
pub(super) mod scenarios;
