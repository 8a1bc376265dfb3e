//! What happens in the world, as it happens and afterwards.
mod details;
pub(super) mod notifications;
pub(super) mod stream;
pub(super) mod timeline;
