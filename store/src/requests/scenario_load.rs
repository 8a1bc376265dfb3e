//! A request to load a scenario: another world in the place of the one there is.
use super::{Refusal, position};
use crate::world_loads::{self, Load, NewLoad};
use sqlx::PgConnection;

/// Asks for another world. `replace` must name the one there is now, so that none is lost by mistake.
///
/// # Errors
/// There is no world or another one, or a load is under way.
pub async fn request(
    conn: &mut PgConnection,
    replace: &str,
    wanted: &NewLoad<'_>,
) -> Result<Load, Refusal> {
    let current = position(conn).await?.name;
    if current != replace {
        return Err(Refusal::OtherWorld { current, expected: replace.to_owned() });
    }
    let id = world_loads::request(conn, wanted).await?.ok_or(Refusal::LoadUnderWay)?;
    world_loads::find(conn, id).await?.ok_or(Refusal::Vanished { what: "load" })
}
