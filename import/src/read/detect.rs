//! What a file is, by its content: the keys of a JSON document, the columns of a table.
use super::{Format, tables};
use crate::error::Refusal;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

const KNOWN: &str = "known are CycloneDX, SPDX, OSV, Dependency-Track, DefectDojo and Trivy in JSON, \
    and tables (CSV) of CVEs, findings, builds and adoptions: see docs/import.md";

pub(super) fn format(file: &str, text: &str) -> Result<Format, Refusal> {
    match text.trim_start().as_bytes().first() {
        None => Err(Refusal::whole(file, "is empty")),
        Some(b'{' | b'[') => json(file, text),
        Some(b'<') => Err(Refusal::whole(file, format!("XML is not read; {KNOWN}"))),
        Some(_) => table(file, text),
    }
}

fn json(file: &str, text: &str) -> Result<Format, Refusal> {
    let outline: Outline =
        serde_json::from_str(text).map_err(|error| Refusal::json(file, &error))?;
    let has = |key: &str| outline.keys.contains(key);
    let first = |key: &str| outline.first.contains(key);
    let format = if outline.is_list {
        match () {
            () if first("affected") || first("modified") => Some(Format::Osv),
            () if first("vulnerability") && first("component") => Some(Format::DependencyTrack),
            () if first("title") && first("severity") => Some(Format::DefectDojo),
            () if outline.keys.is_empty() && outline.first.is_empty() => None,
            () => None,
        }
    } else {
        match () {
            () if has("bomFormat") => Some(Format::CycloneDx),
            () if has("spdxVersion") => Some(Format::Spdx2),
            () if has("@graph") => Some(Format::Spdx3),
            () if has("SchemaVersion") || has("Results") || has("ArtifactName") => {
                Some(Format::Trivy)
            }
            () if has("vulns") || (has("id") && (has("affected") || has("modified"))) => {
                Some(Format::Osv)
            }
            () if has("findings") && (has("project") || has("meta")) => {
                Some(Format::DependencyTrack)
            }
            () if has("findings") || has("results") => Some(Format::DefectDojo),
            () => None,
        }
    };
    format.ok_or_else(|| {
        let keys: Vec<&str> = outline.keys.iter().chain(&outline.first).map(|k| &**k).collect();
        let keys = keys.iter().take(8).map(|key| key.chars().take(30).collect::<String>());
        let keys = keys.collect::<Vec<_>>().join(", ");
        Refusal::whole(file, format!("JSON of a kind that is not known (keys: {keys}); {KNOWN}"))
    })
}

fn table(file: &str, text: &str) -> Result<Format, Refusal> {
    tables::format(text).ok_or_else(|| {
        let head: String = text.lines().next().unwrap_or_default().chars().take(80).collect();
        let reason = format!("no JSON, and no table that is known (it begins {head:?}); {KNOWN}");
        Refusal::whole(file, reason)
    })
}

/// The keys of a document, or of the first entry of a list.
#[derive(Default)]
struct Outline {
    is_list: bool,
    keys: BTreeSet<String>,
    first: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut outline = Outline::default();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            outline.keys.insert(key);
        }
        Ok(outline)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Outline, A::Error> {
        let mut outline = Outline { is_list: true, ..Outline::default() };
        if let Some(Keys(keys)) = seq.next_element()? {
            outline.first = keys;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(outline)
    }
}

/// The keys of an object.
struct Keys(BTreeSet<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.insert(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
