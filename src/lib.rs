//! The `wavetank` program as a library, so that its tests can use its parts.
pub mod api;
pub mod auth;
pub mod cli;
mod embedded;
pub mod evidence;
pub mod services;
mod web;
