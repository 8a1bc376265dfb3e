//! Customers and what they run.
pub(super) mod catalogue;
pub(super) mod usage;
