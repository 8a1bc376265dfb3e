//! What forges tell the platform: a push upstream asks for builds.
use super::builds::model::Build;
use super::caller::Caller;
use super::edge::RequestId;
use super::images::create::{Pending, insert_pending, ordinal};
use super::images::is_name;
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, world};
use super::text::Text;
use super::write::Done;
use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use sim::command::Command;
use sim::fact::Cause;
use sim::ids::{BuildId, ImageId};
use std::sync::Arc;
use store::read::images::{Source, definition, of_source};

/// The most images that one push rebuilds.
const MAX_IMAGES: i64 = 100;
/// Who asks for the builds of the other images that are made from the same source.
const REQUESTED_BY: &str = "upstream webhook";

pub(crate) struct WebhooksApi(pub(crate) ApiState);

failures! {
    /// A push that concerns nothing here.
    Push:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, UnknownImage,
        UnknownRepository, ImageEndOfLife
}

/// A push to the source of an image. Give the image or the repository.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct UpstreamPush {
    /// The name of the image whose source changed.
    #[oai(validator(min_length = 1, max_length = 63))]
    image: Option<Text>,
    /// The repository: its last part (without `.git`) is the name of an image, or of the main
    /// package of images.
    #[oai(validator(min_length = 1, max_length = 500))]
    repository: Option<Text>,
    /// The revision that was pushed.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[\x21-\x7e]+$"))]
    revision: Option<Text>,
}

impl Example for UpstreamPush {
    fn example() -> Self {
        UpstreamPush {
            image: Some("nginx".into()),
            repository: None,
            revision: Some("3f1c2d9a7b5e4c60".into()),
        }
    }
}

/// The builds that a push asks for.
#[derive(Object)]
#[oai(example)]
struct PushAccepted {
    /// The builds, one an image, as they wait.
    builds: Vec<Build>,
}

impl Example for PushAccepted {
    fn example() -> Self {
        PushAccepted { builds: vec![Build::example()] }
    }
}

/// The answer to a push.
#[derive(ApiResponse)]
enum PushResponse {
    /// The builds are pending; the `Location` header says where to watch the first.
    #[oai(status = 202)]
    Accepted(
        Json<PushAccepted>,
        /// Where to watch the first build.
        #[oai(header = "Location")]
        String,
    ),
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhooksApi {
    /// Tell of a push upstream
    ///
    /// Asks for a build of every image that is made from the repository. The first counts as the
    /// release upstream (trigger `upstream`); the others follow it (trigger `manual`).
    #[oai(path = "/v1/webhooks/upstream", method = "post", operation_id = "pushUpstream")]
    async fn upstream(
        &self,
        request_id: Data<&RequestId>,
        push: Json<UpstreamPush>,
    ) -> Result<PushResponse, Failure<Push>> {
        let caller = Caller::platform("webhook", "pushUpstream", &request_id.0.0);
        let mut tx = self.0.write(&caller).await?;
        store::commands::lock(&mut tx).await?;
        let position = world(&mut tx).await?;
        let mut sources = sources(&mut tx, &push).await?;
        let built =
            |end: Option<DateTime<Utc>>| end.is_none_or(|end| end > position.released_through);
        sources.retain(|source| built(source.end_of_life_at));
        let revision = push.revision.as_deref().map(Arc::from);
        let mut builds = Vec::with_capacity(sources.len());
        for source in sources {
            let image = ImageId(ordinal(source.id)?);
            let asked = Asked { image, first: builds.is_empty(), revision: &revision };
            let make = |sequence| asked.command(BuildId::of_command(sequence));
            let tenant = &source.tenant_namespace;
            let sequence = store::commands::submit_for(&mut tx, tenant, make).await?;
            let pending =
                Pending { image_id: source.id, tenant_namespace: &source.tenant_namespace };
            let cause = asked.cause();
            builds.push(insert_pending(&mut tx, sequence, pending, &cause, &position).await?);
        }
        let Some(first) = builds.first() else {
            let detail = "No image made from it is built any more.";
            return Err(Problem::new(Code::ImageEndOfLife, detail).into());
        };
        let location = first.href.clone();
        let accepted = PushAccepted { builds };
        let location_of = Some(location.as_str());
        let done = Done { status: 202, object: &location, location: location_of, body: &accepted };
        tx.commit(done).await?;
        Ok(PushResponse::Accepted(Json(accepted), location))
    }
}

/// A build that a push asks for. Only the first image's counts as the release upstream, for one
/// push is one release, however many images are made from it.
struct Asked<'a> {
    image: ImageId,
    first: bool,
    revision: &'a Option<Arc<str>>,
}

impl Asked<'_> {
    fn command(&self, build: BuildId) -> Command {
        let image = self.image;
        if self.first {
            return Command::UpstreamChanged { build, image, revision: self.revision.clone() };
        }
        let requested_by = Some(REQUESTED_BY.into());
        Command::BuildImage { build, image, create: None, requested_by, external: false }
    }

    fn cause(&self) -> Cause {
        if self.first {
            return Cause::Upstream { release: None, revision: self.revision.clone() };
        }
        Cause::Manual { requested_by: Some(REQUESTED_BY.into()), external: false }
    }
}

/// The images that the push concerns.
async fn sources(
    conn: &mut sqlx::PgConnection,
    push: &UpstreamPush,
) -> Result<Vec<Source>, Problem> {
    match (&push.image, &push.repository) {
        (Some(name), None) => {
            let found = if is_name(name) { definition(conn, name).await? } else { None };
            let found = found.ok_or_else(|| {
                Problem::new(Code::UnknownImage, format!("There is no image {:?}.", name.0))
            })?;
            Ok(vec![Source {
                id: found.id,
                tenant_namespace: found.tenant_namespace,
                end_of_life_at: found.end_of_life_at,
            }])
        }
        (None, Some(repository)) => {
            let name = last_part(repository);
            let found = match name {
                Some(name) => of_source(conn, name, MAX_IMAGES).await?,
                None => Vec::new(),
            };
            if found.is_empty() {
                let detail = format!("No image is built from {:?}.", repository.0);
                return Err(Problem::new(Code::UnknownRepository, detail));
            }
            Ok(found)
        }
        (Some(_), Some(_)) | (None, None) => {
            let detail = "Give either `image` or `repository`.";
            Err(Problem::new(Code::Contradiction, detail))
        }
    }
}

/// The last part of a repository's address, without `.git`.
fn last_part(repository: &str) -> Option<&str> {
    let path = repository.trim_end_matches('/');
    let last = path.rsplit(['/', ':']).next()?;
    let name = last.strip_suffix(".git").unwrap_or(last);
    let plain = !name.is_empty() && !name.chars().any(char::is_control);
    plain.then_some(name)
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
