//! Scores and severities computed from CVSS vectors, never drawn or copied.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, shorten};

/// The qualitative severity rating scale of CVSS 3.1, section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// 0.0
    None,
    /// 0.1 to 3.9
    Low,
    /// 4.0 to 6.9
    Medium,
    /// 7.0 to 8.9
    High,
    /// 9.0 to 10.0
    Critical,
}

impl Severity {
    /// The severity's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A base score in tenths, so that it is compared and stored exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseScore {
    tenths: u8,
}

impl BaseScore {
    /// The score of a complete CVSS 3.1 base vector, for example
    /// `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`. Temporal and environmental metrics may
    /// follow; the base score does not depend on them.
    ///
    /// # Errors
    /// [`Error::CvssVector`] for anything else, other CVSS versions included.
    pub fn of(vector: &str) -> Result<Self, Error> {
        let refused =
            |reason: &str| Error::CvssVector { vector: shorten(vector), reason: reason.to_owned() };
        if !vector.starts_with("CVSS:3.1/") {
            return Err(refused("it does not start with CVSS:3.1/"));
        }
        let parsed = ::cvss::v3::Vector::from_str(vector).map_err(|error| Error::CvssVector {
            vector: shorten(vector),
            reason: error.to_string(),
        })?;
        let exploitability = parsed.av.is_some()
            && parsed.ac.is_some()
            && parsed.pr.is_some()
            && parsed.ui.is_some();
        let impact =
            parsed.s.is_some() && parsed.c.is_some() && parsed.i.is_some() && parsed.a.is_some();
        if !(exploitability && impact) {
            return Err(refused("a base metric is missing"));
        }
        let tenths = (parsed.base_score().value() * 10.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "base scores are from 0.0 to 10.0"
        )]
        let tenths = tenths as u8;
        Ok(Self { tenths })
    }

    /// The score in tenths, 0 to 100.
    pub const fn tenths(self) -> u8 {
        self.tenths
    }

    /// The score, 0.0 to 10.0.
    pub fn value(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }

    /// The severity of the score.
    pub const fn severity(self) -> Severity {
        match self.tenths {
            0 => Severity::None,
            1..40 => Severity::Low,
            40..70 => Severity::Medium,
            70..90 => Severity::High,
            _ => Severity::Critical,
        }
    }
}

impl fmt::Display for BaseScore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // Scores from FIRST's CVSS 3.1 examples document.
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1", Severity::Low),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "9.9", Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5", Severity::High),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0", Severity::None),
        ] {
            let found = BaseScore::of(vector).unwrap();
            assert_eq!((found.to_string().as_str(), found.severity()), (score, severity));
        }
    }

    #[test]
    fn what_is_refused() {
        for vector in [
            "",
            "CVSS:3.1/",
            "CVSS:3.1/AV:N",
            "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        ] {
            assert!(BaseScore::of(vector).is_err(), "{vector}");
        }
    }
}
