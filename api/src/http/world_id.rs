//! Which world a cursor belongs to. Loading a scenario puts another world in the place of this one:
//! what was numbered in the old one means nothing in the new one.
use sha2::{Digest, Sha256};
use std::fmt;
use store::read::world::Position;

/// The name of a world: the load that made it, and what it was made from. Two worlds of one database
/// differ in the first, those of two databases in the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorldId(String);

impl WorldId {
    pub(crate) fn of(position: &Position) -> Self {
        let origin = Sha256::new()
            .chain_update(&position.scenario_sha256)
            .chain_update(position.seed.to_be_bytes())
            .chain_update(position.starts_at.timestamp_millis().to_be_bytes())
            .finalize();
        WorldId(format!("{}-{}", position.generation, hex::encode(&origin[..4])))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of an event: a place in the order of facts of one world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventId {
    /// The world; none: an id as release 0.1.0 gave them.
    pub(crate) world: Option<WorldId>,
    /// The place.
    pub(crate) seq: i64,
}

impl EventId {
    /// Reads an id: the world's name and the place.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.rsplit_once('-') {
            Some((world, seq)) => {
                Some(EventId { world: Some(WorldId(world.to_owned())), seq: seq.parse().ok()? })
            }
            None => Some(EventId { world: None, seq: text.parse().ok()? }),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.world {
            Some(world) => write!(f, "{}-{}", world.as_str(), self.seq),
            None => write!(f, "{}", self.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    /// What the specification says of ids.
    const FORM: &str = "^([0-9]{1,18}-[0-9a-f]{8}-)?[0-9]{1,18}$";

    fn position(generation: i64, seed: i64) -> Position {
        let at = DateTime::UNIX_EPOCH;
        Position {
            keep_ms: None,
            history_from: None,
            name: "small".to_owned(),
            scenario_sha256: "1".repeat(64),
            seed,
            kernel_version: "1".to_owned(),
            starts_at: at,
            ends_at: at,
            released_through: at,
            released_seq: 0,
            materialized_through: at,
            materialized_seq: 0,
            generation,
        }
    }

    #[test]
    fn worlds_differ_by_load_and_by_origin() {
        let one = WorldId::of(&position(0, 7));
        assert_eq!(one, WorldId::of(&position(0, 7)));
        assert_ne!(one, WorldId::of(&position(1, 7)));
        assert_ne!(one, WorldId::of(&position(0, 8)));
    }

    #[test]
    fn ids_come_back_as_they_were_written() {
        let said = serde_json::to_string(FORM).unwrap();
        assert!(crate::openapi_json().contains(&said));
        let form = regex::Regex::new(FORM).unwrap();
        let world = WorldId::of(&position(12, -1));
        for id in [EventId { world: Some(world), seq: 812 }, EventId { world: None, seq: 3 }] {
            let text = id.to_string();
            assert!(form.is_match(&text), "{text}");
            assert_eq!(EventId::parse(&text), Some(id));
        }
        for bad in ["", "-1", "x", "1-2", "1-0000000g-3", "1-00000000-", "99999999999999999999"] {
            assert!(!form.is_match(bad), "{bad}");
        }
    }
}
