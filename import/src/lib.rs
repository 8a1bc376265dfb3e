//! From what a platform has (SBOMs, advisories, findings, builds) to a scenario of it: reads
//! exports, fits the inputs of a scenario by maximum likelihood, and tries the result on what came
//! after. Pure: bytes come in, a scenario and a report come out.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod back_test;
mod cast;
mod error;
pub mod evidence;
pub mod fit;
pub mod inputs;
mod lineage;
mod moment;
mod outcome;
mod read;
pub mod report;
mod scenario;

pub use error::Refusal;
pub use moment::Moment;
pub use outcome::{Importer, Options, Outcome};
pub use read::{Format, MAX_FILE_BYTES};
