//! The store against a real Postgres and a real S3 endpoint.
#![allow(
    unreachable_pub,
    reason = "a test binary has no outside; other binaries share its support"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
mod digest;
mod fixture;
mod migrations;
mod objects;
mod sessions;
mod sla;
mod sla_cost;
mod sla_deadlines;
mod support;
