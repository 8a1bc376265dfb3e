//! The worlds to validate: played and exported once for all tests of this binary.
use crate::support::{data_dir, figures, said, scenario, wavetank};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// So long a classroom discloses more than 25 CVEs with either seed: 50 OSV records in all.
const UNTIL: &str = "14d";
const SEEDS: [&str; 2] = ["3", "4"];

/// Exports, in the directory that cargo keeps for tests: there to look into after a failure.
pub(crate) struct Worlds {
    /// One a seed, with every version.
    pub(crate) whole: [PathBuf; 2],
    /// The first seed's, with the current versions only: small enough to copy often.
    pub(crate) current: PathBuf,
}

impl Worlds {
    pub(crate) fn made() -> &'static Worlds {
        static WORLDS: OnceLock<Worlds> = OnceLock::new();
        WORLDS.get_or_init(|| {
            let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
            let _ = std::fs::remove_dir_all(&place);
            let current = place.join("current");
            std::fs::create_dir_all(&place).expect("a directory");
            let whole = SEEDS.map(|seed| {
                let data = data_dir();
                let scenario = place.join(format!("classroom-{seed}.yaml"));
                std::fs::write(&scenario, untampered(seed)).expect("a scenario");
                let mut run = wavetank();
                run.arg("run").arg(&scenario).arg("--data-dir").arg(data.path());
                figures({
                    run.args(["--format", "json", "--seed", seed, "--until", UNTIL]);
                    run
                });
                if seed == SEEDS[0] {
                    export(data.path(), &current, &[]);
                }
                let whole = place.join(format!("seed-{seed}"));
                export(data.path(), &whole, &["--all-versions"]);
                whole
            });
            Worlds { whole, current }
        })
    }
}

/// The classroom without its attacker: every document is what it should be. The second world begins
/// within a second, although log entries have whole ones.
pub(crate) fn untampered(seed: &str) -> String {
    let text = std::fs::read_to_string(scenario("classroom")).expect("the classroom");
    let start = "start: 2026-01-05T00:00:00Z";
    assert!(text.contains(start), "the classroom begins at another instant");
    let later = if seed == SEEDS[1] { "start: 2026-01-05T00:00:00.500Z" } else { start };
    let text = text.replace(start, later);
    let attack = text.find("    tamper_attestation:").expect("an attack");
    let start = text[..attack].rfind("  - at:").expect("its instant");
    let end = attack + text[attack..].find('\n').expect("its end") + 1;
    format!("{}{}", &text[..start], &text[end..])
}

fn export(data: &Path, to: &Path, more: &[&str]) {
    let mut command = wavetank();
    command.arg("export").arg(to).arg("--data-dir").arg(data).args(more);
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?} failed:\n{}", said(&output));
}

/// A copy of an export that a test may change.
pub(crate) fn copied(export: &Path) -> TempDir {
    let copy = data_dir();
    let status = Command::new("cp").arg("-R").arg(export.join(".")).arg(copy.path()).status();
    assert!(status.expect("cp runs").success());
    copy
}
