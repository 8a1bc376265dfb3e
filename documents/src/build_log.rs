//! The log of a build, as an orchestrator would have written it.

use std::fmt::Write as _;

use crate::contents::ImageContents;
use crate::digest::Digest;
use crate::timestamp::Timestamp;
use crate::trigger::Trigger;

/// The steps of an attempt, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Choose package versions.
    Resolve,
    /// Fetch the package files.
    Fetch,
    /// Write the layer, configuration and manifest.
    Assemble,
    /// Start the image and test it.
    Test,
    /// Push it.
    Publish,
}

impl Step {
    /// All steps in order, each with the share of an attempt's duration (percent) after which it
    /// begins. A display convention: the world decides only when an attempt starts and ends.
    pub const PLAN: [(Self, i64); 5] = [
        (Self::Resolve, 0),
        (Self::Fetch, 6),
        (Self::Assemble, 34),
        (Self::Test, 58),
        (Self::Publish, 94),
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Fetch => "fetch",
            Self::Assemble => "assemble",
            Self::Test => "test",
            Self::Publish => "publish",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// All steps ran.
    Succeeded,
    /// A step failed for a passing reason; another attempt may follow.
    Flaked {
        /// The step.
        step: Step,
        /// The reason, one line.
        reason: String,
    },
    /// A step failed for a reason that another attempt would meet again.
    Broken {
        /// The step.
        step: Step,
        /// The reason, one line.
        reason: String,
    },
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The builder that ran it.
    pub builder: String,
    /// When it began, simulated.
    pub started: Timestamp,
    /// When it ended, simulated.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// How the build ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildResult {
    /// A new image was published.
    Published {
        /// Its digest.
        digest: Digest,
    },
    /// The contents were those of the published image, so nothing was published.
    Unchanged {
        /// The version that stays.
        version: u32,
    },
    /// A build that began later has already published, so nothing was published.
    Superseded {
        /// The version that is newer than this build's contents.
        version: u32,
    },
    /// No image.
    Failed {
        /// Why, one line.
        reason: String,
    },
}

/// All that a build's log says.
#[derive(Clone, Copy, Debug)]
pub struct BuildLog<'a> {
    /// The build's identity.
    pub build_id: &'a str,
    /// Repository of the image.
    pub repository: &'a str,
    /// Version stream or tag.
    pub version: &'a str,
    /// Why it ran.
    pub trigger: &'a Trigger,
    /// When it was asked for, simulated.
    pub requested: Timestamp,
    /// How many attempts came before those listed, each ended by a flake.
    pub earlier_attempts: usize,
    /// The attempts in order; none for a build that ended in the queue.
    pub attempts: &'a [Attempt],
    /// What was resolved, if it came that far.
    pub contents: Option<&'a ImageContents>,
    /// How it ended.
    pub result: &'a BuildResult,
    /// When it ended, simulated.
    pub finished: Timestamp,
}

/// Renders the log: UTF-8 lines of instant, level and message. Control characters in names and
/// reasons become spaces, so that no value can forge a line.
pub fn render(log: &BuildLog<'_>) -> String {
    let mut lines = Lines { text: String::with_capacity(4096) };
    lines.info(log.requested, format_args!("build {} requested: {}", log.build_id, log.trigger));
    lines.info(log.requested, format_args!("image {}:{}", log.repository, log.version));
    for (index, attempt) in log.attempts.iter().enumerate() {
        attempt_lines(&mut lines, log, log.earlier_attempts + index + 1, attempt);
    }
    let at = log.finished;
    match log.result {
        BuildResult::Published { digest } => {
            lines.info(at, format_args!("published {}@{digest}", log.repository));
            lines.info(at, format_args!("build {} completed", log.build_id));
        }
        BuildResult::Unchanged { version } => {
            let message = format_args!("contents unchanged: version {version} stays");
            lines.info(at, message);
            lines.info(at, format_args!("build {} unchanged", log.build_id));
        }
        BuildResult::Superseded { version } => {
            let message = format_args!("version {version} has newer contents: nothing to publish");
            lines.info(at, message);
            lines.info(at, format_args!("build {} superseded", log.build_id));
        }
        BuildResult::Failed { reason } => {
            lines.write(at, "ERROR", format_args!("build {} failed: {reason}", log.build_id));
        }
    }
    lines.text
}

fn attempt_lines(lines: &mut Lines, log: &BuildLog<'_>, number: usize, attempt: &Attempt) {
    let duration_ms = (attempt.finished.ms() - attempt.started.ms()).max(0);
    let waited_ms = (attempt.started.ms() - log.requested.ms()).max(0);
    lines.info(
        attempt.started,
        format_args!(
            "attempt {number} on {} after {}.{:03} s in the queue",
            attempt.builder,
            waited_ms / 1000,
            waited_ms % 1000
        ),
    );
    let (failed, level, word, reason) = match &attempt.outcome {
        AttemptOutcome::Succeeded => (None, "INFO", "", ""),
        AttemptOutcome::Flaked { step, reason } => (Some(*step), "WARN", "flaked", reason.as_str()),
        AttemptOutcome::Broken { step, reason } => (Some(*step), "ERROR", "broke", reason.as_str()),
    };
    for (step, share) in Step::PLAN {
        // In 128 bits, so that no duration overflows; a share of it fits again.
        let offset_ms = i128::from(duration_ms) * i128::from(share) / 100;
        let offset_ms = i64::try_from(offset_ms).unwrap_or(duration_ms);
        let at = Timestamp::from_ms(attempt.started.ms() + offset_ms).unwrap_or(attempt.started);
        if step == Step::Publish && nothing_new(log.result) {
            break;
        }
        step_lines(lines, log, at, step);
        if failed == Some(step) {
            let name = step.as_str();
            let message = format_args!("{name}: attempt {number} {word}: {reason}");
            lines.write(attempt.finished, level, message);
            return;
        }
    }
    lines.info(attempt.finished, format_args!("attempt {number} succeeded"));
}

fn nothing_new(result: &BuildResult) -> bool {
    matches!(result, BuildResult::Unchanged { .. } | BuildResult::Superseded { .. })
}

fn step_lines(lines: &mut Lines, log: &BuildLog<'_>, at: Timestamp, step: Step) {
    let name = step.as_str();
    let Some(contents) = log.contents else {
        lines.info(at, format_args!("{name}: started"));
        return;
    };
    let components = &contents.components;
    match step {
        Step::Resolve => {
            if let Some(base) = &contents.base {
                lines.info(at, format_args!("{name}: base {}@{}", base.name, base.digest));
            }
            let own = components.iter().filter(|component| !component.from_base).count();
            let from_base = components.len() - own;
            let message = format_args!("{name}: {own} packages, {from_base} more from the base");
            lines.info(at, message);
        }
        Step::Fetch => {
            for part in components.iter().filter(|component| !component.from_base) {
                let (file, bytes) =
                    (format!("{}-{}.apk", part.name, part.version), part.size_bytes);
                let digest = &part.checksum.hex()[..16];
                lines.info(at, format_args!("{name}: {file} {bytes} bytes sha256 {digest}"));
            }
        }
        Step::Assemble => lines.info(
            at,
            format_args!(
                "{name}: 1 layer, {} packages, {}",
                components.len(),
                contents.architecture
            ),
        ),
        Step::Test => lines.info(at, format_args!("{name}: starting the image")),
        Step::Publish => lines.info(at, format_args!("{name}: pushing to {}", log.repository)),
    }
}

struct Lines {
    text: String,
}

impl Lines {
    fn info(&mut self, at: Timestamp, message: std::fmt::Arguments<'_>) {
        self.write(at, "INFO", message);
    }

    fn write(&mut self, at: Timestamp, level: &str, message: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{} {level:<5} ", at.to_millis_text());
        let start = self.text.len();
        let _ = self.text.write_fmt(message);
        if self.text[start..].contains(char::is_control) {
            let clean = self.text.split_off(start).replace(char::is_control, " ");
            self.text.push_str(&clean);
        }
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests;
