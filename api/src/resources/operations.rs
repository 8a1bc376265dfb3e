//! Health, problems, and the work of the queues.
pub(super) mod dead_letter;
pub(super) mod health;
pub(super) mod jobs;
pub(super) mod problems;
