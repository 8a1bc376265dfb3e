//! Studies: many replications of worlds, and what can be said of them with what certainty. Pure, as
//! `sim` is: whoever has the same study has the same result, on any machine.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod arms;
pub mod campaign;
pub mod drill;
pub mod file;
pub mod forecast;
pub mod measure;
pub mod output;
pub mod result;
pub mod runner;
pub mod statistics;
mod tally;
