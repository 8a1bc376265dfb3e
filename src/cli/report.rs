//! What `run` prints at its end, for people and for machines.
use anyhow::Result;
use jobs::conductor::{Phase, PhaseTimes};
use serde_json::{Value, json};
use sim::time::{SimDuration, SimTime};
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

/// How many mass events are named one by one.
const SHOWN_MASS_EVENTS: usize = 5;

/// The figures of a finished run.
pub(super) struct Report {
    pub(super) name: String,
    pub(super) seed: u64,
    /// From when on service levels are counted.
    pub(super) from: SimTime,
    pub(super) until: SimTime,
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
            "violations": self.breached(),
            "sla": {
                "from": self.from.to_string(),
                "until": self.until.to_string(),
                "evaluated_at": self.evaluated(),
                "timers": self.summary.sla.timers,
                "exposure_days": self.summary.sla.exposure_days,
                "mass_events": self.summary.sla.mass_events_total,
            },
            "advisories": self.summary.advisories,
            "notifications": self.summary.notifications,
            "artifacts": self.summary.artifacts,
            "bytes": self.summary.bytes,
            "objects": self.digest.objects.count,
            "history_from": self.summary.history_from,
        })
    }

    /// Promises broken by the end.
    fn breached(&self) -> i64 {
        self.summary.sla.timers.iter().map(|timers| timers.breached).sum()
    }

    /// The last evaluation.
    fn evaluated(&self) -> Option<String> {
        self.summary.sla.evaluated_at.map(|at| SimTime::from_datetime(at).to_string())
    }

    /// Counts and their denominators, and what they do not say: how long anybody was exposed.
    fn service_levels(&self, out: &mut String) -> Result<()> {
        let sla = &self.summary.sla;
        let evaluated = self.evaluated().unwrap_or_else(|| "never".to_owned());
        writeln!(
            out,
            "\nservice levels from {} to {} (last evaluated: {evaluated}): {} missed",
            self.from,
            self.until,
            self.breached()
        )?;
        for timers in &sla.timers {
            let decided = timers.kept + timers.breached;
            let rest = [
                ("running", timers.running),
                ("waiting for a fix", timers.paused),
                ("excluded", timers.excluded),
                ("not decided", timers.undecided),
                ("ended before their clock ran", timers.never_ran),
            ];
            let rest: Vec<String> = rest
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(|(what, count)| format!("{count} {what}"))
                .collect();
            let rest =
                if rest.is_empty() { String::new() } else { format!("; {}", rest.join(", ")) };
            writeln!(
                out,
                "  {:<9} {:<9} {} of {decided} missed{rest}",
                timers.clock, timers.severity, timers.breached
            )?;
        }
        if !sla.exposure_days.is_empty() {
            let days = sla.exposure_days.iter();
            let days: Vec<String> =
                days.map(|of| format!("{} {:.1}", of.severity, of.days)).collect();
            writeln!(out, "  exposure-days of customers: {}", days.join(", "))?;
        }
        for event in sla.mass_events.iter().take(SHOWN_MASS_EVENTS) {
            let hit = event.images_hit.zip(event.images);
            let hit = hit.map_or(String::new(), |(hit, of)| format!(" ({hit} of {of} images)"));
            let (cve, timers, policy) = (&event.cve, event.timers, &event.policy);
            writeln!(out, "  mass event {cve}{hit}: {timers} timers of {policy} excluded")?;
        }
        if let more @ 1.. = sla.mass_events_total - SHOWN_MASS_EVENTS as i64 {
            writeln!(out, "  and {more} more mass events")?;
        }
        Ok(())
    }

    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{} with seed {}: {}", self.name, self.seed, self.simulated)?;
        if let Some(from) = self.summary.history_from {
            writeln!(out, "what follows is counted from {from} on: older history is not kept")?;
        }
        table(&mut out, "builds by trigger and outcome", &self.summary.builds)?;
        table(&mut out, "findings by severity and state", &self.summary.findings)?;
        self.service_levels(&mut out)?;
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
