//! The validators: `wavetank verify`, and `check.py` with the implementations that it runs.
use crate::support::{said, wavetank};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `wavetank verify` says of a directory.
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) text: String,
}

impl Verdict {
    /// Whether some line names both the place and the reason.
    pub(crate) fn names(&self, place: &str, reason: &str) -> bool {
        let problem = format!("PROBLEM {place}");
        self.text.lines().any(|line| line.starts_with(&problem) && line.contains(reason))
    }
}

pub(crate) fn verify(directory: &Path) -> Verdict {
    let output = wavetank().arg("verify").arg(directory).output().expect("the program runs");
    Verdict { accepted: output.status.success(), text: said(&output) }
}

/// What `check.py` says of directories.
pub(crate) struct Summary {
    pub(crate) accepted: bool,
    pub(crate) skipped: BTreeMap<String, String>,
    kinds: Value,
}

impl Summary {
    /// How many of a kind were checked.
    pub(crate) fn checked(&self, kind: &str) -> u64 {
        self.kinds[kind]["checked"].as_u64().unwrap_or(0)
    }

    /// Whether the checks of a kind refused something.
    pub(crate) fn refused(&self, kind: &str) -> bool {
        self.kinds[kind]["failures"].as_array().is_some_and(|failures| !failures.is_empty())
    }

    /// Why the checks of a kind, or of its first word, were not made.
    pub(crate) fn skipped(&self, kind: &str) -> Option<&String> {
        let first = kind.split(' ').next().unwrap_or(kind);
        self.skipped.get(kind).or_else(|| self.skipped.get(first))
    }
}

/// What failed, and how much was checked.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, result) in self.kinds.as_object().into_iter().flatten() {
            writeln!(formatter, "{kind}: {} checked", result["checked"])?;
            let failures = result["failures"].as_array().into_iter().flatten();
            for failure in failures.take(5) {
                writeln!(formatter, "    {}: {}", failure["file"], failure["reason"])?;
            }
        }
        Ok(())
    }
}

/// Runs all independent checks over directories.
pub(crate) fn check(directories: &[&Path], more: &[&str]) -> Summary {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python(root));
    command.arg(root.join("tests/interop/check.py")).args(more).args(directories);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("check.py runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command:?} printed no JSON ({error}): {}", said(&output)));
    let skipped = serde_json::from_value(report["skipped"].clone()).expect("reasons");
    Summary { accepted: output.status.success(), skipped, kinds: report["kinds"].clone() }
}

/// The Python of the pinned validators.
pub(crate) fn python(root: &Path) -> PathBuf {
    let environment = root.join("target/interop-venv");
    let pinned = std::fs::read(root.join("tests/interop/requirements.txt")).expect("requirements");
    let installed = std::fs::read(environment.join("requirements.txt")).ok();
    assert!(
        installed == Some(pinned),
        "the validators of the interoperability test are not installed, or others are pinned by \
         now: run scripts/setup.sh"
    );
    environment.join("bin/python")
}
