//! What workers do, one file a job; the conductor, the queues and the scheduler.
pub mod attest;
pub mod build;
pub mod caches;
mod check;
pub mod conductor;
pub mod job;
pub mod keys;
mod naming;
pub mod notify;
pub mod queue;
pub mod scan;
pub mod scheduler;
mod sign;
pub mod sla_check;
pub mod webhooks;
pub mod worker;
