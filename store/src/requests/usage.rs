//! Requests about what customers run: follow an image's tag, pin a digest, or stop.
use super::lookup::{self, customer, ordinal};
use super::{Refusal, position, submit};
use crate::catalogue::SHARED_NAMESPACE;
use crate::read::commands::{CommandRow, uses, version_of};
use crate::read::definitions::Definition;
use sim::catalogue::Runtime;
use sim::command::Command;
use sim::ids::{CustomerId, ImageId};
use sqlx::PgConnection;
use std::sync::Arc;

/// How a customer uses an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRequest<'a> {
    /// The customer's namespace.
    pub tenant: &'a str,
    /// The image's name: one of the catalogue or the customer's own.
    pub image: &'a str,
    /// The digest to pin; none: the tag is followed, with the customer's adoption lag.
    pub digest: Option<&'a str>,
    /// Where and how it runs; none: it stays as it is, or is made up.
    pub runtime: Option<Runtime>,
}

/// Lets a customer use an image, or changes how it does.
///
/// # Errors
/// There is no such customer, image or digest.
pub async fn begin(
    conn: &mut PgConnection,
    wanted: UsageRequest<'_>,
) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    let customer = known_customer(conn, wanted.tenant).await?;
    let image = image(conn, wanted.image, wanted.tenant).await?;
    let image = image.ok_or_else(|| Refusal::UnknownImage { name: wanted.image.to_owned() })?;
    let pin = match wanted.digest {
        Some(digest) => {
            let unknown = || Refusal::UnknownDigest { digest: digest.to_owned() };
            let version = version_of(conn, image.id, digest).await?.ok_or_else(unknown)?;
            Some(ordinal(version.into())?)
        }
        None => None,
    };
    let image = ImageId(ordinal(image.id)?);
    let runtime = wanted.runtime.map(Arc::new);
    submit(conn, wanted.tenant, Command::UseImage { customer, image, pin, runtime }).await
}

/// Ends a customer's use of an image.
///
/// # Errors
/// There is no such customer, or it does not use the image.
pub async fn end(conn: &mut PgConnection, tenant: &str, name: &str) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    let customer = known_customer(conn, tenant).await?;
    let not_used = || Refusal::UsageNotFound { image: name.to_owned() };
    let found = image(conn, name, tenant).await?.ok_or_else(not_used)?;
    if !uses(conn, i64::from(customer.0), found.id).await? {
        return Err(not_used());
    }
    let image = ImageId(ordinal(found.id)?);
    submit(conn, tenant, Command::EndUse { customer, image }).await
}

async fn known_customer(conn: &mut PgConnection, tenant: &str) -> Result<CustomerId, Refusal> {
    let unknown = || Refusal::UnknownCustomer { tenant: tenant.to_owned() };
    customer(conn, tenant).await?.ok_or_else(unknown)
}

/// An image that a tenant may run: a shared one, or its own.
async fn image(
    conn: &mut PgConnection,
    name: &str,
    tenant: &str,
) -> Result<Option<Definition>, Refusal> {
    let found = lookup::image(conn, name).await?;
    Ok(found.filter(|image| [SHARED_NAMESPACE, tenant].contains(&&*image.tenant_namespace)))
}
