//! The `wavetank` program as a library, so that its tests can use its parts.
pub mod cli;
pub mod evidence;
pub mod services;
