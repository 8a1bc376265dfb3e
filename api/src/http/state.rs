//! What the handlers work with: the database, the object store, and views of one instant.
use crate::auth::TokenKey;
use crate::http::caller::Caller;
use crate::http::generated::GeneratedRepository;
use crate::http::key_cache::{self, KnownKeys};
use crate::http::limits::Limits;
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::Snapshot;
use crate::http::streams::{Room, Streams};
use crate::http::time::Instant;
use crate::http::turns::Turns;
use crate::http::write::WriteTx;
use jobs::webhooks::AddressPolicy;
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use store::actions::NewAction;
use store::db::ApiPools;
use store::objects::ObjectStore;
use store::read::Moment;
use store::requests::{Requester, position};
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The database and the object store, shared by all requests.
#[derive(Clone)]
pub struct ApiState(Option<Arc<Inner>>);

struct Inner {
    pools: ApiPools,
    objects: ObjectStore,
    token_key: TokenKey,
    settings: Settings,
    streams: Arc<Streams>,
    turns: Turns,
    known_keys: KnownKeys,
    closing: CancellationToken,
}

/// What an installation decides about its API.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much one request or caller may use.
    pub limits: Limits,
    /// Whether requests come through a proxy that says in `X-Forwarded-For` from where.
    pub behind_proxy: bool,
    /// Whether images of the shared catalogue may be pulled without a key.
    pub registry_anonymous: bool,
    /// Repositories of the registry beside those of images.
    pub generated: Vec<Arc<dyn GeneratedRepository>>,
    /// The origins whose pages may call the API from a browser; none: only our own.
    pub allowed_origins: Vec<String>,
    /// Where webhooks may go.
    pub webhooks: AddressPolicy,
    /// What counts requests.
    pub metrics: Metrics,
    /// Where the files of the pages are; none: inside the program.
    pub static_dir: Option<PathBuf>,
}

/// What follows BEGIN: the role and the tenant hold to the end of the transaction, and row security
/// shows and takes nothing else.
fn begin_as(requester: Requester<'_>, begin: &str) -> Result<String, Problem> {
    let Some(name) = requester.tenant() else {
        return Ok(format!("{begin}; SET LOCAL ROLE wavetank_platform"));
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(Problem::internal("a token names an impossible tenant"));
    }
    Ok(format!("{begin}; SET LOCAL ROLE wavetank_tenant; SET LOCAL wavetank.tenant = '{name}'"))
}

impl ApiState {
    /// For a database and an object store, with the default settings. The pools' user must be
    /// allowed to take the roles `wavetank_tenant` and `wavetank_platform`.
    pub fn new(pools: ApiPools, objects: ObjectStore, token_key: TokenKey) -> Self {
        Self::with_settings(pools, objects, token_key, Settings::default())
    }

    /// The same with other settings.
    pub fn with_settings(
        pools: ApiPools,
        objects: ObjectStore,
        token_key: TokenKey,
        settings: Settings,
    ) -> Self {
        ApiState(Some(Arc::new(Inner {
            pools,
            objects,
            token_key,
            streams: Streams::new(&settings.limits),
            turns: Turns::new(&settings.limits),
            known_keys: KnownKeys::default(),
            closing: CancellationToken::new(),
            settings,
        })))
    }

    /// For the specification alone, which needs handlers but never calls them.
    pub(crate) fn detached() -> Self {
        ApiState(None)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.as_ref().map_or_else(Limits::default, |inner| inner.settings.limits)
    }

    fn inner(&self) -> Result<&Inner, Problem> {
        self.0.as_deref().ok_or_else(|| Problem::internal("the API has no state"))
    }

    pub(crate) fn objects(&self) -> Result<&ObjectStore, Problem> {
        Ok(&self.inner()?.objects)
    }

    pub(crate) fn token_key(&self) -> Result<&TokenKey, Problem> {
        Ok(&self.inner()?.token_key)
    }

    pub(crate) fn behind_proxy(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.settings.behind_proxy)
    }

    pub(crate) fn registry_anonymous(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.settings.registry_anonymous)
    }

    pub(crate) fn generated(&self) -> &[Arc<dyn GeneratedRepository>] {
        self.0.as_ref().map_or(&[], |inner| &inner.settings.generated)
    }

    pub(crate) fn webhook_policy(&self) -> AddressPolicy {
        self.0.as_ref().map_or_else(AddressPolicy::default, |inner| inner.settings.webhooks)
    }

    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        self.0.as_ref().map(|inner| &inner.settings.metrics)
    }

    pub(crate) fn static_dir(&self) -> Option<PathBuf> {
        self.0.as_ref().and_then(|inner| inner.settings.static_dir.clone())
    }

    pub(crate) fn allowed_origins(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |inner| &inner.settings.allowed_origins)
    }

    /// Room for one more stream of events of a key, for as long as it is held.
    pub(crate) fn stream(&self, key_id: &str) -> Result<Room, Problem> {
        self.inner()?.streams.room(key_id).ok_or_else(|| {
            let detail = "As many streams of events are open as may be.";
            Problem::new(Code::RateLimited, detail).retry_after(5)
        })
    }

    /// The turns of answers that cost processor time.
    pub(crate) fn turns(&self) -> Result<&Turns, Problem> {
        Ok(&self.inner()?.turns)
    }

    /// Whether the key behind a token still holds, as of a moment ago.
    pub(crate) async fn key_holds(&self, key_id: &str) -> Result<(), Problem> {
        let known = &self.inner()?.known_keys;
        if known.lately(key_id) {
            return Ok(());
        }
        let looked = std::time::Instant::now();
        let mut tx = self.platform_read_tx().await?;
        if store::api_keys::valid(&mut tx, key_id).await?.is_none() {
            return Err(key_cache::ended());
        }
        known.holds(key_id, looked);
        Ok(())
    }

    /// Cancelled when the API is to stop: open streams end then.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.0.as_ref().map_or_else(CancellationToken::new, |inner| inner.closing.clone())
    }

    /// Whether a stream of events to a caller has to end: the API stops, the token has expired, or its
    /// key has been revoked.
    pub(crate) async fn has_to_end(&self, caller: &Caller) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        if self.closing().is_cancelled() || now >= caller.expires {
            return true;
        }
        let key = self.key_holds(&caller.actor).await;
        key.is_err_and(|problem| problem.code() == Code::Unauthenticated.as_str())
    }

    async fn begin(
        &self,
        requester: Requester<'_>,
        begin: &str,
    ) -> Result<Transaction<'static, Postgres>, Problem> {
        let pools = &self.inner()?.pools;
        let pool = match requester {
            Requester::Platform => &pools.platform,
            Requester::Tenant(_) => &pools.tenants,
        };
        Ok(pool.begin_with(AssertSqlSafe(begin_as(requester, begin)?)).await?)
    }

    /// A transaction that writes in the name of a caller.
    pub(crate) async fn write(&self, caller: &Caller) -> Result<WriteTx, Problem> {
        Ok(WriteTx::new(self.begin(caller.requester(), "BEGIN").await?, caller.clone()))
    }

    /// A snapshot of what a caller may see, without a world.
    pub(crate) async fn read_tx(
        &self,
        caller: &Caller,
    ) -> Result<Transaction<'static, Postgres>, Problem> {
        self.begin(caller.requester(), SNAPSHOT).await
    }

    /// A snapshot of everything, for what is checked before a caller is known, for what is public by
    /// its nature (the hashes of the logs), and for the record that a forecast rebuilds the world from.
    pub(crate) async fn platform_read_tx(&self) -> Result<Transaction<'static, Postgres>, Problem> {
        self.begin(Requester::Platform, SNAPSHOT).await
    }

    /// A transaction of the platform itself.
    pub(crate) async fn platform_write(&self) -> Result<Transaction<'static, Postgres>, Problem> {
        self.begin(Requester::Platform, "BEGIN").await
    }

    /// Writes down what a caller was refused. When that fails the refusal stands; the log tells.
    pub(crate) async fn refused(&self, caller: &Caller, object: &str, code: &str) {
        let object: String = object.chars().take(500).collect();
        let written = async {
            let mut tx = self.begin(caller.requester(), "BEGIN").await?;
            let action = NewAction {
                actor: &caller.actor,
                role: caller.role.as_str(),
                tenant_namespace: caller.tenant(),
                operation: &caller.operation,
                object: &object,
                refused: Some(code),
                request_id: &caller.request_id,
            };
            store::actions::insert(&mut tx, &action).await?;
            Ok::<_, Problem>(tx.commit().await?)
        };
        if let Err(problem) = written.await {
            let request_id = &caller.request_id;
            tracing::warn!(request_id, "refusal {request_id} is not written down: {problem}");
        }
    }

    /// The world as of an instant, or in its newest state.
    pub(crate) async fn snapshot(
        &self,
        caller: &Caller,
        as_of: Option<Instant>,
    ) -> Result<Snapshot, Problem> {
        self.snapshot_of(self.read_tx(caller).await?, as_of).await
    }

    /// The newest state of the whole world, whoever asks.
    pub(crate) async fn platform_snapshot(&self) -> Result<Snapshot, Problem> {
        self.snapshot_of(self.platform_read_tx().await?, None).await
    }

    async fn snapshot_of(
        &self,
        mut tx: Transaction<'static, Postgres>,
        as_of: Option<Instant>,
    ) -> Result<Snapshot, Problem> {
        let position = position(&mut tx).await?;
        let moment = Moment { as_of: position.released_through, newest: true };
        let mut snapshot = Snapshot::new(tx, position, moment);
        if let Some(as_of) = as_of {
            snapshot.go_back(as_of)?;
        }
        Ok(snapshot)
    }
}
