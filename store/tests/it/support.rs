//! A real Postgres and a real S3 endpoint for tests: one cluster a test process, a fresh database
//! and a fresh bucket a test.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod postgres;
pub mod s3;

use sim::time::SimTime;

/// An instant from its text.
pub fn at(text: &str) -> SimTime {
    SimTime::from_datetime(text.parse().expect("an instant"))
}
