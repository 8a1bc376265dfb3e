//! What the API reads: rows as they were at a simulated instant. The instants in the rows decide
//! what is seen, so an answer about the past is the same whenever it is asked for.
pub mod advisories;
pub mod artifacts;
pub mod audit;
pub mod builds;
pub mod commands;
pub mod customers;
pub mod definitions;
pub mod diff;
pub mod documents;
pub mod events;
pub mod evidence;
pub mod exposure;
pub mod findings;
pub mod images;
pub mod incidents;
pub mod jobs;
pub mod lineage;
pub mod log;
pub mod notifications;
pub mod packages;
pub mod sla;
pub mod summary;
pub mod timeline;
pub mod usage;
pub mod versions;
pub mod vex;
pub mod world;

use chrono::{DateTime, Utc};

/// How far the totals of lists are counted: more is said to be more, and costs no more.
pub const TOTAL_BOUND: i64 = 500;

/// The instant a read speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What happened later than this is not seen.
    pub as_of: DateTime<Utc>,
    /// Whether this is the newest state. Only then are rows seen whose command the world has not
    /// taken yet: their instants are not final, so they belong to no past.
    pub newest: bool,
}
