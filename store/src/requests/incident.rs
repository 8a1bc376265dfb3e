//! A request to inject an incident.
use super::advisory::{self, AdvisoryRequest};
use super::lookup::{known_image, ordinal};
use super::{Refusal, Requester, position, submit};
use crate::read::commands::CommandRow;
use sim::command::Command;
use sim::ids::{BuilderId, ImageId};
use sim::time::SimDuration;
use sqlx::PgConnection;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum IncidentRequest<'a> {
    /// A CVE is disclosed.
    Advisory(AdvisoryRequest<'a>),
    /// Builders go out of service; what they are building is finished first.
    BuilderOutage {
        /// How many.
        builders: u32,
        /// For how long.
        duration: SimDuration,
    },
    /// An attacker replaces the signed provenance of an image's newest version.
    TamperedAttestation {
        /// The image's name.
        image: &'a str,
    },
    /// A builder is not trusted any more.
    DistrustedBuilder(BuilderId),
}

/// Injects an incident.
///
/// # Errors
/// What it names is not there, or the advisory is wrong.
pub async fn request(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    wanted: &IncidentRequest<'_>,
) -> Result<CommandRow, Refusal> {
    position(conn).await?;
    let mut tenant_namespace = requester.namespace().to_owned();
    let command = match wanted {
        IncidentRequest::Advisory(advisory) => advisory::command(conn, advisory).await?,
        IncidentRequest::BuilderOutage { builders, duration } => {
            Command::BuilderOutage { builders: *builders, duration: *duration }
        }
        IncidentRequest::TamperedAttestation { image } => {
            let found = known_image(conn, image).await?;
            tenant_namespace = found.tenant_namespace;
            Command::TamperAttestation { image: ImageId(ordinal(found.id)?) }
        }
        IncidentRequest::DistrustedBuilder(builder) => {
            Command::DistrustBuilder { builder: *builder }
        }
    };
    submit(conn, &tenant_namespace, command).await
}
