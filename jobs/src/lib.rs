//! What workers do, one file a job; the conductor, the queues and the scheduler.
pub mod build;
pub mod caches;
mod check;
pub mod conductor;
pub mod job;
pub mod notify;
pub mod queue;
pub mod scan;
pub mod scheduler;
pub mod sla_check;
pub mod worker;
