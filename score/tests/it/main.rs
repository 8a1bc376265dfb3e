//! Scores, held to figures that were worked out by hand, and to what is told of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod hand_worked;
mod identity;
mod outputs;
mod support;
