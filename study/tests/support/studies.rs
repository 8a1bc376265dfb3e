//! Studies for tests, made ready from their text.
use std::sync::Arc;
use study::arms::{Compiled, Source, compile};

/// A study whose scenarios are these, by name, or bundled; or what it is refused with.
pub(crate) fn ready(text: &str, scenarios: &[(&str, &str)]) -> Result<Arc<Compiled>, String> {
    let load = |name: &str| {
        let own = scenarios.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        let bundled = sim::bundled::BUNDLED.iter().find(|bundled| bundled.name == name);
        let text = own.or(bundled.map(|bundled| bundled.text));
        let file = text.map(|text| (format!("{name}.yaml"), text.as_bytes().to_vec()));
        file.ok_or_else(|| format!("`{name}`, which is not there"))
    };
    let source = Source { file_name: "study.yaml", bytes: text.as_bytes() };
    compile(source, &load).map(Arc::new).map_err(|error| error.to_string())
}
