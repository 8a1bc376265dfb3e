//! Imports: worlds of known parameters are recovered from their exports, and hostile files refused.
mod formats;
mod refusals;
mod support;
mod worlds;
