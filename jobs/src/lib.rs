//! What workers do, one file a job; the conductor, the queues and the scheduler.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod attest;
pub mod build;
pub mod caches;
mod check;
pub mod conductor;
pub mod error;
pub mod job;
pub mod keys;
mod naming;
pub mod notify;
pub mod plan;
pub mod queue;
pub mod registry;
pub mod repair;
pub mod scan;
pub mod scheduler;
mod sign;
pub mod sla_check;
pub mod studies;
pub mod webhooks;
pub mod worker;
