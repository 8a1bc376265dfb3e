//! Webhooks in both directions.
pub(super) mod deliveries;
mod delivery;
mod endpoint;
pub(super) mod endpoints;
mod lookup;
pub(super) mod rotation;
pub(super) mod sources;
pub(super) mod upstream;
