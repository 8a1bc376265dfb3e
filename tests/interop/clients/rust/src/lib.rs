//! The Rust client that progenitor generates from the specification.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "what is here is generated")]

include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// The text of the client, in which the test looks for every operation.
pub const SOURCE: &str = include_str!(concat!(env!("OUT_DIR"), "/client.rs"));
