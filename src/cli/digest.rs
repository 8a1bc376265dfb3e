//! `wavetank digest`: one hash over everything a world holds.
use crate::services::{ServiceOptions, Services};
use anyhow::Result;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    services: ServiceOptions,
    /// Print the rows and hash of every table too, to find where two worlds differ.
    #[arg(long)]
    tables: bool,
}

pub(super) async fn digest(options: Options) -> Result<ExitCode> {
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let digest = store::digest::world_digest(&services.pool, &services.objects).await;
    services.stop().await;
    let digest = digest?;
    let mut said = String::new();
    if options.tables {
        for table in &digest.tables {
            writeln!(said, "{}  {:>8}  {}", table.sha256, table.rows, table.name)?;
        }
        let objects = &digest.objects;
        writeln!(said, "{}  {:>8}  objects", objects.sha256, objects.count)?;
    }
    writeln!(said, "{}", digest.total)?;
    super::print(&said)
}
