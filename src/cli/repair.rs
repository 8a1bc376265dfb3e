//! `wavetank repair`: documents that the object store has lost or damaged are made again.
use super::report::Format;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::Result;
use jobs::job::JobContext;
use jobs::repair::Repair;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Documents are functions of facts and rows, so the same bytes come out again. \
    No row is changed, no\nwhole object is written, and what was made is read again.\n\n\
    It may run while the world goes on (with DATABASE_URL and S3_ENDPOINT), but for the tiles and\n\
    checkpoints of the logs: those wait until no conductor leads. A world of another version of the\n\
    kernel gets back what follows from rows: bundles, the documents that bundles state, and the logs;\n\
    not layers, configurations, manifests and logs of builds.\n\n\
    Exits with 0 if everything is whole in the end and with 1 if something is still missing."
)]
pub(super) struct Options {
    /// How to print what was done.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
}

pub(super) async fn repair(options: Options) -> Result<ExitCode> {
    let keys = options.signing.keyring()?;
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let ctx = JobContext {
        pool: services.worker_pool.clone(),
        objects: services.objects.clone(),
        caches: Arc::default(),
        keys,
    };
    let repaired = jobs::repair::repair(&ctx).await;
    drop(ctx);
    services.stop().await;
    let repaired = repaired?;
    let told = match options.format {
        Format::Json => serde_json::to_string_pretty(&repaired)?,
        Format::Text => text(&repaired),
    };
    super::print(&told)?;
    Ok(if repaired.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(repaired: &Repair) -> String {
    let mut text = String::new();
    for key in &repaired.made {
        let _ = writeln!(text, "made again: {key}");
    }
    for left in &repaired.left {
        let _ = writeln!(text, "LEFT {}: {} ({})", left.key, left.reason, left.named_by.join("; "));
    }
    for note in &repaired.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let (objects, made, left) = (repaired.objects, repaired.made.len(), repaired.left.len());
    let _ = writeln!(text, "{objects} objects read, {made} made again, {left} still damaged");
    text
}
