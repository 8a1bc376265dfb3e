//! The API over HTTP, against a real Postgres and a real S3 endpoint.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
mod artifacts;
mod asked;
mod auth;
mod builds;
mod clock;
mod commands;
mod conventions;
mod docs;
mod events;
mod fuzz;
mod history;
mod image_parts;
mod images;
mod logs;
mod metrics;
mod outage;
mod plans;
mod problems;
mod questions;
mod scenarios;
mod support;
mod tenancy;
mod upstream;
mod webhook_endpoints;
mod webhooks_out;
