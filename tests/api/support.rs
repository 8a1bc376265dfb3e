//! A served API on a database and a bucket of its own, for every test.
pub(crate) mod customers;
#[allow(dead_code, reason = "the tests of the pages do not look for instants")]
pub(crate) mod instants;
#[allow(dead_code, reason = "the tests of the pages need less of it")]
pub(crate) mod live;
pub(crate) mod receiver;
mod seed;
#[path = "../../store/tests/it/support/services.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of `store`")]
mod services;

#[allow(unused_imports, reason = "shared with the tests of the pages, which need less of it")]
pub(crate) use seed::{
    BASE_DIGEST, LOG, LOG_SHA256, NGINX_BUILD, PACKED, PROVENANCE_SHA256, SPDX_SHA256,
    count_findings, packed_sha256, signed_note,
};

use api::auth::{ApiKey, Role, TokenKey};
use api::{self, ApiState, Limits, Settings as ApiSettings};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use services::Services;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;
use store::db::ApiPools;
use store::objects::ObjectStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What stands in the database when the API starts.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Content {
    /// Not even a schema.
    Nothing,
    /// The schema.
    Schema,
    /// The small world of [`seed`].
    World,
}

/// A served API.
pub(crate) struct Api {
    pub(crate) pool: PgPool,
    pub(crate) address: SocketAddr,
    #[allow(dead_code, reason = "the tests of the pages put documents there")]
    pub(crate) objects: ObjectStore,
    pub(crate) database: String,
    client: Client,
    token_key: TokenKey,
    pub(crate) token: String,
    _stop: oneshot::Sender<()>,
}

/// A pool that gives up early, for tests of what is said then.
async fn connect(options: PgConnectOptions, size: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(size);
    pool.acquire_timeout(Duration::from_millis(1500)).connect_with(options).await.unwrap()
}

/// A template with the schema.
async fn schema(services: &Services) -> String {
    let migrate = |url: String| async move {
        let pool = connect(url.parse().unwrap(), 1).await;
        store::db::migrate(&pool).await.unwrap();
        pool.close().await;
    };
    services.template("schema", "", migrate).await
}

/// A template with the small world.
async fn world(services: &Services) -> String {
    let seed = |url: String| async move {
        let pool = connect(url.parse().unwrap(), 4).await;
        store::db::migrate(&pool).await.unwrap();
        seed::world(&pool).await;
        pool.close().await;
    };
    services.template("world", include_str!("support/seed.rs"), seed).await
}

/// No bound of the rate that a test could reach on a fast machine.
fn unhurried() -> Limits {
    let fast = NonZeroU32::new(100_000).unwrap();
    Limits { requests_per_second: fast, anonymous_per_second: fast, ..Limits::default() }
}

impl Api {
    /// With the small world; `name` shows in the name of the database.
    pub(crate) async fn start(name: &str) -> Self {
        Api::start_with(name, Content::World, unhurried()).await
    }

    pub(crate) async fn start_with(name: &str, content: Content, limits: Limits) -> Self {
        let settings = ApiSettings { limits, ..ApiSettings::default() };
        Api::start_with_settings(name, content, settings).await
    }

    pub(crate) async fn start_with_settings(
        name: &str,
        content: Content,
        settings: ApiSettings,
    ) -> Self {
        let services = services::services();
        let template = match content {
            Content::Nothing => None,
            Content::Schema => Some(schema(services).await),
            Content::World => Some(world(services).await),
        };
        let database = services.new_database(name, template.as_deref()).await;
        let options: PgConnectOptions = services.url(&database).parse().unwrap();
        let pool = connect(options.clone(), 4).await;
        let objects = services.bucket().await;
        if content == Content::World {
            seed::objects(&objects).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let token_key = TokenKey::generate().unwrap();
        // `query_plans` reads what the server notes about its plans.
        let noted =
            |options: PgConnectOptions| options.options([("client_min_messages", "notice")]);
        let pools = if content == Content::Nothing {
            let pool = connect(noted(options), 4).await;
            ApiPools { tenants: pool.clone(), platform: pool }
        } else {
            let tenants = noted(store::db::tenant_session(options.clone()));
            let platform = noted(store::db::api_session(options));
            ApiPools { tenants: connect(tenants, 4).await, platform: connect(platform, 4).await }
        };
        let state = ApiState::with_settings(pools, objects.clone(), token_key.clone(), settings);
        tokio::spawn(api::serve(listener, state, async {
            let _ = stopped.await;
        }));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.build().unwrap();
        let (token, _) = token_key.issue("0000000000000000", "none", Role::Admin, None).unwrap();
        let mut api =
            Api { pool, address, database, client, token_key, token, objects, _stop: stop };
        if content != Content::Nothing {
            api.token = api.sign_in(Role::Admin, None).await;
        }
        api
    }

    /// A token for a new key with this role, of a tenant or of the platform.
    pub(crate) async fn sign_in(&self, role: Role, tenant: Option<&str>) -> String {
        let key = self.key(role, tenant).await;
        self.token_key.issue(key.id(), "test", role, tenant).unwrap().0
    }

    /// A new key.
    pub(crate) async fn key(&self, role: Role, tenant: Option<&str>) -> ApiKey {
        let key = ApiKey::generate().unwrap();
        let new = store::api_keys::NewApiKey {
            id: key.id(),
            name: "test",
            role: role.as_str(),
            tenant_namespace: tenant,
            secret_sha256: key.secret_sha256(),
            created_by: "test",
            expires_in_days: None,
        };
        store::api_keys::insert(&mut self.pool.acquire().await.unwrap(), &new).await.unwrap();
        key
    }

    /// A request by the platform's admin.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    /// A request without a token.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// A GET with another token than the admin's.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        let request = self.anonymous(Method::GET, path).bearer_auth(token);
        Answer::of(request.send().await.unwrap()).await
    }

    /// A POST with another token than the admin's.
    pub(crate) async fn post_as(&self, token: &str, path: &str, body: Value) -> Answer {
        let request = self.anonymous(Method::POST, path).bearer_auth(token).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(&body).send().await.unwrap()).await
    }

    /// Another session in the same database.
    pub(crate) async fn session(&self) -> PgConnection {
        PgConnection::connect(&services::services().url(&self.database)).await.unwrap()
    }

    /// Nobody can connect any more, and nobody is connected.
    pub(crate) async fn cut_database(&self) {
        let mut admin = services::services().admin().await;
        let database = &self.database;
        let refuse = format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false");
        sqlx::query(AssertSqlSafe(refuse)).execute(&mut admin).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        sqlx::query(end).bind(database).execute(&mut admin).await.unwrap();
    }
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// The same, of an answer that may be compressed.
    pub(crate) async fn unpacked(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = response.bytes().await.unwrap().to_vec();
        if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
            body = documents::gzip::decompress(&body, 1 << 20).unwrap();
        }
        Answer { status, headers, text: String::from_utf8(body).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// The body of a problem with this status and code, complete in every field.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.header("content-type")),
            (status, "application/problem+json"),
            "{}",
            self.text
        );
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{code}"));
        for field in ["title", "detail", "hint", "instance", "request_id"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{field} of {problem:#}");
        }
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for word in ["SELECT", "postgres", "relation", "sqlx", "syntax"] {
            assert!(!self.text.contains(word), "{word} reached a client: {problem:#}");
        }
        problem
    }
}
