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
pub mod event_details;
pub mod events;
pub mod evidence;
pub mod exposure;
pub mod findings;
pub mod history;
pub mod images;
mod in_use;
pub mod incidents;
pub mod jobs;
pub mod lineage;
pub mod log;
pub mod notifications;
pub mod packages;
mod page;
pub mod registry;
pub mod scans;
pub mod score;
pub mod sla;
pub mod summary;
pub mod timeline;
pub mod usage;
pub mod versions;
pub mod vex;
mod visible;
pub mod world;

pub use page::{Page, Total};
pub use visible::Visible;

use chrono::{DateTime, Utc};

/// How far the totals of lists are counted: more is said to be more, and costs no more. As much as
/// the largest page holds, so that no page has more than its total.
pub const TOTAL_BOUND: i64 = 200;

/// The severities, the gravest first.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The greatest key: the latest.
    #[default]
    Descending,
    /// The least key: the earliest.
    Ascending,
}

impl Direction {
    /// What follows a key in ORDER BY.
    const fn sql(self) -> &'static str {
        match self {
            Direction::Descending => "DESC",
            Direction::Ascending => "ASC",
        }
    }

    /// How the keys that come later compare with one.
    const fn beyond(self) -> &'static str {
        match self {
            Direction::Descending => "<",
            Direction::Ascending => ">",
        }
    }

    /// Whether the earliest comes first.
    pub const fn is_ascending(self) -> bool {
        matches!(self, Direction::Ascending)
    }

    /// An ORDER BY of these keys.
    fn order(self, keys: &[&str]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| format!("{key} {}", self.sql())).collect();
        format!(" ORDER BY {}", keys.join(", "))
    }
}

/// The instant a read speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What happened later than this is not seen.
    pub as_of: DateTime<Utc>,
    /// Whether this is the newest state. Only then are rows seen whose command the world has not
    /// taken yet: their instants are not final, so they belong to no past.
    pub newest: bool,
}
