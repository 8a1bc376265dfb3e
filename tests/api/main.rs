//! The API over HTTP, against a real Postgres and a real S3 endpoint.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
mod artifacts;
mod builds;
mod clock;
mod commands;
mod docs;
mod images;
mod logs;
mod metrics;
mod outage;
mod problems;
mod support;
mod webhooks_out;
