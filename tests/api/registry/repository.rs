//! A repository with an image that can be pulled: version 2 of nginx of the small world, published at
//! 02:30, with a signature and two VEX documents of 02:40 and 04:00.
use crate::support::{Answer, Api, Content, NGINX_BUILD};
use api::Settings;
use documents::Digest;
use documents::bundle::Bundle;
use documents::dsse::Envelope;
use documents::keys::SignerKey;
use documents::statement::image_signature;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use store::objects::{NewObject, content_key};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
const VEX: &str = "https://openvex.dev/ns";

/// The parts of the image, and the API that serves them.
pub(super) struct Repository {
    pub(super) api: Api,
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) layer: Vec<u8>,
    /// The signer of the statements about it.
    pub(super) key: SignerKey,
    /// The digests of the bundles, the newest first.
    pub(super) bundles: Vec<String>,
}

impl Repository {
    /// Served to everybody.
    pub(super) async fn open(name: &str) -> Self {
        let settings = Settings { registry_anonymous: true, ..Settings::default() };
        Self::start(name, settings).await
    }

    pub(super) async fn start(name: &str, settings: Settings) -> Self {
        let limits =
            api::Limits { requests_per_second: 100_000.try_into().unwrap(), ..settings.limits };
        let settings = Settings { limits, ..settings };
        let api = Api::start_with_settings(name, Content::World, settings).await;
        // Larger than what is read as a whole, and nothing that compresses well.
        let mut state = 1_u32;
        let layer: Vec<u8> = (0..400_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let config =
            br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}"#.to_vec();
        let described = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described("application/vnd.oci.image.config.v1+json", &config),
            "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let key = SignerKey::from_seed(b"registry", "test").unwrap();
        let mut repository = Repository { api, manifest, config, layer, key, bundles: Vec::new() };
        repository.write().await;
        repository
    }

    /// The image's digest.
    pub(super) fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// A request without a token.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.anonymous(method, path)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(super) async fn head(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::HEAD, path).send().await.unwrap()).await
    }

    pub(super) async fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    async fn write(&mut self) {
        let (pool, digest_of_image) = (self.api.pool.clone(), self.digest());
        sqlx::query("DELETE FROM attestations").execute(&pool).await.unwrap();
        sqlx::query("UPDATE image_versions SET digest = $1 WHERE build_id = $2")
            .bind(&digest_of_image)
            .bind(NGINX_BUILD)
            .execute(&pool)
            .await
            .unwrap();
        let parts =
            [("manifest", &self.manifest), ("config", &self.config), ("layer", &self.layer)];
        for (kind, bytes) in parts {
            self.api.objects.put_content(bytes.clone().into(), "x/y").await.unwrap();
            sqlx::query("INSERT INTO artifacts VALUES ($1, $2, 'catalogue', 'x/y', $3, $4, $5)")
                .bind(NGINX_BUILD)
                .bind(kind)
                .bind(Digest::of(bytes).hex())
                .bind(i64::try_from(bytes.len()).unwrap())
                .bind(content_key(&Digest::of(bytes).hex()))
                .execute(&pool)
                .await
                .unwrap();
        }
        let subject: Digest = digest_of_image.parse().unwrap();
        let signature = image_signature("nginx", subject).unwrap();
        let mut signature: Value = serde_json::from_slice(&signature).unwrap();
        self.attest(41, SIGNATURE, "02:30", signature.to_string()).await;
        signature["predicateType"] = VEX.into();
        for (seq, at) in [(42, "02:40"), (43, "04:00")] {
            signature["predicate"] = json!({ "timestamp": at });
            self.attest(seq, VEX, at, signature.to_string()).await;
        }
    }

    async fn attest(&mut self, seq: i64, predicate_type: &str, at: &str, statement: String) {
        let envelope = Envelope::sign(&self.key, statement.into_bytes());
        let envelope_sha256 = Digest::of(&envelope.to_json().unwrap());
        let key_hint = "test".to_owned();
        let bundle = Bundle { key_hint, envelope, log_entry: None }.to_json().unwrap();
        let sha256 = Digest::of(&bundle).hex();
        self.bundles.insert(0, digest(&bundle));
        let object = NewObject {
            key: content_key(&sha256),
            bytes: documents::gzip::compress_fast(&bundle).into(),
            media_type: "application/json",
            packed: true,
        };
        self.api.objects.put_all(vec![object]).await.unwrap();
        sqlx::query(
            "INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace,
                created_at, envelope_sha256, payload_sha256, signature, leaf_hash, log_index,
                tree_size, object_key, sha256, bytes)
             SELECT $1, 1, 2, $2, 'catalogue', $3::timestamptz, $4, h, h, h, $1, $1 + 1, $5, $6, $7
             FROM (SELECT decode(repeat('00', 32), 'hex') AS h) AS hash",
        )
        .bind(seq)
        .bind(predicate_type)
        .bind(format!("2026-01-12T{at}:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .bind(envelope_sha256.as_bytes().as_slice())
        .bind(content_key(&sha256))
        .bind(&sha256)
        .bind(i64::try_from(bundle.len()).unwrap())
        .execute(&self.api.pool)
        .await
        .unwrap();
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// Checks that an answer is an error of the specification's form ("Error Codes").
#[track_caller]
pub(super) fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    let errors = body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{body}");
    assert_eq!(errors[0]["code"], code, "{body}");
    assert!(!errors[0]["message"].as_str().unwrap().is_empty(), "{body}");
    for word in ["SELECT", "postgres", "relation", "sqlx", "blobs/sha256"] {
        assert!(!answer.text.contains(word), "{word} reached a client: {body}");
    }
}
