//! What the examples of the specification name. All of it exists in the demo world (`four-weeks`
//! with its own seed), so that Swagger UI's "Execute" answers with a story: an advisory, the image
//! that it was found in, the customer who runs it, and the deadline that was missed. A test plays
//! that world and executes every operation as it stands there (`tests/e2e/examples.rs`).

/// A CVE in two packages, one of which is fixed too late.
pub(crate) const CVE: &str = "CVE-2026-1000017";
/// The package that is fixed too late.
pub(crate) const PACKAGE: &str = "py3-amber";
/// An image that holds it.
pub(crate) const IMAGE: &str = "sonde-web";
/// The version that was current at the instant of the examples.
pub(crate) const VERSION: i32 = 27;
/// The build that published it.
pub(crate) const BUILD: i64 = 2_152;
/// SHA-256 of its SPDX document.
pub(crate) const SHA256: &str = "de2fdf6fcbccb17e8160baf77bc0b7db0d95a8f85d08a47fad0cc0e0211b524b";
/// A customer who runs the image, and missed its deadline; one of the demo's API keys is its own.
pub(crate) const TENANT: &str = "boyer-and-johnston-group";
/// The instant of `as_of`, in hours after `time::START_MS`: the deadlines have been missed and the
/// image is not fixed yet.
pub(crate) const AS_OF_HOURS: i64 = 17 * 24 + 12;
/// A customer was told of deadlines that it missed.
pub(crate) const NOTIFICATION: i64 = 9_827;
/// A line of the audit log.
pub(crate) const AUDIT_LOG: i64 = 9_817;
