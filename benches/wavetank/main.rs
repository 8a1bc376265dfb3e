//! `make bench`: figures as ratios to a floor or a peer that is measured in the same run.
//!
//! Nothing here is asserted: speed depends on the machine. Name parts to run only those:
//! `make bench PARTS="kernel live"`. The part `api` plays a quarter of a year first, so it runs only
//! when it is named.
mod api;
mod client;
mod documents;
mod kernel;
mod live;
mod objects;
mod study;
mod whole;

use std::path::{Path, PathBuf};

fn main() {
    let asked: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|name| name == part);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores");
    if wanted("kernel") {
        kernel::queue();
        kernel::enterprise();
    }
    if wanted("study") {
        study::replications();
    }
    if wanted("documents") {
        documents::cost();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if wanted("whole") {
        runtime.block_on(whole::four_weeks());
    }
    if wanted("live") {
        runtime.block_on(live::latencies());
    }
    if wanted("objects") {
        runtime.block_on(objects::puts());
    }
    if asked.iter().any(|name| name == "api") {
        runtime.block_on(api::rates());
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory that the embedded PostgreSQL may enter when it drops root's rights.
fn directory(name: &str) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix(name).tempdir().expect("a directory");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).expect("rights");
    dir
}

fn scenario(name: &str) -> PathBuf {
    repository().join(format!("scenarios/{name}.yaml"))
}
