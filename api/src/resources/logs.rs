//! The transparency log and the audit log.
pub(super) mod audit;
pub(super) mod forgeries;
pub(crate) mod transparency;
