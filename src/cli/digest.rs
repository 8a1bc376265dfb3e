//! `wavetank digest`: one hash over everything a world holds.
use crate::services::{ServiceOptions, Services};
use anyhow::Result;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use store::digest::{Depth, world_digest_of};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "The quick digest covers every row of simulated history, and the key and size \
    of every object. It\ndoes not see a change within an object that keeps its size: --deep reads all \
    objects, and is\nanother number. Neither compares rows with objects, or checks a signature: that is \
    `wavetank verify`.\nNothing of an installation counts: not its addresses, bucket, roles, time \
    zones or locale."
)]
pub(super) struct Options {
    #[command(flatten)]
    services: ServiceOptions,
    /// Print the rows and hash of every table too, to find where two worlds differ.
    #[arg(long)]
    tables: bool,
    /// Read every object too. One that is not what its key promises is an error that names it.
    #[arg(long)]
    deep: bool,
}

pub(super) async fn digest(options: Options) -> Result<ExitCode> {
    let depth = if options.deep { Depth::Contents } else { Depth::Listing };
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let digest = world_digest_of(&services.pool, &services.objects, depth).await;
    services.stop().await;
    let digest = digest?;
    let mut said = String::new();
    if options.tables {
        for table in &digest.tables {
            writeln!(said, "{}  {:>8}  {}", table.sha256, table.rows, table.name)?;
        }
        let objects = &digest.objects;
        writeln!(said, "{}  {:>8}  objects", objects.sha256, objects.count)?;
        if let Some(contents) = &objects.contents_sha256 {
            writeln!(said, "{contents}  {:>8}  contents of objects", objects.count)?;
        }
    }
    writeln!(said, "{}", digest.total)?;
    super::print(&said)
}
