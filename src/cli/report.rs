//! What `run` prints at its end, for people and for machines.
use anyhow::Result;
use jobs::conductor::{Phase, PhaseTimes};
use serde_json::{Value, json};
use sim::time::SimDuration;
use std::fmt::Write;
use std::time::Duration;
use store::digest::WorldDigest;
use store::read::summary::{Summary, Table, total};

/// How the figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// The figures of a finished run.
pub(super) struct Report {
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) simulated: SimDuration,
    pub(super) wall: Duration,
    pub(super) start_wall: Duration,
    pub(super) digest_wall: Duration,
    pub(super) phase_times: PhaseTimes,
    pub(super) summary: Summary,
    pub(super) digest: WorldDigest,
}

impl Report {
    pub(super) fn write(&self, format: Format) -> Result<String> {
        match format {
            Format::Text => self.text(),
            Format::Json => Ok(serde_json::to_string_pretty(&self.json())?),
        }
    }

    fn phases(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let conducted = Phase::all()
            .map(move |phase| (phase.as_str(), self.phase_times.of(phase).as_secs_f64()));
        [("start", self.start_wall.as_secs_f64())]
            .into_iter()
            .chain(conducted)
            .chain([("digest", self.digest_wall.as_secs_f64())])
    }

    fn ratio(&self) -> f64 {
        self.simulated.0 as f64 / 1000.0 / self.wall.as_secs_f64().max(1e-9)
    }

    fn json(&self) -> Value {
        let seconds = |value: f64| (value * 1000.0).round() / 1000.0;
        let phases: serde_json::Map<String, Value> =
            self.phases().map(|(name, wall)| (name.to_owned(), json!(seconds(wall)))).collect();
        json!({
            "scenario": self.name,
            // A number of 64 bits: many readers of JSON lose what is above 2^53.
            "seed": self.seed.to_string(),
            "digest": self.digest.total,
            "wall_seconds": seconds(self.wall.as_secs_f64()),
            "simulated_seconds": self.simulated.0 / 1000,
            "simulated_over_wall": self.ratio().round(),
            "phases_seconds": phases,
            "events": self.summary.events,
            "builds": total(&self.summary.builds),
            "builds_by_trigger": self.summary.builds,
            "findings": total(&self.summary.findings),
            "findings_by_severity": self.summary.findings,
            "violations": total(&self.summary.violations),
            "violations_by_clock": self.summary.violations,
            "advisories": self.summary.advisories,
            "notifications": self.summary.notifications,
            "artifacts": self.summary.artifacts,
            "bytes": self.summary.bytes,
            "objects": self.digest.objects.count,
        })
    }

    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{} with seed {}: {}", self.name, self.seed, self.simulated)?;
        table(&mut out, "builds by trigger and outcome", &self.summary.builds)?;
        table(&mut out, "findings by severity and state", &self.summary.findings)?;
        table(&mut out, "violations by clock and severity", &self.summary.violations)?;
        writeln!(
            out,
            "\n{} facts, {} artifacts in {} objects, {:.1} MB",
            self.summary.events,
            self.summary.artifacts,
            self.digest.objects.count,
            self.summary.bytes as f64 / 1e6
        )?;
        writeln!(out, "\nwall time by phase (phases overlap), s")?;
        for (name, wall) in self.phases() {
            writeln!(out, "  {name:<10} {wall:>8.3}")?;
        }
        writeln!(
            out,
            "  {:<10} {:>8.3}   {:.0} simulated seconds a second",
            "in all",
            self.wall.as_secs_f64(),
            self.ratio()
        )?;
        writeln!(out, "\ndigest {}", self.digest.total)?;
        Ok(out)
    }
}

fn table(out: &mut String, title: &str, table: &Table) -> Result<()> {
    writeln!(out, "\n{title}: {}", total(table))?;
    for (row, cells) in table {
        let cells: Vec<String> =
            cells.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(out, "  {row:<12} {}", cells.join(", "))?;
    }
    Ok(())
}
