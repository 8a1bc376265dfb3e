//! Advisories, the packages they affect, and findings.
pub(super) mod advisories;
pub(super) mod findings;
pub(super) mod packages;
