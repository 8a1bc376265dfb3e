//! Representations that several resources answer with.
pub(crate) mod build;
pub(crate) mod command;
pub(crate) mod estimate;
pub(crate) mod exposure;
pub(crate) mod finding;
pub(crate) mod scan;
pub(crate) mod severity;
