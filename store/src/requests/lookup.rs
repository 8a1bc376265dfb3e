//! What requests name, found in the world.
use super::Refusal;
use crate::error::Error;
use crate::read::definitions::{Definition, definition};
use crate::read::world::Position;
use crate::read::{customers, world};
use sim::ids::{BuildId, CustomerId};
use sim::scenario::units::Name;
use sqlx::PgConnection;

/// Where the world stands.
///
/// # Errors
/// There is no world, or the database failed.
pub async fn position(conn: &mut PgConnection) -> Result<Position, Refusal> {
    world::position(conn).await?.ok_or(Refusal::NoWorld)
}

/// An id as the kernel counts it.
pub(super) fn ordinal(id: i64) -> Result<u32, Refusal> {
    u32::try_from(id).map_err(|_| Refusal::Store(Error::OutOfRange { what: "ordinal", value: id }))
}

/// A sequence number as a row has it.
pub(super) fn row_id(sequence: u64) -> Result<i64, Refusal> {
    let out_of_range = |_| Error::OutOfRange { what: "sequence number", value: i64::MAX };
    i64::try_from(sequence).map_err(out_of_range).map_err(Refusal::Store)
}

/// The row of the build that a command asks for.
pub(super) fn build_row_id(sequence: u64) -> Result<i64, Refusal> {
    row_id(BuildId::of_command(sequence).0)
}

/// The definition of the image of this name, whosever it is.
pub(super) async fn image(
    conn: &mut PgConnection,
    name: &str,
) -> Result<Option<Definition>, Refusal> {
    if !Name::is_valid(name) {
        return Ok(None);
    }
    Ok(definition(conn, name).await?)
}

/// The same; it must be there.
pub(super) async fn known_image(
    conn: &mut PgConnection,
    name: &str,
) -> Result<Definition, Refusal> {
    image(conn, name).await?.ok_or_else(|| Refusal::UnknownImage { name: name.to_owned() })
}

/// The customer with this namespace.
pub(super) async fn customer(
    conn: &mut PgConnection,
    tenant: &str,
) -> Result<Option<CustomerId>, Refusal> {
    if !is_plain(tenant) {
        return Ok(None);
    }
    let id = customers::id(conn, tenant).await?;
    id.map(|id| ordinal(id).map(CustomerId)).transpose()
}

/// Whether a text holds no control characters.
pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
