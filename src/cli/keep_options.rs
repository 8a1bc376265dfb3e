//! How long a world that goes on keeps its history, as the command line says it.
use sim::scenario::units::Span;
use sim::time::{DAY_MS, SimDuration};
use std::str::FromStr;

/// How long history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// For ever.
    All,
    /// At least so long.
    For(SimDuration),
}

impl Keep {
    /// The length of time; none: for ever.
    pub(super) fn duration(self) -> Option<SimDuration> {
        match self {
            Keep::All => None,
            Keep::For(duration) => Some(duration),
        }
    }
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Keep::All);
        }
        let expected = || "expected `all`, or a day or more, such as 28d".to_owned();
        let span: Span = text.parse().map_err(|_| expected())?;
        let duration = span.duration();
        if duration < SimDuration(DAY_MS) { Err(expected()) } else { Ok(Keep::For(duration)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_kept_for_days_or_for_ever() {
        assert_eq!("all".parse(), Ok(Keep::All));
        assert_eq!("28d".parse(), Ok(Keep::For(SimDuration(28 * DAY_MS))));
        for wrong in ["", "23h", "28", "none"] {
            assert!(wrong.parse::<Keep>().is_err(), "{wrong}");
        }
    }
}
