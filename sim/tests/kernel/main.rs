//! What the kernel must be true to: theory, determinism, common random numbers.
mod asked;
mod commands;
mod determinism;
mod external;
mod false_positives;
mod friday;
mod queueing;
mod remediation;
mod support;
mod trust;
