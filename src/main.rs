//! The `wavetank` program.
use std::process::ExitCode;

/// An answer of the API is made of thousands of small strings; with the system's allocator they cost
/// a third of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wavetank::cli::main()
}
