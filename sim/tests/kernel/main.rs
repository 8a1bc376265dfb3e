//! What the kernel must be true to: theory, determinism, common random numbers.
mod back_off;
mod commands;
mod determinism;
mod external_builds;
mod false_positives;
mod fork;
mod friday_night;
mod named_images;
mod queueing;
mod recorder;
mod remediation;
mod requests;
mod support;
mod trust_incidents;
