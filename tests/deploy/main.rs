//! What an installation is made of: the compose file against its schema and against the program,
//! the Dockerfile, and the very nginx.conf, run by nginx before a real `wavetank serve`.
mod compose;
mod image;
mod nginx;
#[path = "../e2e/support.rs"]
#[expect(dead_code, reason = "shared with the end-to-end tests, which need more of it")]
mod support;

use std::path::Path;

/// A file of the repository.
pub(crate) fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}
