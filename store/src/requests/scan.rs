//! Requests for a scan and for an evaluation of SLA timers.
use super::lookup::{known_image, ordinal};
use super::{Refusal, Requester, position, submit};
use crate::read::commands::CommandRow;
use sim::command::Command;
use sim::ids::ImageId;
use sqlx::PgConnection;

/// Asks for a scan of the versions in use, of one image or of all.
///
/// # Errors
/// There is no such image.
pub async fn scan(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    image: Option<&str>,
) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    let image = match image {
        Some(name) => Some(ImageId(ordinal(known_image(conn, name).await?.id)?)),
        None => None,
    };
    submit(conn, requester.namespace(), Command::Scan { image }).await
}

/// Asks for an evaluation of all SLA timers.
///
/// # Errors
/// There is no world.
pub async fn sla_check(
    conn: &mut PgConnection,
    requester: Requester<'_>,
) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    submit(conn, requester.namespace(), Command::CheckSla).await
}
