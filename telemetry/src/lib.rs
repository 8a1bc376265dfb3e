//! What the program tells of itself: metrics, logs and traces, and the TLS of the connections that it
//! opens.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod metrics;
pub mod tls;
pub mod traces;
