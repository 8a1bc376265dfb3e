//! Webhooks: the endpoints that notifications are sent to, what is to be delivered, and the forges
//! that may tell of pushes. Beside the world, not in it: nothing here is in the digest.
pub mod deliveries;
pub mod endpoints;
pub mod queue;
pub mod sources;
