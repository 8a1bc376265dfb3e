//! What the kernel must be true to: theory, determinism, common random numbers.
mod determinism;
mod friday;
mod queueing;
mod remediation;
mod support;
mod trust;
