//! The queues, the workers and the conductor against a real PostgreSQL: what must hold when
//! processes die, jobs hang, and deliveries are duplicated or lost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod commands;
mod conductor;
mod dead_letter;
mod deployment;
mod faults;
mod history;
mod incidents;
mod repair;
mod replacement;
mod replay;
mod rescuer;
mod retention;
mod studies;
mod support;
mod takeover;
mod windows;
mod worker;
