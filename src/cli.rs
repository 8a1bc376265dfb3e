//! The command line: what `wavetank` can be told to do.
mod api_key;
mod api_options;
mod conduct;
mod demo;
mod digest;
mod drill;
mod evidence;
mod forecast;
mod keep_options;
mod metrics;
mod play;
mod probe;
mod progress;
mod repair;
mod report;
mod run;
mod say;
mod scenario;
mod serve;
mod signing;
mod study;
mod worker;

use crate::services::Services;
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use say::say;
use std::io::Write;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A wave tank for container supply chains: weeks of builds, SBOMs, signatures, CVEs and SLAs in
/// seconds, reproducible from a scenario and a seed.
#[derive(Parser, Debug)]
#[command(
    name = "wavetank",
    version = version(),
    after_help = "First steps:\n  \
        wavetank demo                                   a living world with an API to explore\n  \
        wavetank run scenarios/classroom.yaml           play a week, print what happened\n  \
        wavetank scenario check my-scenario.yaml        find mistakes before playing\n  \
        wavetank study studies/how-many-builders.yaml   ask what can be promised\n\n\
        Without DATABASE_URL and S3_ENDPOINT, a private PostgreSQL and an S3 store are started\n\
        in the data directory: nothing else needs to be set up. Set WAVETANK_LOG=debug to see more."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Load the four-weeks scenario, fast-forward through it, and stay live with the API open.
    Demo(demo::Options),
    /// Play a scenario to its end, print what happened and the digest, and exit.
    Run(run::Options),
    /// Play variants of a scenario many times, and answer what can be promised with what certainty.
    Study(study::Options),
    /// Play a mass event of a scenario and score how it was handled.
    Drill(drill::Options),
    /// Look ahead from the world of a database: what will be missed, with which probability.
    Forecast(forecast::Options),
    /// Serve the API of the world in a database; others conduct and work.
    Serve(serve::Options),
    /// Work on the jobs of the world in a database; start as many as you like.
    Worker(worker::Options),
    /// Conduct a world: advance its clock and release its jobs. Others stand by and take over.
    Conduct(conduct::Options),
    /// Bring the database schema up to date and exit.
    Migrate(serve::MigrateOptions),
    /// Print the digest of a world: one hash over all its rows and objects.
    Digest(digest::Options),
    /// Verify an image, a world, a log, or an export: every digest, signature, proof and level.
    Verify(evidence::VerifyOptions),
    /// Make lost and damaged documents of a world again.
    Repair(repair::Options),
    /// Write a world's documents, keys and logs to a directory, with the answer key.
    Export(evidence::ExportOptions),
    /// Make, list or revoke the keys with which people and programs use the API.
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Print the public keys of a world.
    Keys(evidence::KeysOptions),
    /// Start the embedded services alone and lend them to other processes.
    Services(serve::LendOptions),
    /// Ask an address for its health, and exit with success if it is well.
    Probe(probe::Options),
    /// Check a scenario, or print the JSON Schema of scenarios.
    #[command(subcommand)]
    Scenario(scenario::Command),
    /// Print the OpenAPI specification of the API.
    Openapi,
}

/// How long a process may take to stop once it is asked to.
const STOP_LIMIT: Duration = Duration::from_millis(4_500);
/// The exit code of what was interrupted.
const INTERRUPTED: i32 = 130;
/// How long the end waits for computations that nobody needs any more.
const END_WAIT: Duration = Duration::from_millis(100);

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let code = runtime.context("cannot start the runtime").and_then(|runtime| {
        let code = runtime.block_on(told(cli.command));
        runtime.shutdown_timeout(END_WAIT);
        code
    });
    match code {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs a command, with its logs and traces.
async fn told(command: Command) -> Result<ExitCode> {
    let telemetry = telemetry::traces::init()?;
    let code = dispatch(command).await;
    // Waits for the runtime to send the last spans, so not on it.
    let _ = tokio::task::spawn_blocking(|| telemetry.end()).await;
    code
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(options) => demo::demo(options).await,
        Command::Run(options) => run::run(options).await,
        Command::Study(options) => study::study(options).await,
        Command::Drill(options) => drill::run(options).await,
        Command::Forecast(options) => forecast::run(options).await,
        Command::Serve(options) => serve::serve(options).await,
        Command::Worker(options) => worker::worker(options).await,
        Command::Conduct(options) => conduct::conduct(options).await,
        Command::Migrate(options) => serve::migrate(options).await,
        Command::Digest(options) => digest::digest(options).await,
        Command::Verify(options) => evidence::verify(options).await,
        Command::Repair(options) => repair::repair(options).await,
        Command::Export(options) => evidence::export(options).await,
        Command::ApiKey(command) => api_key::api_key(command).await,
        Command::Keys(options) => evidence::keys(options).await,
        Command::Services(options) => serve::lend(options).await,
        Command::Probe(options) => probe::probe(options).await,
        Command::Scenario(command) => scenario::scenario(command),
        Command::Openapi => print(&api::openapi_json()),
    }
}

/// The release, and the version of the kernel: which worlds it can go on with.
fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| format!("{} (kernel {})", env!("CARGO_PKG_VERSION"), sim::KERNEL_VERSION));
    &VERSION
}

/// Prints one clear message: what happened, why, and what helps.
fn tell(error: &anyhow::Error) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "error: {}", message(error));
}

/// Says plainly that the world of the database stands still, if it does, because another version of
/// the kernel made it; returns whether it does. It can be read all the same.
async fn warn_of_kernel_mismatch(services: &Services) -> Result<bool> {
    let mut conn = services.pool.acquire().await?;
    match store::world::assert_kernel(&mut conn).await {
        Ok(()) => Ok(false),
        Err(error @ store::error::Error::KernelMismatch { .. }) => {
            say!("warning: {}", message(&error.into()));
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !message.contains(text.trim()) {
            if !message.is_empty() {
                message.push_str(": ");
            }
            message.push_str(text.trim());
        }
    }
    message.replace(" hint: ", "\nhint: ")
}

/// Prints to standard output; a reader that has gone away is no error.
fn print(text: &str) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Cancelled by the first interrupt or termination signal, and when nobody reads any more what is
/// said; the second signal ends the process at once. So does a stop that takes too long, with the code
/// that the command would have ended with.
fn shutdown_on_signal(code: i32) -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = signal() => {}
            () = say::UNREAD.cancelled() => {}
        }
        cancelled.cancel();
        // Like a kill, from which every process recovers.
        if tokio::time::timeout(STOP_LIMIT, signal()).await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
        say!("stopped in the middle of something; all that was committed is whole");
        std::process::exit(code);
    });
    token
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
