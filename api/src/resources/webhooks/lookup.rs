//! Endpoints and owners that requests name.
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem};
use sqlx::PgConnection;
use store::webhooks::endpoints::{self, EndpointRow};

/// An id of ours, or something that cannot be one.
pub(super) fn plain(id: &str) -> Option<&str> {
    let fits = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fits.then_some(id)
}

pub(super) fn no_endpoint() -> Problem {
    Problem::new(Code::WebhookEndpointNotFound, "There is no such webhook endpoint.")
}

/// What is answered when nothing may be sent.
pub(super) fn disabled() -> Problem {
    Problem::new(Code::WebhookDisabled, "Nothing is sent to this endpoint.")
}

pub(super) async fn one_endpoint(
    conn: &mut PgConnection,
    id: &str,
) -> Result<EndpointRow, Problem> {
    let id = plain(id).ok_or_else(no_endpoint)?;
    endpoints::get(conn, id).await?.ok_or_else(no_endpoint)
}

/// Whose it will be: a tenant's key makes its own, a key of the platform anybody's.
pub(super) async fn owner<'a>(
    conn: &mut PgConnection,
    caller: &'a Caller,
    wanted_namespace: Option<&'a str>,
) -> Result<Option<&'a str>, Problem> {
    let Some(wanted_namespace) = wanted_namespace else { return Ok(caller.tenant()) };
    let known = !wanted_namespace.chars().any(char::is_control)
        && match caller.tenant() {
            Some(own) => own == wanted_namespace,
            None => endpoints::tenant_exists(conn, wanted_namespace).await?,
        };
    if known {
        return Ok(Some(wanted_namespace));
    }
    Err(Problem::new(Code::UnknownTenant, format!("There is no tenant {wanted_namespace:?}.")))
}

/// The id of a source, for examples.
pub(super) const SOURCE: &str = "whs_3b2a190807f6e5d43b2a190807f6e5d4";

/// The same, where a function is wanted.
pub(super) fn example_source() -> String {
    SOURCE.to_owned()
}
