//! The transparency log and the audit log.
pub(super) mod audit;
pub(crate) mod transparency;
