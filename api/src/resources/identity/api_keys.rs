//! The keys of callers: made, listed and revoked by admins.
use crate::auth::{ApiKey as Key, Role};
use crate::http::access::{Access, Resource};
use crate::http::body::one_line;
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::pages::{CurrentPageQuery, Pager, Total};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::http::write::Outcome;
use crate::resources::identity::tokens::RoleName;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use store::api_keys::{ApiKeyRow, NewApiKey};

pub(crate) struct ApiKeysApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListApiKeys: InvalidParameter, UnknownParameter, InvalidPageToken
}
failures! {
    /// A key that cannot be made.
    CreateApiKey: InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, UnknownTenant
}
failures! {
    /// A key that is not there.
    RevokeApiKey: UnknownParameter, ApiKeyNotFound
}

/// An API key, without its secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct ApiKey {
    /// Its public part: the middle of `wt_<id>_<secret>`.
    id: String,
    /// What people call it.
    name: String,
    /// What it may do.
    role: RoleName,
    /// The tenant it is bound to; absent: the platform's own, which sees every tenant.
    tenant_namespace: Option<String>,
    /// The key, or the program, that made it.
    created_by: String,
    /// When it was made.
    created_wall: Instant,
    /// When it ends by itself.
    expires_wall: Option<Instant>,
    /// When a token was last had for it.
    last_used_wall: Option<Instant>,
    /// When it was revoked.
    revoked_wall: Option<Instant>,
}

impl ApiKey {
    fn new(row: ApiKeyRow) -> Result<Self, Problem> {
        let role = Role::parse(&row.role)
            .ok_or_else(|| Problem::internal("a stored key has an unknown role"))?;
        Ok(ApiKey {
            id: row.id,
            name: row.name,
            role: role.into(),
            tenant_namespace: row.tenant_namespace,
            created_by: row.created_by,
            created_wall: row.created_wall.into(),
            expires_wall: row.expires_wall.map(Instant::from),
            last_used_wall: row.last_used_wall.map(Instant::from),
            revoked_wall: row.revoked_wall.map(Instant::from),
        })
    }
}

impl Example for ApiKey {
    fn example() -> Self {
        ApiKey {
            id: "0123456789abcdef".to_owned(),
            name: "pipeline of a customer".to_owned(),
            role: RoleName::Editor,
            tenant_namespace: Some(examples::TENANT.to_owned()),
            created_by: "demo".to_owned(),
            created_wall: time::example(0),
            expires_wall: None,
            last_used_wall: None,
            revoked_wall: None,
        }
    }
}

/// API keys.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct ApiKeyPage {
    /// The keys, by id; revoked ones too.
    items: Vec<ApiKey>,
    /// How many there are on all pages.
    total: Total,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl Example for ApiKeyPage {
    fn example() -> Self {
        ApiKeyPage { items: vec![ApiKey::example()], total: 1.into(), next_page_token: None }
    }
}

/// A key to be made.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewKey {
    /// What people will call it.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: StrictText,
    /// What it may do.
    role: RoleName,
    /// The tenant it is bound to; without one it sees every tenant. An admin's has none.
    #[oai(validator(min_length = 1, max_length = 63))]
    tenant_namespace: Option<StrictText>,
    /// After how many days it ends by itself; never when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "3650")))]
    expires_in_days: Option<u32>,
}

impl Example for NewKey {
    fn example() -> Self {
        NewKey {
            name: "pipeline of the platform".into(),
            role: RoleName::Viewer,
            tenant_namespace: None,
            expires_in_days: Some(90),
        }
    }
}

/// A new key with its secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct CreatedKey {
    /// The whole key. It is shown this once, for only a hash of it is stored: it is absent when the
    /// answer is given again under the same `Idempotency-Key`.
    api_key: Option<String>,
    /// What is stored.
    key: ApiKey,
}

impl Example for CreatedKey {
    fn example() -> Self {
        CreatedKey {
            api_key: Some(format!("wt_0123456789abcdef_{}", "A".repeat(43))),
            key: ApiKey::example(),
        }
    }
}

#[derive(ApiResponse)]
enum Created {
    /// The key was made.
    #[oai(status = 201)]
    Key(Json<CreatedKey>),
}

impl Resource for ApiKeysApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listApiKeys", Access::Admin),
        ("createApiKey", Access::Admin),
        ("revokeApiKey", Access::Admin),
    ];

    fn new(state: &ApiState) -> Self {
        ApiKeysApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Identity")]
impl ApiKeysApi {
    /// List API keys
    #[oai(path = "/v1/api-keys", method = "get", operation_id = "listApiKeys")]
    async fn list(
        &self,
        caller: Caller,
        page: CurrentPageQuery,
    ) -> Result<Json<ApiKeyPage>, Failure<ListApiKeys>> {
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let limit = pager.limit();
        let (conn, after) = (pager.snapshot.conn(), pager.after.as_deref());
        let total = store::api_keys::total(conn).await?.into();
        let mut rows = store::api_keys::list(conn, after, limit).await?;
        let next_page_token = pager.end(&mut rows, |row| row.id.clone())?;
        let items = rows.into_iter().map(ApiKey::new).collect::<Result<_, _>>()?;
        Ok(Json(ApiKeyPage { items, total, next_page_token }))
    }

    /// Make an API key
    ///
    /// The answer holds the secret, this once. The key is exchanged for tokens at POST
    /// /v1/auth/token.
    #[oai(path = "/v1/api-keys", method = "post", operation_id = "createApiKey")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewKey>,
    ) -> Result<Created, Failure<CreateApiKey>> {
        let role = Role::from(wanted.role);
        let tenant = wanted.tenant_namespace.as_deref();
        if role == Role::Admin && tenant.is_some() {
            let detail = "An admin sees every tenant: leave `tenant_namespace` out.";
            return Err(Problem::new(Code::Contradiction, detail).into());
        }
        one_line("/name", &wanted.name)?;
        let mut write = self.0.write(&caller).await?;
        if let Some(tenant) = tenant {
            let plain = !tenant.chars().any(char::is_control);
            if !plain || !store::api_keys::tenant_exists(&mut write, tenant).await? {
                let detail = format!("There is no tenant {tenant:?}.");
                return Err(Problem::new(Code::UnknownTenant, detail).into());
            }
        }
        let key = Key::generate().map_err(Problem::internal)?;
        let row = store::api_keys::insert(
            &mut write,
            &NewApiKey {
                id: key.id(),
                name: &wanted.name,
                role: role.as_str(),
                tenant_namespace: tenant,
                secret_sha256: key.secret_sha256(),
                created_by: &caller.actor,
                expires_in_days: wanted.expires_in_days.map(|days| days as i32),
            },
        )
        .await?;
        let object = format!("/v1/api-keys/{}", row.id);
        let mut created = CreatedKey { api_key: None, key: ApiKey::new(row)? };
        let done = Outcome { status: 201, object: &object, location: None, body: &created };
        write.commit(done).await?;
        created.api_key = Some(key.reveal());
        Ok(Created::Key(Json(created)))
    }

    /// Revoke an API key
    ///
    /// It can never be used again. Tokens that were had for it end within two seconds.
    #[oai(path = "/v1/api-keys/:id", method = "delete", operation_id = "revokeApiKey")]
    async fn revoke(
        &self,
        caller: Caller,
        /// The key's public part, 16 hexadecimal digits.
        #[oai(example = "example_id")]
        id: Path<String>,
    ) -> Result<Json<ApiKey>, Failure<RevokeApiKey>> {
        let missing = || Problem::new(Code::ApiKeyNotFound, "There is no such API key.");
        let fits = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if !fits {
            return Err(missing().into());
        }
        let mut write = self.0.write(&caller).await?;
        store::api_keys::revoke(&mut write, &id).await?;
        let row = store::api_keys::get(&mut write, &id).await?.ok_or_else(missing)?;
        let key = ApiKey::new(row)?;
        let object = format!("/v1/api-keys/{}", key.id);
        write.commit(Outcome { status: 200, object: &object, location: None, body: &key }).await?;
        Ok(Json(key))
    }
}

fn example_id() -> String {
    "0123456789abcdef".to_owned()
}
