//! An API key is exchanged for a token that holds for some minutes: the one place that does it.
use crate::auth::{ApiKey, Role};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem};
use crate::http::state::ApiState;

/// A token, and what it is good for.
pub(crate) struct SignedIn {
    /// The token.
    pub(crate) access_token: String,
    /// What its bearer may do.
    pub(crate) role: Role,
    /// The tenant that it is bound to; none: the platform's own.
    pub(crate) tenant_namespace: Option<String>,
}

/// A token for a valid key; a key that is none is written down as refused to the operation at that path.
pub(crate) async fn sign_in(
    state: &ApiState,
    given: &str,
    (operation, path): (&str, &str),
    request_id: &str,
) -> Result<SignedIn, Problem> {
    let invalid = || Problem::new(Code::InvalidApiKey, "There is no such valid API key.");
    let key = ApiKey::parse(given.trim())
        .map_err(|why| Problem::new(Code::InvalidApiKey, format!("{why}.")))?;
    let mut tx = state.platform_write().await?;
    let found = store::api_keys::valid(&mut tx, key.id()).await?;
    let Some(row) = found.filter(|row| key.matches(&row.secret_sha256)) else {
        drop(tx);
        let caller = Caller::platform(key.id(), operation, request_id);
        state.refused(&caller, path, invalid().code()).await;
        return Err(invalid());
    };
    store::api_keys::touch(&mut tx, &row.id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let role = Role::parse(&row.role)
        .ok_or_else(|| Problem::internal("a stored key has an unknown role"))?;
    let tenant = row.tenant_namespace.as_deref();
    let issued = state.token_key()?.issue(&row.id, &row.name, role, tenant);
    let (access_token, _) = issued.map_err(Problem::internal)?;
    Ok(SignedIn { access_token, role, tenant_namespace: row.tenant_namespace })
}
