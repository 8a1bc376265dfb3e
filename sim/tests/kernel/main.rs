//! What the kernel must be true to: theory, determinism, common random numbers.
mod determinism;
mod queueing;
mod remediation;
mod support;
