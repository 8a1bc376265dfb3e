//! Signing in: an API key is exchanged for a token that holds for some minutes.
use crate::auth::{LIFETIME_SECONDS, Role};
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::middleware::RequestId;
use crate::http::problem::{Failure, failures};
use crate::http::sign_in::sign_in;
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};

pub(crate) struct AuthApi(pub(crate) ApiState);

failures! {
    /// A key that is none.
    GetToken: InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidApiKey, RateLimited
}
failures! {
    /// Nothing of its own.
    WhoAmI:
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "Role", rename_all = "snake_case")]
pub(crate) enum RoleName {
    /// Everything; never bound to a tenant.
    Admin,
    /// Reads, and asks for builds, scans and evaluations.
    Editor,
    /// Reads.
    Viewer,
    /// Finishes the builds that are made outside.
    Orchestrator,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => RoleName::Admin,
            Role::Editor => RoleName::Editor,
            Role::Viewer => RoleName::Viewer,
            Role::Orchestrator => RoleName::Orchestrator,
        }
    }
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Admin => Role::Admin,
            RoleName::Editor => Role::Editor,
            RoleName::Viewer => Role::Viewer,
            RoleName::Orchestrator => Role::Orchestrator,
        }
    }
}

/// An API key.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct Credentials {
    /// The whole key, as it was shown when it was made: `wt_<id>_<secret>`.
    #[oai(validator(min_length = 1, max_length = 200))]
    api_key: StrictText,
}

impl Example for Credentials {
    fn example() -> Self {
        let key = format!("wt_0123456789abcdef_{}", "A".repeat(43));
        Credentials { api_key: key.as_str().into() }
    }
}

/// A token and what it is good for.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Token {
    /// Send it as `Authorization: Bearer TOKEN`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// How many seconds it holds.
    expires_in: u64,
    /// What its bearer may do.
    role: RoleName,
    /// The tenant it is bound to; absent: the platform's own, which sees every tenant.
    tenant_namespace: Option<String>,
}

impl Example for Token {
    fn example() -> Self {
        Token {
            access_token: "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl".to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: LIFETIME_SECONDS,
            role: RoleName::Viewer,
            tenant_namespace: Some(examples::TENANT.to_owned()),
        }
    }
}

/// Who the caller is.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Identity {
    /// The id of the API key.
    key_id: String,
    /// What people call the key.
    name: String,
    /// What it may do.
    role: RoleName,
    /// The tenant it is bound to; absent: the platform's own, which sees every tenant.
    tenant_namespace: Option<String>,
}

impl Example for Identity {
    fn example() -> Self {
        Identity {
            key_id: "0123456789abcdef".to_owned(),
            name: "demo viewer".to_owned(),
            role: RoleName::Viewer,
            tenant_namespace: Some(examples::TENANT.to_owned()),
        }
    }
}

impl Resource for AuthApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("getToken", Access::Public), ("whoAmI", Access::Builds)];

    fn new(state: &ApiState) -> Self {
        AuthApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Identity")]
impl AuthApi {
    /// Get a token
    ///
    /// Exchanges an API key for a token that holds for 15 minutes. `wavetank demo` prints keys; an
    /// admin makes more at POST /v1/api-keys.
    #[oai(path = "/v1/auth/token", method = "post", operation_id = "getToken")]
    async fn token(
        &self,
        request_id: Data<&RequestId>,
        credentials: Json<Credentials>,
    ) -> Result<Json<Token>, Failure<GetToken>> {
        let asked = ("getToken", "/v1/auth/token");
        let signed_in = sign_in(&self.0, &credentials.api_key, asked, &request_id.0.0).await?;
        Ok(Json(Token {
            access_token: signed_in.access_token,
            token_type: "Bearer".to_owned(),
            expires_in: LIFETIME_SECONDS,
            role: signed_in.role.into(),
            tenant_namespace: signed_in.tenant_namespace,
        }))
    }

    /// Read who you are
    ///
    /// The key behind the token, its role, and the tenant it is bound to.
    #[oai(path = "/v1/auth/me", method = "get", operation_id = "whoAmI")]
    async fn me(&self, caller: Caller) -> Result<Json<Identity>, Failure<WhoAmI>> {
        Ok(Json(Identity {
            key_id: caller.actor.clone(),
            name: caller.name.clone(),
            role: caller.role.into(),
            tenant_namespace: caller.tenant().map(str::to_owned),
        }))
    }
}
