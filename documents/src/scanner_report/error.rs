//! Why a report cannot be read: each says the place and what helps.

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is larger than what is read.
    #[error("the report is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// It is in UTF-16, as some shells write what is redirected.
    #[error("the report is in UTF-16, not in UTF-8")]
    Utf16,
    /// It is no JSON, or JSON that is nested too deeply.
    #[error("the report is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// It is JSON of another kind.
    #[error("{found}")]
    OtherFormat {
        /// What it seems to be.
        found: String,
        /// What helps.
        hint: &'static str,
    },
    /// Something in it is not what its format says.
    #[error("at {place}: expected {expected}, found {found}")]
    Misformed {
        /// The place, as a JSON pointer.
        place: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// It has more entries than are read.
    #[error("at {place}: more than {limit} entries in the report")]
    TooMany {
        /// Where there are too many.
        place: String,
        /// How many are read.
        limit: usize,
    },
}

/// The formats, and how tools are asked for them.
const FORMATS: &str = "give a report of Trivy (`--format json`), Grype (`-o json`), OSV-Scanner \
                       (`--format json`), SARIF 2.1.0, CycloneDX with vulnerabilities, or an \
                       inventory of Syft (`-o json`)";

impl ReportError {
    /// What helps.
    pub const fn hint(&self) -> &'static str {
        match self {
            ReportError::TooLarge { .. } | ReportError::TooMany { .. } => {
                "give one report an image, and leave out what is no vulnerability (Trivy: \
                 `--scanners vuln`)"
            }
            ReportError::Utf16 => {
                "let the scanner write the file itself (Trivy: `--output FILE`), not the shell"
            }
            ReportError::Json(_) => {
                "the file may be cut off, or hold the scanner's log as well: let the scanner write \
                 the report to a file of its own"
            }
            ReportError::OtherFormat { hint, .. } => hint,
            ReportError::Misformed { .. } => {
                "make the report again with a scanner as it was released; what each format must \
                 hold is listed in docs/tool-authors.md"
            }
        }
    }

    /// JSON that no format begins with.
    pub(super) fn unknown(found: String) -> Self {
        ReportError::OtherFormat { found, hint: FORMATS }
    }
}
