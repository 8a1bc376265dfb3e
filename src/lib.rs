//! The `wavetank` program as a library, so that its tests can use its parts.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod cli;
pub mod evidence;
pub mod services;
