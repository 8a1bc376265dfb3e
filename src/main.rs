//! The `wavetank` program.
use std::process::ExitCode;

fn main() -> ExitCode {
    wavetank::cli::main()
}
