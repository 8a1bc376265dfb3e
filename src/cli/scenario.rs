//! `wavetank scenario`: mistakes found before playing, and the schema for editors.
mod text;

use super::play::read_scenario;
use super::report::Format;
use super::say::say;
use anyhow::Result;
use serde_json::{Value, json};
use sim::scenario::review::Review;
use sim::scenario::{FileError, Refusal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Read scenarios strictly. Say all that is wrong: file, line, column, field, what was expected,
    /// and what may help. Of one that is right, say when its schedules fire, how busy its builders
    /// are, what its policies promise, and what in it cannot work.
    Check {
        /// Scenario files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// How to say it: json is a list with one object a file.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print the JSON Schema of scenarios. Editors use it to complete and to check; begin a file
    /// with `# yaml-language-server: $schema=scenario.schema.json`.
    Schema,
}

pub(super) fn scenario(command: Command) -> Result<ExitCode> {
    match command {
        Command::Check { files, format } => check(&files, format),
        Command::Schema => {
            super::print(&serde_json::to_string_pretty(&sim::scenario::schema::schema())?)
        }
    }
}

/// What is said of one file.
enum Said {
    Right(Box<Review>),
    Wrong(FileError),
    Unreadable(anyhow::Error),
}

fn check(files: &[PathBuf], format: Format) -> Result<ExitCode> {
    let said: Vec<(&Path, Said)> = files.iter().map(|file| (&**file, read(file))).collect();
    match format {
        Format::Json => {
            let all: Vec<Value> = said.iter().map(|(file, said)| as_json(file, said)).collect();
            super::print(&serde_json::to_string_pretty(&all)?)?;
        }
        Format::Text => {
            let mut right = String::new();
            for (file, said) in &said {
                match said {
                    Said::Right(review) => text::write(&mut right, file, review)?,
                    Said::Wrong(error) => say!("error: {error}"),
                    Said::Unreadable(error) => super::tell(error),
                }
            }
            super::print(&right)?;
        }
    }
    let all_right = said.iter().all(|(_, said)| matches!(said, Said::Right(_)));
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Said {
    match read_scenario(file) {
        Err(error) => Said::Unreadable(error),
        Ok(text) => match sim::scenario::parse(&file.display().to_string(), &text) {
            Ok(scenario) => Said::Right(Box::new(Review::of(&scenario))),
            Err(error) => Said::Wrong(error),
        },
    }
}

fn as_json(file: &Path, said: &Said) -> Value {
    let file = file.display().to_string();
    match said {
        Said::Right(review) => json!({ "file": file, "valid": true, "review": review }),
        Said::Wrong(error) => {
            let errors: Vec<Value> = error.all().map(refusal).collect();
            json!({ "file": file, "valid": false, "errors": errors, "more": error.is_cut() })
        }
        Said::Unreadable(error) => {
            let errors = [json!({ "problem": format!("{error:#}") })];
            json!({ "file": file, "valid": false, "errors": errors, "more": false })
        }
    }
}

fn refusal(refusal: &Refusal) -> Value {
    json!({
        "line": refusal.line(),
        "column": refusal.column(),
        "field": refusal.field(),
        "problem": refusal.problem(),
        "hint": refusal.hint(),
    })
}
