//! What forges tell the platform: a push upstream asks for builds.
use super::builds::model::Build;
use super::images::create::{Pending, insert_pending, ordinal};
use super::images::is_name;
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, world};
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
    image: Option<String>,
    /// The repository: its last part (without `.git`) is the name of an image, or of the main
    /// package of images.
    #[oai(validator(min_length = 1, max_length = 500))]
    repository: Option<String>,
    /// The revision that was pushed.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[\x21-\x7e]+$"))]
    revision: Option<String>,
}

impl Example for UpstreamPush {
    fn example() -> Self {
        UpstreamPush {
            image: Some("nginx".to_owned()),
            repository: None,
            revision: Some("3f1c2d9a7b5e4c60".to_owned()),
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
    /// Asks for a build of every image that is made from the repository.
    #[oai(path = "/v1/webhooks/upstream", method = "post", operation_id = "pushUpstream")]
    async fn upstream(&self, push: Json<UpstreamPush>) -> Result<PushResponse, Failure<Push>> {
        let mut tx = self.0.write().await?;
        store::commands::lock(&mut tx).await?;
        let position = world(&mut tx).await?;
        let revision: Option<Arc<str>> = push.revision.as_deref().map(Arc::from);
        let cause = Cause::Upstream { release: None, revision: revision.clone() };
        let mut builds = Vec::new();
        for source in sources(&mut tx, &push).await? {
            if source.end_of_life_at.is_some_and(|end| end <= position.released_through) {
                continue;
            }
            let image = ImageId(ordinal(source.id)?);
            let revision = revision.clone();
            let make = |sequence| Command::UpstreamChanged {
                build: BuildId::of_command(sequence),
                image,
                revision,
            };
            let sequence = store::commands::submit(&mut tx, make).await?;
            let pending =
                Pending { image_id: source.id, tenant_namespace: &source.tenant_namespace };
            builds.push(insert_pending(&mut tx, sequence, pending, &cause, &position).await?);
        }
        let Some(first) = builds.first() else {
            let detail = "No image made from it is built any more.";
            return Err(Problem::new(Code::ImageEndOfLife, detail).into());
        };
        let location = first.href.clone();
        tx.commit().await?;
        Ok(PushResponse::Accepted(Json(PushAccepted { builds }), location))
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
                Problem::new(Code::UnknownImage, format!("There is no image {name:?}."))
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
                let detail = format!("No image is built from {repository:?}.");
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
