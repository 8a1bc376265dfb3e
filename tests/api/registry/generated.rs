//! A repository of what a program makes of the world, beside those of images.
use super::repository::{INDEX, MANIFEST, Repository, assert_refused, digest};
use api::{GeneratedArtifact, GeneratedRepository, Settings};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use reqwest::Method;
use sqlx::PgConnection;
use std::sync::Arc;

const BLOB: &[u8] = b"made of the world";

/// What it makes names the instant that it was asked for; before 02:00 there is nothing.
#[derive(Debug)]
struct Scanner;

impl GeneratedRepository for Scanner {
    fn name(&self) -> &str {
        "wavetank/scanner-db"
    }

    fn artifact<'a>(
        &'a self,
        _conn: &'a mut PgConnection,
        as_of: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<Option<Arc<GeneratedArtifact>>>> {
        Box::pin(async move {
            if as_of < "2026-01-12T02:00:00Z".parse::<DateTime<Utc>>()? {
                return Ok(None);
            }
            let manifest = format!("{{\"at\":\"{}\"}}", as_of.to_rfc3339());
            let tags = vec!["latest".to_owned(), "2".to_owned()];
            let blobs = vec![BLOB.into()];
            let artifact = GeneratedArtifact::new(tags, MANIFEST, manifest.into(), blobs);
            Ok(Some(Arc::new(artifact)))
        })
    }
}

#[tokio::test]
async fn an_artifact_is_served_as_of_an_instant() {
    let generated: Vec<Arc<dyn GeneratedRepository>> = vec![Arc::new(Scanner)];
    let settings = Settings { registry_anonymous: true, generated, ..Settings::default() };
    let repository = Repository::start("registry_generated", settings).await;
    let tags = repository.get("/v2/wavetank/scanner-db/tags/list?n=1").await;
    assert_eq!(tags.json()["tags"], serde_json::json!(["2"]));
    assert!(tags.headers.contains_key("link"));
    for (view, at) in [("", "06:00"), ("as-of/20260112t030000z/", "03:00")] {
        let name = format!("/v2/{view}wavetank/scanner-db");
        let manifest = repository.get(&format!("{name}/manifests/2")).await;
        assert_eq!(manifest.text, format!("{{\"at\":\"2026-01-12T{at}:00+00:00\"}}"));
        assert_eq!(manifest.header("content-type"), MANIFEST);
        let by_digest = format!("{name}/manifests/{}", digest(manifest.text.as_bytes()));
        assert_eq!(repository.get(&by_digest).await.text, manifest.text);
        assert_refused(
            &repository.get(&format!("{name}/manifests/3")).await,
            404,
            "MANIFEST_UNKNOWN",
        );
        let blob = format!("{name}/blobs/{}", digest(BLOB));
        assert_eq!(repository.bytes(&blob).await, BLOB);
        let part = repository.request(Method::GET, &blob).header("Range", "bytes=5-6");
        assert_eq!(part.send().await.unwrap().text().await.unwrap(), "of");
        let other = repository.get(&format!("{name}/blobs/{}", digest(b"other"))).await;
        assert_refused(&other, 404, "BLOB_UNKNOWN");
        let referrers = repository.get(&format!("{name}/referrers/{}", digest(BLOB))).await;
        assert_eq!((referrers.status.as_u16(), referrers.header("content-type")), (200, INDEX));
    }
    let early = repository.get("/v2/as-of/20260112t010000z/wavetank/scanner-db/tags/list").await;
    assert_refused(&early, 401, "UNAUTHORIZED");
}
