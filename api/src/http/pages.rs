//! Pages by key: a token says where the next page begins and of which instant it speaks, so that
//! turning pages neither skips nor repeats while the world runs.
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem};
use crate::http::query::{AsOf, Given, NO_RULE, Parameter, Rule, parameter, range, schema_of};
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use crate::http::time::Instant;
use crate::http::world_id::WorldId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::read::{Moment, TOTAL_BOUND};

const PAGE_SIZE: &str = "page_size";
const PAGE_TOKEN: &str = "page_token";
const SIZE_RULE: Rule = range(1, 200);
/// The number of entries of a page when the caller does not say.
const DEFAULT_SIZE: u32 = 25;
const VERSION: u8 = 2;
const CHECK_BYTES: usize = 8;
const MAX_TOKEN_BYTES: usize = 1024;

/// How many entries a list has on all its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object)]
pub(crate) struct Total {
    /// How many, counted up to 200; where finding them is expensive, up to 25 or the end of the page.
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

/// Which page of a list. With `PINNED` the list is about an instant, and later pages speak of that of
/// the first; otherwise each page speaks of now.
#[derive(Clone, Debug)]
pub(crate) struct PageOf<const PINNED: bool> {
    as_of: Option<Instant>,
    size: u32,
    token: Option<String>,
    scope: Scope,
    /// Whether the entries are of one world, and go with it.
    of_world: bool,
}

/// Which page of a list about an instant.
pub(crate) type PageQuery = PageOf<true>;

/// Which page of a list that always speaks of now.
pub(crate) type CurrentPageQuery = PageOf<false>;

impl<const PINNED: bool> PageOf<PINNED> {
    /// The instant that was asked about.
    pub(crate) fn as_of(&self) -> Option<Instant> {
        self.as_of
    }

    /// The same of a list whose entries are of one world, and go with it.
    pub(crate) fn of_world(self) -> Self {
        PageOf { of_world: true, ..self }
    }

    fn of(request: &Request) -> Result<Self, Problem> {
        let given = Given::of(request)?;
        let AsOf(as_of) = if PINNED { AsOf::given(&given)? } else { AsOf(None) };
        let size = given.read::<Option<u32>>(PAGE_SIZE, &SIZE_RULE)?;
        Ok(PageOf {
            as_of,
            size: size.unwrap_or(DEFAULT_SIZE),
            token: given.read(PAGE_TOKEN, &NO_RULE)?,
            scope: Scope::new(request.uri().path(), given.without(&[PAGE_SIZE, PAGE_TOKEN])),
            of_world: PINNED,
        })
    }

    fn parameters() -> Vec<Parameter> {
        let size = "How many entries a page holds, 25 when absent.";
        let token = "`next_page_token` of the page before.";
        let mut parameters = Vec::new();
        if PINNED {
            parameters.push(AsOf::parameter());
        }
        parameters.push(parameter::<Option<u32>>(PAGE_SIZE, &[size], &SIZE_RULE));
        parameters.push(parameter::<Option<String>>(PAGE_TOKEN, &[token], &NO_RULE));
        parameters
    }
}

impl<'a, const PINNED: bool> ApiExtractor<'a> for PageOf<PINNED> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(schema_of(Self::parameters()))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self::of(request)?)
    }
}

/// A page that is being read.
pub(crate) struct Pager<K> {
    scope: Scope,
    /// The snapshot.
    pub(crate) snapshot: Snapshot,
    /// What to ask the store about: pages after the first speak of an instant that may have passed.
    pub(crate) moment: Moment,
    /// Whether the first page showed the newest state.
    pub(crate) began_newest: bool,
    /// The last entry of the page before.
    pub(crate) after: Option<K>,
    size: u32,
}

impl<K: Serialize + DeserializeOwned> Pager<K> {
    /// Begins a page: those after the first speak of the first one's instant.
    pub(crate) async fn begin<const PINNED: bool>(
        state: &ApiState,
        caller: &Caller,
        page: PageOf<PINNED>,
    ) -> Result<Self, Problem> {
        let PageOf { as_of, size, token, scope, of_world } = page;
        let Some(cursor) = cursor::<K>(&scope, token.as_deref())? else {
            let snapshot = state.snapshot(caller, as_of).await?;
            let (moment, after) = (snapshot.moment, None);
            return Ok(Pager { scope, moment, began_newest: moment.newest, snapshot, after, size });
        };
        let mut snapshot = state.snapshot(caller, None).await?;
        if of_world && cursor.world != WorldId::of(&snapshot.position).as_str() {
            let detail = "A scenario was loaded since the first page: its entries are gone.";
            return Err(Problem::new(Code::StalePageToken, detail));
        }
        if PINNED {
            snapshot.go_back(cursor.as_of.into())?;
        }
        // What has ended since then is seen as it was.
        let stands = snapshot.position.released_through == cursor.as_of;
        snapshot.moment.newest = cursor.newest && stands;
        let moment = Moment { newest: false, ..snapshot.moment };
        let (began_newest, after) = (cursor.newest, Some(cursor.key));
        Ok(Pager { scope, snapshot, moment, began_newest, after, size })
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
        let size = usize::try_from(self.size).map_err(Problem::internal)?;
        let more = rows.len() > size;
        rows.truncate(size);
        let moment = Moment { newest: self.began_newest, ..self.snapshot.moment };
        let last = rows.last().filter(|_| more).map(key);
        let world = WorldId::of(&self.snapshot.position);
        last.map(|key| token(&self.scope, world.as_str(), moment, key)).transpose()
    }
}

/// A page of a list that is about no world, and is there without one.
pub(crate) struct WorldlessPager<K> {
    scope: Scope,
    /// The last entry of the page before.
    pub(crate) after: Option<K>,
    size: u32,
}

impl<K: Serialize + DeserializeOwned> WorldlessPager<K> {
    /// Begins a page.
    pub(crate) fn begin(page: CurrentPageQuery) -> Result<Self, Problem> {
        let after = cursor::<K>(&page.scope, page.token.as_deref())?.map(|cursor| cursor.key);
        Ok(WorldlessPager { scope: page.scope, after, size: page.size })
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
        let size = usize::try_from(self.size).map_err(Problem::internal)?;
        let more = rows.len() > size;
        rows.truncate(size);
        let moment = Moment { as_of: DateTime::UNIX_EPOCH, newest: true };
        let last = rows.last().filter(|_| more).map(key);
        last.map(|key| token(&self.scope, "", moment, key)).transpose()
    }
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
                snapshot: &$crate::http::snapshot::Snapshot,
            ) -> Self {
                let (as_of, settled) = (snapshot.as_of(), snapshot.settled());
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
#[derive(Clone, Debug)]
struct Scope(String);

impl Scope {
    /// The scope of a path with its other parameters, in whatever order they were given.
    fn new(path: &str, mut parameters: Vec<(&str, &str)>) -> Self {
        parameters.sort_unstable();
        Scope(format!("{path}\n{parameters:?}\n"))
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
    world: String,
    at_ms: i64,
    newest: bool,
    key: K,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
struct Cursor<K> {
    /// The world of the first page.
    world: String,
    /// The instant of the first page.
    as_of: DateTime<Utc>,
    /// Whether the first page showed the newest state.
    newest: bool,
    /// The last entry of the page before.
    key: K,
}

/// The token for the page after `key`.
fn token<K: Serialize>(
    scope: &Scope,
    world: &str,
    moment: Moment,
    key: K,
) -> Result<String, Problem> {
    let at_ms = moment.as_of.timestamp_millis();
    let world = world.to_owned();
    let payload = Payload { v: VERSION, world, at_ms, newest: moment.newest, key };
    let payload = serde_json::to_vec(&payload).map_err(Problem::internal)?;
    let mut bytes = scope.check(&payload).to_vec();
    bytes.extend(payload);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a token that [`token`] made for the same scope.
fn cursor<K: DeserializeOwned>(
    scope: &Scope,
    token: Option<&str>,
) -> Result<Option<Cursor<K>>, Problem> {
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
    Ok(Some(Cursor { world: payload.world, as_of, newest: payload.newest, key: payload.key }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::world_id::EventId;

    #[test]
    fn a_token_comes_back_and_fits_nothing_else() {
        let scope = Scope::new("/v1/images", vec![("q", "ngi"), ("tag", "1")]);
        let as_of = DateTime::from_timestamp_millis(1_767_571_200_123).unwrap();
        let world = EventId::parse("3-00c0ffee-1").and_then(|id| id.world).unwrap();
        let made = token(&scope, world.as_str(), Moment { as_of, newest: true }, "nginx").unwrap();
        let read: Cursor<String> = cursor(&scope, Some(&made)).unwrap().unwrap();
        let (world, key) = ("3-00c0ffee".to_owned(), "nginx".to_owned());
        assert_eq!(read, Cursor { world, as_of, newest: true, key });

        let other = Scope::new("/v1/images", vec![("q", "ngx"), ("tag", "1")]);
        assert!(cursor::<String>(&other, Some(&made)).is_err());
        let turned = Scope::new("/v1/images", vec![("tag", "1"), ("q", "ngi")]);
        assert!(cursor::<String>(&turned, Some(&made)).is_ok());
        for place in 0..made.len() {
            let mut bytes = made.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let result = cursor::<String>(&scope, Some(&changed));
            assert_eq!(result.unwrap_err().code(), "invalid_page_token", "{changed}");
        }
        for token in ["", "A", "*", "\0", &made[1..], &"A".repeat(5000)] {
            assert!(cursor::<String>(&scope, Some(token)).is_err());
        }
    }
}
