//! How well a scanner sees a world: reports of scanners compared with what is true at an instant.
//! Pure: reports and truth come in, figures go out, and the same input gives the same figures
//! anywhere.
//!
//! - [`documents::scanner_report::parse`] reads a report; [`answers::parse`] reads the answer key
//!   of an export as the [`truth::Truth`] (the API makes one of its rows).
//! - [`score`] finds out which image each report is about ([`identify`]), compares, and names the
//!   cause of each difference ([`cause::Cause`]).
//! - [`output`] writes the [`result::Score`] for people and for machines.
//!
//! What counts. A vulnerability is **expected** in an image at an instant when the image holds an
//! affected package, a scanner could know of it by then (`detectable_at`), and nobody has judged by
//! then that it does not matter there (VEX `not_affected`). What is expected and reported is right,
//! what is expected and not reported is missed, what is reported and not held, or judged, is wrong.
//! What is held and cannot be known yet is neither: a scanner with newer data is not wrong.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod answers;
pub mod cause;
mod compare;
mod figures;
pub mod identify;
mod instant;
pub mod output;
pub mod result;
mod run;
pub mod truth;

pub use figures::{Counts, Figures, Ratio};
pub use instant::{AsOfSource, parse as parse_instant};
pub use run::{NamedReport, Options, ScoreError, score};
