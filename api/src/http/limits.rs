//! How much of anything one request may use.
use crate::http::problem::{Code, Problem, from_poem};
use poem::Request;
use poem::http::Method;
use std::num::NonZeroU32;
use std::time::Duration;

/// The limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body that is read, whatever the client declares.
    pub body_bytes: usize,
    /// The same where a signature takes the place of a token: forges tell more than people.
    pub signed_body_bytes: usize,
    /// The longest time until the answer begins.
    pub handler_time: Duration,
    /// How long a request waits for its turn where one answer is worked out at a time.
    pub compute_wait: Duration,
    /// The longest time that such an answer may be worked out; with the wait less than `handler_time`.
    pub compute_time: Duration,
    /// The requests of one API key that are served in a second; four times as many at once.
    pub requests_per_second: NonZeroU32,
    /// The same for one address, where no key is needed but something is checked or written.
    pub anonymous_per_second: NonZeroU32,
    /// The streams of events that are open at the same time, of all keys together.
    pub streams: usize,
    /// The same of one key.
    pub streams_of_one_key: usize,
}

const fn rate(per_second: u32) -> NonZeroU32 {
    match NonZeroU32::new(per_second) {
        Some(rate) => rate,
        None => NonZeroU32::MIN,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 64 * 1024,
            signed_body_bytes: 1024 * 1024,
            handler_time: Duration::from_secs(30),
            compute_wait: Duration::from_secs(5),
            compute_time: Duration::from_secs(20),
            requests_per_second: rate(200),
            anonymous_per_second: rate(10),
            streams: 128,
            streams_of_one_key: 16,
        }
    }
}

/// Reads the body, at most as much of it as allowed, and puts it back.
pub(crate) async fn bound_body(request: &mut Request, limits: &Limits) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS) {
        return Ok(());
    }
    let too_large = || {
        let limit_bytes = limits.body_bytes;
        Problem::new(Code::BodyTooLarge, format!("The body is longer than {limit_bytes} bytes."))
    };
    let declared = request.header("Content-Length").and_then(|text| text.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > limits.body_bytes as u64) {
        return Err(too_large());
    }
    match request.take_body().into_bytes_limit(limits.body_bytes).await {
        Ok(bytes) => {
            request.set_body(bytes);
            Ok(())
        }
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(too_large()),
        Err(error) => Err(from_poem(error.into())),
    }
}
