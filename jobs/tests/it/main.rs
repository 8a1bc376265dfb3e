//! The queues, the workers and the conductor against a real PostgreSQL: what must hold when
//! things die, hang, come twice or are lost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod commands;
mod conductor;
mod dead_letter;
mod faults;
mod history;
mod incidents;
mod real;
mod rescuer;
mod support;
mod takeover;
mod worker;
