//! What the program tells of itself: metrics, logs and traces, and the TLS of the connections that it
//! opens.
pub mod metrics;
pub mod tls;
pub mod traces;
