//! Pages by key: a token says where the next page begins and of which instant it speaks, so that
//! turning pages neither skips nor repeats while the world runs.
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::View;
use crate::http::state::ApiState;
use crate::http::time::Instant;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::read::{Moment, TOTAL_BOUND};

/// The number of entries of a page when the caller does not say.
pub(crate) const DEFAULT_SIZE: u32 = 25;
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
const MAX_TOKEN_BYTES: usize = 1024;

/// How many entries a list has on all its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object)]
pub(crate) struct Total {
    /// How many, counted up to 200; where finding them is dear, up to 25 or the end of the page.
    pub(crate) count: i64,
    /// Whether that is all; otherwise there are more.
    pub(crate) exact: bool,
}

impl From<store::read::Total> for Total {
    fn from(store::read::Total { count, exact }: store::read::Total) -> Self {
        Total { count, exact }
    }
}

impl From<i64> for Total {
    /// From a count that went one beyond the bound, if there was more.
    fn from(counted: i64) -> Self {
        store::read::Total::bounded(counted, TOTAL_BOUND).into()
    }
}

/// A page that is being read.
pub(crate) struct Turn<K> {
    scope: Scope,
    /// The snapshot.
    pub(crate) view: View,
    /// What to ask the store about: pages after the first speak of an instant that may have passed.
    pub(crate) moment: Moment,
    /// The last entry of the page before.
    pub(crate) after: Option<K>,
    size: u32,
}

impl<K: Serialize + DeserializeOwned> Turn<K> {
    /// Begins a page of the list `name` with these filters.
    pub(crate) async fn begin(
        state: &ApiState,
        caller: &Caller,
        (name, filters): (&str, &impl Serialize),
        as_of: Option<Instant>,
        (page_size, page_token): (Option<u32>, Option<&str>),
    ) -> Result<Self, Problem> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new(name, &(filters, at_ms))?;
        let start = start::<K>(&scope, page_token)?;
        let view = page_view(state, caller, as_of, start.as_ref()).await?;
        let newest = view.moment.newest && start.is_none();
        let moment = Moment { newest, ..view.moment };
        let size = page_size.unwrap_or(DEFAULT_SIZE);
        Ok(Turn { scope, view, moment, after: start.map(|start| start.key), size })
    }

    /// How many rows to ask for: one more than the page holds.
    pub(crate) fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Cuts the rows to the page, and makes the token for the next one.
    pub(crate) fn end<T>(
        &self,
        rows: &mut Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<Option<String>, Problem> {
        let more = cut(rows, self.size);
        let last = rows.last().filter(|_| more).map(key);
        last.map(|key| token(&self.scope, self.view.moment, key)).transpose()
    }
}

/// A snapshot for a page: the pages after the first speak of the first one's instant.
pub(crate) async fn page_view<K>(
    state: &ApiState,
    caller: &Caller,
    as_of: Option<Instant>,
    start: Option<&Start<K>>,
) -> Result<View, Problem> {
    let Some(start) = start else { return state.view(caller, as_of).await };
    let mut view = state.view(caller, Some(start.as_of.into())).await?;
    // What has ended since then is seen as it was.
    view.moment.newest = start.newest && view.position.released_through == start.as_of;
    Ok(view)
}

/// An instant from a page token.
pub(crate) fn instant(ms: i64) -> Result<DateTime<Utc>, Problem> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| {
        Problem::new(Code::InvalidPageToken, "The page token is not one of this query.")
    })
}

/// The answer that is a page of a list.
macro_rules! page {
    ($(#[$doc:meta])* $name:ident of $item:ident) => {
        $(#[$doc])*
        #[derive(poem_openapi::Object)]
        #[oai(example, skip_serializing_if_is_none)]
        pub(crate) struct $name {
            /// The entries, in the order that the operation tells.
            items: Vec<$item>,
            /// How many there are on all pages.
            total: $crate::http::pages::Total,
            /// The simulated instant this speaks of.
            as_of: $crate::http::time::Instant,
            /// Whether this answer can never change again.
            settled: bool,
            /// For the next page; absent on the last.
            next_page_token: Option<String>,
        }

        impl $name {
            pub(crate) fn new(
                items: Vec<$item>,
                total: impl Into<$crate::http::pages::Total>,
                next_page_token: Option<String>,
                view: &$crate::http::snapshot::View,
            ) -> Self {
                let (as_of, settled) = (view.as_of(), view.settled());
                $name { items, total: total.into(), as_of, settled, next_page_token }
            }
        }

        impl poem_openapi::types::Example for $name {
            fn example() -> Self {
                $name {
                    items: vec![<$item as poem_openapi::types::Example>::example()],
                    total: 1.into(),
                    as_of: $crate::http::time::example(6),
                    settled: true,
                    next_page_token: None,
                }
            }
        }
    };
}
pub(crate) use page;

/// What a query asks for, apart from the page: a token fits only the query that it came from.
pub(crate) struct Scope(String);

impl Scope {
    /// The scope of an operation with its filters, in a fixed order.
    pub(crate) fn new(operation: &str, filters: &impl Serialize) -> Result<Self, Problem> {
        let filters = serde_json::to_string(filters).map_err(Problem::internal)?;
        Ok(Scope(format!("{operation}\n{filters}\n")))
    }

    fn check(&self, payload: &[u8]) -> [u8; CHECK_BYTES] {
        let hash = Sha256::new().chain_update(&self.0).chain_update(payload).finalize();
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&hash[..CHECK_BYTES]);
        check
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<K> {
    v: u8,
    at_ms: i64,
    newest: bool,
    key: K,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start<K> {
    /// The instant of the first page.
    pub(crate) as_of: DateTime<Utc>,
    /// Whether the first page showed the newest state.
    pub(crate) newest: bool,
    /// The last entry of the page before.
    pub(crate) key: K,
}

/// The token for the page after `key`.
pub(crate) fn token<K: Serialize>(
    scope: &Scope,
    moment: Moment,
    key: K,
) -> Result<String, Problem> {
    let at_ms = moment.as_of.timestamp_millis();
    let payload = Payload { v: VERSION, at_ms, newest: moment.newest, key };
    let payload = serde_json::to_vec(&payload).map_err(Problem::internal)?;
    let mut bytes = scope.check(&payload).to_vec();
    bytes.extend(payload);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a token that [`token`] made for the same scope.
pub(crate) fn start<K: DeserializeOwned>(
    scope: &Scope,
    token: Option<&str>,
) -> Result<Option<Start<K>>, Problem> {
    let Some(token) = token else { return Ok(None) };
    let wrong = || Problem::new(Code::InvalidPageToken, "The page token is not one of this query.");
    if token.len() > MAX_TOKEN_BYTES {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
    let (check, payload) = bytes.split_at_checked(CHECK_BYTES).ok_or_else(wrong)?;
    if check != scope.check(payload) {
        return Err(wrong());
    }
    let payload: Payload<K> = serde_json::from_slice(payload).map_err(|_| wrong())?;
    let as_of = DateTime::from_timestamp_millis(payload.at_ms).ok_or_else(wrong)?;
    if payload.v != VERSION {
        return Err(wrong());
    }
    Ok(Some(Start { as_of, newest: payload.newest, key: payload.key }))
}

/// Cuts off the one entry that was fetched beyond the page, and says whether there was one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, size: u32) -> bool {
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_fits_nothing_else() {
        let scope = Scope::new("images", &("ngi", None::<i64>)).unwrap();
        let as_of = DateTime::from_timestamp_millis(1_767_571_200_123).unwrap();
        let made = token(&scope, Moment { as_of, newest: true }, "nginx").unwrap();
        let read: Start<String> = start(&scope, Some(&made)).unwrap().unwrap();
        assert_eq!(read, Start { as_of, newest: true, key: "nginx".to_owned() });

        let other = Scope::new("images", &("ngx", None::<i64>)).unwrap();
        assert!(start::<String>(&other, Some(&made)).is_err());
        for place in 0..made.len() {
            let mut bytes = made.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let result = start::<String>(&scope, Some(&changed));
            assert_eq!(result.unwrap_err().code(), "invalid_page_token", "{changed}");
        }
        for token in ["", "A", "*", "\0", &made[1..], &"A".repeat(5000)] {
            assert!(start::<String>(&scope, Some(token)).is_err());
        }
    }
}
