//! The repository `wavetank/trust`: what a verifier of the world's statements has to trust, so that nothing
//! but the registry is needed to verify an image.
use crate::http::generated::{GeneratedArtifact, GeneratedRepository};
use chrono::{DateTime, Utc};
use documents::oci::MANIFEST_TYPE;
use documents::oci::referrer::{EMPTY, EMPTY_TYPE};
use documents::world_keys::WorldKeys;
use documents::{Digest, Timestamp, trusted_root};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::Arc;
use store::world;

const NAME: &str = "wavetank/trust";
const TYPE: &str = "application/vnd.wavetank.trust.v1";

/// The public key of the signer as `cosign.pub`, and the log's as `trusted_root.json`.
#[derive(Debug)]
pub(super) struct Trust;

impl GeneratedRepository for Trust {
    fn name(&self) -> &str {
        NAME
    }

    fn artifact<'a>(
        &'a self,
        conn: &'a mut PgConnection,
        _as_of: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<Option<Arc<GeneratedArtifact>>>> {
        Box::pin(async move {
            let Some(found) = world::find(conn).await? else { return Ok(None) };
            let origin = found.origin;
            let identity = WorldKeys::of(&origin.scenario_sha256, origin.seed, None)?.identity;
            let start = Timestamp::from_ms(origin.starts_at.0)?;
            let root = trusted_root::document(&identity.log_url(), &identity.log, start)?;
            let key = origin.signer_key.into_bytes();
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "artifactType": TYPE,
                "config": described(EMPTY_TYPE, EMPTY, None),
                "layers": [
                    described("application/x-pem-file", &key, Some("cosign.pub")),
                    described(trusted_root::MEDIA_TYPE, &root, Some("trusted_root.json")),
                ],
            });
            let blobs = vec![EMPTY.into(), key.into(), root.into()];
            let manifest = manifest.to_string().into();
            let tags = vec!["latest".to_owned()];
            let artifact = GeneratedArtifact::new(tags, MANIFEST_TYPE, manifest, blobs);
            Ok(Some(Arc::new(artifact)))
        })
    }
}

fn described(media_type: &str, bytes: &[u8], title: Option<&str>) -> Value {
    let (digest, size) = (Digest::of(bytes).to_string(), bytes.len());
    let mut described = json!({ "mediaType": media_type, "digest": digest, "size": size });
    if let Some(title) = title {
        described["annotations"] = json!({ "org.opencontainers.image.title": title });
    }
    described
}
