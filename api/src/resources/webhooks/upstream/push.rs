//! What a push is, as forges tell it (GitHub, Gitea, Forgejo) and as anybody else may.
use crate::http::body::{self, BodySchema};
use crate::http::examples;
use crate::http::problem::{Code, Problem};
use crate::http::strict_text::StrictText;
use poem_openapi::types::{Example, ParseFromJSON, Type};
use poem_openapi::{Object, Union};

/// A push: our own short form, or a forge's push event.
#[derive(Union)]
#[oai(one_of = false)]
pub(crate) enum PushBody {
    /// Our own form.
    Own(UpstreamPush),
    /// A forge's.
    Forge(ForgePush),
}

/// A push to the source of an image. Give the image or the repository.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(crate) struct UpstreamPush {
    /// The name of the image whose source changed.
    #[oai(validator(min_length = 1, max_length = 63))]
    pub(super) image: Option<StrictText>,
    /// The repository: its last part (without `.git`) is the name of an image, or of the main
    /// package of images.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub(super) repository: Option<StrictText>,
    /// The revision that was pushed: what tells this push from the one before, for the same body
    /// is never taken twice.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[\x21-\x7e]+$"))]
    pub(super) revision: StrictText,
}

impl Example for UpstreamPush {
    fn example() -> Self {
        UpstreamPush {
            image: Some(examples::IMAGE.into()),
            repository: None,
            revision: "3f1c2d9a7b5e4c60".into(),
        }
    }
}

/// The part of a forge's push event that is read; the rest of it is passed over.
#[derive(Object)]
#[oai(example)]
pub(crate) struct ForgePush {
    /// The branch or tag that was pushed, `refs/heads/...` or `refs/tags/...`.
    #[oai(rename = "ref", validator(min_length = 1, max_length = 500))]
    reference: StrictText,
    /// The commit that it points to now.
    #[oai(validator(pattern = "^([0-9a-f]{40}|[0-9a-f]{64})$"))]
    after: StrictText,
    /// Whether it was deleted.
    deleted: Option<bool>,
    /// Where it was pushed.
    repository: ForgeRepository,
}

/// A repository of a forge.
#[derive(Object)]
struct ForgeRepository {
    /// Its name with that of its owner.
    #[oai(validator(min_length = 1, max_length = 500))]
    full_name: StrictText,
    /// The branch that counts.
    #[oai(validator(min_length = 1, max_length = 500))]
    default_branch: Option<StrictText>,
}

impl Example for ForgePush {
    fn example() -> Self {
        ForgePush {
            reference: "refs/heads/main".into(),
            after: "3f1c2d9a7b5e4c603f1c2d9a7b5e4c603f1c2d9a".into(),
            deleted: Some(false),
            repository: ForgeRepository {
                full_name: "nginx/nginx".into(),
                default_branch: Some("main".into()),
            },
        }
    }
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// The source of the image of this name changed.
    Image { name: String, revision: Option<String> },
    /// Something was pushed to this repository.
    Repository { address: String, revision: Option<String> },
    /// Something else, which asks for nothing.
    Ignored { why: &'static str },
}

/// Reads a message whose signature was checked.
pub(super) fn read(event: &str, body: &[u8], schema: &BodySchema) -> Result<Received, Problem> {
    let wrong = |reason: &str| Problem::field("", "what /docs describes", reason);
    if event != "push" {
        return Ok(Received::Ignored { why: "only push events ask for builds" });
    }
    let value = body::parse(body)?;
    if value["repository"].is_object() {
        schema.check_as(&ForgePush::name(), &value)?;
        let push = ForgePush::parse_from_json(Some(value));
        return Ok(of_forge(push.map_err(|error| wrong(&error.into_message()))?));
    }
    schema.check_as(&UpstreamPush::name(), &value)?;
    let push = UpstreamPush::parse_from_json(Some(value));
    let push = push.map_err(|error| wrong(&error.into_message()))?;
    let revision = Some(push.revision.0);
    match (push.image, push.repository) {
        (Some(name), None) => Ok(Received::Image { name: name.0, revision }),
        (None, Some(address)) => Ok(Received::Repository { address: address.0, revision }),
        (Some(_), Some(_)) | (None, None) => {
            let detail = "Give either `image` or `repository`.";
            Err(Problem::new(Code::Contradiction, detail))
        }
    }
}

fn of_forge(push: ForgePush) -> Received {
    if push.deleted == Some(true) || push.after.bytes().all(|b| b == b'0') {
        return Received::Ignored { why: "a branch or tag was deleted" };
    }
    let branch = push.reference.strip_prefix("refs/heads/");
    let default = push.repository.default_branch.as_deref();
    if branch.is_some() && default.is_some() && branch != default {
        return Received::Ignored { why: "only the default branch and tags count" };
    }
    let (address, revision) = (push.repository.full_name.0, Some(push.after.0));
    Received::Repository { address, revision }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::Schemas;
    use serde_json::{Value, json};
    use std::sync::LazyLock;

    /// What the specification says of the operation's body.
    static SCHEMA: LazyLock<BodySchema> = LazyLock::new(|| {
        let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let operation = &document["paths"]["/v1/webhooks/upstream"]["post"];
        BodySchema::of_operation(operation, &Schemas::of_document(&document)).unwrap()
    });

    fn read(event: &str, body: &[u8]) -> Result<Received, Problem> {
        super::read(event, body, &SCHEMA)
    }

    #[test]
    fn only_the_default_branch_and_tags_count() {
        let wish = |reference: &str, after: &str, deleted: bool| {
            let body = json!({"ref": reference, "after": after, "deleted": deleted,
                "repository": {"full_name": "org/nginx", "default_branch": "main", "id": 1}});
            read("push", body.to_string().as_bytes()).unwrap()
        };
        let (commit, none) = ("a".repeat(40), "0".repeat(40));
        for reference in ["refs/heads/main", "refs/tags/v1.2"] {
            let Received::Repository { address, revision } = wish(reference, &commit, false) else {
                panic!("{reference} counts");
            };
            assert_eq!((address.as_str(), revision.as_deref()), ("org/nginx", Some(&*commit)));
        }
        for (reference, after, deleted) in [
            ("refs/heads/feature", &commit, false),
            ("refs/heads/main", &none, false),
            ("refs/tags/v1.2", &commit, true),
        ] {
            assert!(matches!(wish(reference, after, deleted), Received::Ignored { .. }));
        }
        assert!(matches!(read("ping", b"{"), Ok(Received::Ignored { .. })));
    }

    #[test]
    fn other_bodies_are_refused() {
        for (body, code) in [
            (json!({"revision": "r"}), "contradiction"),
            (json!({"image": "a", "repository": "b", "revision": "r"}), "contradiction"),
            (json!({"image": "a"}), "invalid_body"),
            (json!({"image": "a", "revision": "r", "more": 1}), "invalid_body"),
            (json!({"image": 1, "revision": "r"}), "invalid_body"),
            (json!([]), "invalid_body"),
            (json!({"repository": {}}), "invalid_body"),
            (
                json!({"repository": {"full_name": "a/b"}, "ref": "refs/heads/x", "after": "x"}),
                "invalid_body",
            ),
        ] {
            let problem = read("push", body.to_string().as_bytes()).unwrap_err();
            assert_eq!(problem.code(), code, "{body}");
        }
        assert_eq!(read("push", b"\xff").unwrap_err().code(), "invalid_body");
    }
}
