//! The paths of the specification, joined: a path whose operations belong to several resources is
//! written once for each, and JSON keeps only the last.
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// What of the specification is read here.
#[derive(serde::Deserialize)]
pub(super) struct Document {
    /// All paths, each once.
    pub(super) paths: Paths,
}

/// Paths with their operations.
pub(super) struct Paths(pub(super) Value);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Joining;

        impl<'de> Visitor<'de> for Joining {
            type Value = Paths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("paths")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Paths, A::Error> {
                let mut paths = Map::new();
                while let Some((path, operations)) = map.next_entry::<String, Map<_, _>>()? {
                    let known = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(known) = known {
                        known.extend(operations);
                    }
                }
                Ok(Paths(Value::Object(paths)))
            }
        }

        deserializer.deserialize_map(Joining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_written_twice_keeps_all_its_operations() {
        let text = r#"{"paths": {"/a": {"get": 1}, "/b": {"get": 2}, "/a": {"post": 3}}}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        let expected = serde_json::json!({"/a": {"get": 1, "post": 3}, "/b": {"get": 2}});
        assert_eq!(document.paths.0, expected);
    }
}
