//! `wavetank scenario`: mistakes found before playing, and the schema for editors.
use super::play::read_scenario;
use anyhow::Result;
use sim::World;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Read scenarios strictly and say what is in them, or what is wrong: file, line, column,
    /// field, and what was expected.
    Check {
        /// Scenario files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of scenarios. Editors use it to complete and to check; begin a file
    /// with `# yaml-language-server: $schema=scenario.schema.json`.
    Schema,
}

pub(super) fn scenario(command: Command) -> Result<ExitCode> {
    match command {
        Command::Check { files } => check(&files),
        Command::Schema => {
            super::print(&serde_json::to_string_pretty(&sim::scenario::schema::schema())?)
        }
    }
}

fn check(files: &[PathBuf]) -> Result<ExitCode> {
    let mut said = String::new();
    for file in files {
        let scenario = sim::scenario::parse(&file.display().to_string(), &read_scenario(file)?)?;
        let (days, seed) = (scenario.duration.duration(), scenario.seed);
        let start = scenario.start.time();
        let title = scenario.title.clone();
        let world = World::new(Arc::new(scenario), seed);
        let of = world.catalogue();
        writeln!(said, "{}: {title}", file.display())?;
        writeln!(
            said,
            "  {} images, {} packages, {} customers, {} policies; {days} from {start}",
            of.images.len(),
            of.packages.len(),
            of.customers.len(),
            of.policies.len(),
        )?;
    }
    super::print(&said)
}
