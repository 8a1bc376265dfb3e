//! A push upstream, which asks for builds of what is made from its source.
use super::build::insert_pending;
use super::lookup::{known_image, ordinal};
use super::{Refusal, Requester, position};
use crate::commands;
use crate::read::builds::BuildRow;
use crate::read::definitions::{Source, of_source};
use crate::webhooks::sources::receive;
use sim::command::Command;
use sim::fact::Cause;
use sim::ids::{BuildId, ImageId};
use sqlx::PgConnection;
use std::sync::Arc;

/// The most images that one push rebuilds.
const MAX_IMAGES: i64 = 100;
/// Who asks for the builds of the other images that are made from the same source.
const REQUESTED_BY: &str = "upstream webhook";

/// What was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed<'a> {
    /// The source of the image of this name.
    Image(&'a str),
    /// A repository, by its address: the last part (without `.git`) is the name of an image, or of
    /// the main package of images.
    Repository(&'a str),
}

/// A push, as a source told of it. Its signature has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushRequest<'a> {
    /// The id of the source that signed.
    pub source: &'a str,
    /// The source's name for this delivery, never given twice.
    pub delivery: &'a str,
    /// SHA-256 of the body.
    pub body_sha256: &'a [u8],
    /// What was pushed.
    pub pushed: Pushed<'a>,
    /// The revision that was pushed.
    pub revision: Option<&'a str>,
}

/// Takes the delivery, once, and asks for a build of every image that the push concerns and that is still built. The first counts as
/// the release upstream; the others follow it. A tenant's source rebuilds that tenant's images alone.
///
/// # Errors
/// It was taken before, or it concerns no image, or none that is still built.
pub async fn request(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    push: PushRequest<'_>,
) -> Result<Vec<BuildRow>, Refusal> {
    let PushRequest { source, delivery, body_sha256, pushed, revision } = push;
    commands::lock(conn).await?;
    if !receive(conn, source, requester.tenant(), delivery, body_sha256).await? {
        return Err(Refusal::DeliveryReplayed);
    }
    let position = position(conn).await?;
    let mut sources = concerned(conn, pushed, requester.tenant()).await?;
    sources
        .retain(|source| source.end_of_life_at.is_none_or(|end| end > position.released_through));
    let revision: Option<Arc<str>> = revision.map(Arc::from);
    let mut builds = Vec::with_capacity(sources.len());
    for source in sources {
        let image = ImageId(ordinal(source.id)?);
        let build = PushedBuild { image, is_first: builds.is_empty(), revision: &revision };
        let make = |sequence| build.command(BuildId::of_command(sequence));
        let tenant = &source.tenant_namespace;
        let sequence = commands::submit_for(conn, tenant, make).await?;
        let cause = build.cause();
        builds.push(insert_pending(conn, sequence, source.id, tenant, &cause, &position).await?);
    }
    if builds.is_empty() { Err(Refusal::SourceEndOfLife) } else { Ok(builds) }
}

/// A build that a push asks for. Only the first image's counts as the release upstream, for one push
/// is one release, however many images are made from it.
struct PushedBuild<'a> {
    image: ImageId,
    is_first: bool,
    revision: &'a Option<Arc<str>>,
}

impl PushedBuild<'_> {
    fn command(&self, build: BuildId) -> Command {
        let image = self.image;
        if self.is_first {
            return Command::UpstreamChanged { build, image, revision: self.revision.clone() };
        }
        let requested_by = Some(REQUESTED_BY.into());
        Command::BuildImage { build, image, create: None, requested_by, external: false }
    }

    fn cause(&self) -> Cause {
        if self.is_first {
            return Cause::Upstream { release: None, revision: self.revision.clone() };
        }
        Cause::Manual { requested_by: Some(REQUESTED_BY.into()), external: false }
    }
}

/// The name at the end of a repository's address.
fn last_part(repository: &str) -> Option<&str> {
    let path = repository.trim_end_matches('/');
    let last = path.rsplit(['/', ':']).next()?;
    let name = last.strip_suffix(".git").unwrap_or(last);
    let plain = !name.is_empty() && !name.chars().any(char::is_control);
    plain.then_some(name)
}

/// The images that a push concerns.
async fn concerned(
    conn: &mut PgConnection,
    pushed: Pushed<'_>,
    tenant: Option<&str>,
) -> Result<Vec<Source>, Refusal> {
    match pushed {
        Pushed::Image(name) => {
            let found = known_image(conn, name).await?;
            if tenant.is_some_and(|tenant| tenant != found.tenant_namespace) {
                return Err(Refusal::UnknownImage { name: name.to_owned() });
            }
            Ok(vec![Source {
                id: found.id,
                tenant_namespace: found.tenant_namespace,
                end_of_life_at: found.end_of_life_at,
            }])
        }
        Pushed::Repository(address) => {
            let found = match last_part(address) {
                Some(name) => of_source(conn, name, tenant, MAX_IMAGES).await?,
                None => Vec::new(),
            };
            if found.is_empty() {
                return Err(Refusal::UnknownRepository { address: address.to_owned() });
            }
            Ok(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_known_by_its_last_part() {
        for address in [
            "nginx",
            "https://git.example/org/nginx",
            "https://git.example/org/nginx.git/",
            "git@git.example:org/nginx.git",
            "git@git.example:nginx",
        ] {
            assert_eq!(last_part(address), Some("nginx"), "{address}");
        }
        for address in ["", "/", "https://git.example/.git", "a\0b"] {
            assert_eq!(last_part(address), None, "{address:?}");
        }
    }
}
