//! A served API on a database and a bucket of its own, for every test.
pub(crate) mod customers;
pub(crate) mod receiver;
mod seed;

#[allow(unused_imports, reason = "shared with the tests of the pages, which need less of it")]
pub(crate) use seed::{
    BASE_DIGEST, LOG, LOG_SHA256, NGINX_BUILD, PACKED, PROVENANCE_SHA256, SPDX_SHA256,
    count_findings, packed_sha256,
};

use api::auth::{ApiKey, Role, TokenKey};
use api::{self, ApiState, Limits, Settings as ApiSettings};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;
use store::db::ApiPools;
use store::objects::{ObjectStore, Settings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wavetank::services::{ServiceOptions, Services};

/// What all tests of this program share; lives as long as the program.
struct Shared {
    database: PgConnectOptions,
    s3: Settings,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                // Kept for the next run, as long as the schema is the same.
                let schema: Vec<u8> =
                    store::db::MIGRATOR.iter().flat_map(|m| m.checksum[..2].to_vec()).collect();
                let name = format!("api-{}", hex::encode(schema));
                let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
                let options = ServiceOptions::embedded(&dir);
                let services = Services::open(&options, &dir).await.unwrap();
                let database = PgConnectOptions::from_str(&services.database_url).unwrap();
                send.send(Shared { database, s3: services.s3.clone() }).unwrap();
                std::future::pending::<()>().await;
                services.stop().await;
            });
        });
        receive.recv().expect("the services of the tests start")
    })
}

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
    database: String,
    client: Client,
    token_key: TokenKey,
    pub(crate) token: String,
    _stop: oneshot::Sender<()>,
}

/// No bound of the rate that a test could reach on a fast machine.
fn unhurried() -> Limits {
    let fast = NonZeroU32::new(100_000).unwrap();
    Limits { requests_per_second: fast, anonymous_per_second: fast, ..Limits::default() }
}

impl Api {
    /// With the small world; `name` is unique among the tests.
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
        let shared = shared();
        let database = format!("api_{name}");
        let mut admin = shared.database.connect().await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            format!("CREATE DATABASE {database}"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        }
        admin.close().await.unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_millis(1500))
            .connect_with(shared.database.clone().database(&database))
            .await
            .unwrap();
        let objects = ObjectStore::connect(&Settings {
            bucket: database.replace('_', "-"),
            ..shared.s3.clone()
        })
        .await
        .unwrap();
        if content != Content::Nothing {
            store::db::migrate(&pool).await.unwrap();
        }
        if content == Content::World {
            seed::world(&pool, &objects).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let token_key = TokenKey::generate().unwrap();
        let options = shared.database.clone().database(&database);
        let connect = |options: PgConnectOptions| {
            // `plans` reads what the server notes about its plans.
            let options = options.options([("client_min_messages", "notice")]);
            PgPoolOptions::new()
                .max_connections(4)
                .acquire_timeout(Duration::from_millis(1500))
                .connect_with(options)
        };
        let pools = if content == Content::Nothing {
            let pool = connect(options).await.unwrap();
            ApiPools { tenants: pool.clone(), platform: pool }
        } else {
            ApiPools {
                tenants: connect(store::db::tenant_session(options.clone())).await.unwrap(),
                platform: connect(store::db::api_session(options)).await.unwrap(),
            }
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
        shared().database.clone().database(&self.database).connect().await.unwrap()
    }

    /// Nobody can connect any more, and nobody is connected.
    pub(crate) async fn cut_database(&self) {
        let mut admin = shared().database.connect().await.unwrap();
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
