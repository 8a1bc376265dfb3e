//! The pages in a real Chromium, served by the real API on a real database.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
mod accessibility;
mod board;
mod driver;
mod explorer;
mod forecast;
mod hostile;
mod image;
mod live_status;
mod proxy;
mod sign_in;
mod static_files;
mod studies;
mod swagger_ui;
#[path = "../api"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of the API, which need more of it"
)]
mod api {
    pub(crate) mod support;
}

use api::support;
