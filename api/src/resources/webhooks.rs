//! Webhooks in both directions.
pub(super) mod deliveries;
pub(super) mod endpoints;
pub(super) mod sources;
pub(super) mod upstream;
