//! Severities, and what is counted by them.
use crate::http::problem::Problem;
use poem_openapi::{Enum, Object};

/// The severity of an advisory: the rating of its CVSS base score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// 9.0 to 10.0.
    Critical,
    /// 7.0 to 8.9.
    High,
    /// 4.0 to 6.9.
    Medium,
    /// Below.
    Low,
}

impl Severity {
    /// All of them, the most severe first.
    pub(crate) const ALL: [Severity; 4] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// The name in the database and the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        }
    }

    /// From the database.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        known.ok_or_else(|| Problem::internal(format!("a severity named {text:?}")))
    }

    /// Its place among all, 0 for critical.
    pub(crate) const fn rank(self) -> i32 {
        self as i32
    }
}

impl From<Severity> for sim::severity::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::High => Self::High,
            Severity::Medium => Self::Medium,
            Severity::Low => Self::Low,
        }
    }
}

/// How many advisories, by severity, as the last scan found them.
#[derive(Clone, Copy, Debug, Object)]
pub(crate) struct AdvisoryCounts {
    /// Critical ones.
    pub(crate) critical: i64,
    /// High ones.
    pub(crate) high: i64,
    /// Medium ones.
    pub(crate) medium: i64,
    /// Low ones.
    pub(crate) low: i64,
}
