//! Whether the key behind a token still holds. What is known of a key is a moment old at the most,
//! so its tokens and its streams end soon after it.
use crate::http::problem::{Code, Problem};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A revoked key's tokens hold this much longer, at the most.
const KNOWN_FOR: Duration = Duration::from_secs(2);
/// Keys that are kept in mind before those not seen lately are forgotten.
const REMEMBERED: usize = 10_000;

/// The keys that were found to hold, and when.
#[derive(Default)]
pub(crate) struct KnownKeys(Mutex<HashMap<String, Instant>>);

impl KnownKeys {
    /// Whether the key was found to hold a moment ago.
    pub(crate) fn lately(&self, key_id: &str) -> bool {
        let now = Instant::now();
        let lately = |seen: &Instant| now.duration_since(*seen) < KNOWN_FOR;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(key_id).is_some_and(lately) {
            return true;
        }
        if known.len() > REMEMBERED {
            known.retain(|_, seen| lately(seen));
        }
        false
    }

    /// Keeps in mind that the key holds, as of `looked`: when the question was asked.
    pub(crate) fn holds(&self, key_id: &str, looked: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key_id.to_owned(), looked);
    }
}

/// The problem of a token whose key has ended.
pub(crate) fn ended() -> Problem {
    let detail = "The key of this token has been revoked or has ended.";
    Problem::new(Code::Unauthenticated, detail)
}
