//! The documents of the supply chain: bytes in, bytes out, pure.
//!
//! Everything here is a function of its arguments: there is no clock, no randomness, no file and
//! no network, so the same image at the same simulated instant has the same documents on every
//! machine. The way through it:
//!
//! - [`ImageContents`] is the one resolved package list; [`oci::image`] makes the image of it and
//!   so its digest; both together are a [`Subject`].
//! - [`spdx::document`] and [`cyclonedx::document`] write the two SBOMs, [`sbom::parse_components`]
//!   reads either back for a scan, and [`affected::is_affected`] matches what it finds.
//! - [`provenance::statement`] and [`build_log::render`] tell of the build, [`osv::record`] of an
//!   advisory, and [`scanner_db::files`] of all of them in the databases of scanners.
//! - [`dsse::Envelope`] signs a [`statement`], [`rekor`] and [`merkle`] log it, [`bundle::Bundle`]
//!   holds both for a verifier, and [`slsa_level::assess`] says what they prove.
//! - [`scanner_report::parse`] reads what scanners of others say of an image.
//! - [`forgeries`] makes broken evidence of every kind from all this, for authors of verifiers.
//! - [`world_keys::WorldKeys`] are the keys of a world, of which all of this follows.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod affected;
pub mod apk_db;
pub mod apk_version;
pub mod bolt;
pub mod build_log;
pub mod bundle;
pub mod canonical;
pub mod checkpoint;
pub mod contents;
pub mod cvss;
pub mod cyclonedx;
pub mod digest;
pub mod distribution;
pub mod divergence;
pub mod dsse;
mod error;
pub mod forgeries;
pub mod gzip;
pub mod keys;
mod legal;
pub mod merkle;
pub mod oci;
pub mod osv;
mod proto_json;
pub mod provenance;
pub mod purl;
pub mod rekor;
pub mod sample;
pub mod sbom;
pub mod scanner_db;
pub mod scanner_report;
pub mod slsa_level;
pub mod spdx;
pub mod spdx3;
pub mod statement;
pub mod subject;
pub mod tamper;
mod tar;
pub mod timestamp;
pub mod tlog;
pub mod trigger;
pub mod trusted_root;
pub mod vex;
pub mod vuln;
pub mod world_keys;
pub mod zip;

pub use contents::{BaseReference, Component, ImageContents};
pub use digest::Digest;
pub use distribution::Distribution;
pub use error::Error;
pub use subject::Subject;
pub use timestamp::Timestamp;
pub use trigger::Trigger;
