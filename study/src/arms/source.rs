//! What a study is read from: its own file, and those of its scenarios.
use crate::result::ScenarioText;
use sim::strict_yaml::Change;
use sim::time::SimDuration;
use std::collections::BTreeMap;

/// The file of a study.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What errors call it.
    pub file_name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Gets a scenario by what the study calls it: a path or the name of a bundled one. Gives what errors
/// call it and its bytes, or why there is none.
pub type Load<'a> = &'a dyn Fn(&str) -> Result<(String, Vec<u8>), String>;

/// What an arm is called and sets.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledArm {
    /// Its name.
    pub name: String,
    /// The scenario, by what the study calls it.
    pub scenario: String,
    /// What it changes.
    pub changes: Vec<Change>,
}

/// Scenario files, each loaded once.
pub(super) struct Files<'a> {
    load: Load<'a>,
    loaded: BTreeMap<String, (String, Vec<u8>)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(load: Load<'a>) -> Self {
        Files { load, loaded: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, name: &str) -> Result<&(String, Vec<u8>), String> {
        if !self.loaded.contains_key(name) {
            let file = (self.load)(name)?;
            self.loaded.insert(name.to_owned(), file);
        }
        self.loaded.get(name).ok_or_else(|| "nothing".to_owned())
    }

    pub(super) fn texts(&self) -> Vec<ScenarioText> {
        let text = |(name, (_, bytes)): (&String, &(String, Vec<u8>))| ScenarioText {
            name: name.clone(),
            text: String::from_utf8_lossy(bytes).into_owned(),
        };
        self.loaded.iter().map(text).collect()
    }
}

/// The length of a scenario is that of the study.
pub(super) fn with_horizon(changes: &[Change], horizon: SimDuration) -> Vec<Change> {
    let duration = Change {
        path: "duration".to_owned(),
        value: serde_json::Value::String(format!("{}ms", horizon.0)),
    };
    changes.iter().cloned().chain([duration]).collect()
}

/// What a study sets for all arms.
const OWN: [(&str, &str); 2] = [
    ("duration", "the study's `horizon` says how long all arms play"),
    ("seed", "the study's `seed` is that of all arms, so that they face the same events"),
];

/// Whether a path is one that the study sets for all arms: its key, and what says it instead.
pub(super) fn own_setting(path: &str) -> Option<(&'static str, &'static str)> {
    OWN.into_iter().find(|(key, _)| path == *key)
}
