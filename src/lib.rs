//! The `wavetank` program as a library, so that its tests can use its parts.
pub mod api;
pub mod auth;
pub mod cli;
mod embedded;
pub mod evidence;
pub mod metrics;
mod scenarios;
pub mod services;
pub mod telemetry;
mod tls;
mod web;
pub mod webhooks;
