//! Build events, their completion and their artifacts.
pub(super) mod artifacts;
pub(super) mod completion;
pub(super) mod events;
