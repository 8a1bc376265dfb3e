//! The documents of builds: what there is, and the bytes.
mod download;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::gzip::takes_gzip;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::AsOf;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::resources::builds::events::{example_build, one_build};
use chrono::{DateTime, Utc};
use download::Download;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use store::objects::content_key;
use store::read::artifacts::{ArtifactRow, by_sha256, of_build};
use store::retention::objects::expired_at;

/// The largest document that is given: it is read whole and checked before its first byte is sent.
const MAX_DOCUMENT_BYTES: u64 = 128 << 20;

pub(crate) struct ArtifactsApi(pub(crate) ApiState);

failures! {
    /// The list of a build's documents.
    ListArtifacts: InvalidParameter, UnknownParameter, AsOfInFuture, BuildNotFound
}
failures! {
    /// One document.
    OneArtifact: UnknownParameter, ArtifactNotFound, DocumentDamaged, DocumentExpired,
        ObjectStoreUnavailable
}

/// A stored document.
#[derive(Object)]
struct Artifact {
    /// What it is: `log`, an SBOM, provenance, or a part of the image.
    kind: String,
    /// Its media type.
    media_type: String,
    /// SHA-256 of its bytes.
    sha256: String,
    /// Its size.
    bytes: i64,
    /// The document itself.
    href: String,
}

impl From<ArtifactRow> for Artifact {
    fn from(row: ArtifactRow) -> Self {
        Artifact {
            href: format!("/v1/artifacts/{}", row.sha256),
            kind: row.kind,
            media_type: row.media_type,
            sha256: row.sha256,
            bytes: row.bytes,
        }
    }
}

/// The documents of a build.
#[derive(Object)]
#[oai(example)]
struct ArtifactList {
    /// The documents, by kind; none before the build has ended.
    items: Vec<Artifact>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl Example for ArtifactList {
    fn example() -> Self {
        let row = ArtifactRow {
            kind: "log".to_owned(),
            media_type: "text/plain".to_owned(),
            sha256: "e".repeat(64),
            bytes: 2_048,
        };
        ArtifactList { items: vec![row.into()], as_of: time::example(6), settled: true }
    }
}

impl Resource for ArtifactsApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listArtifacts", Access::Builds), ("getArtifact", Access::Builds)];

    fn new(state: &ApiState) -> Self {
        ArtifactsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Artifacts")]
impl ArtifactsApi {
    /// List a build's artifacts
    ///
    /// The log of every build; of one that published a version, also its SBOMs, its provenance
    /// and the parts of the image.
    #[oai(path = "/v1/builds/:id/artifacts", method = "get", operation_id = "listArtifacts")]
    async fn list(
        &self,
        caller: Caller,
        /// The build's number.
        #[oai(validator(minimum(value = "0")), example = "example_build")]
        id: Path<i64>,
        as_of: AsOf,
    ) -> Result<Json<ArtifactList>, Failure<ListArtifacts>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let build = one_build(&mut snapshot, id.0).await?;
        let rows = match build.finished_at {
            Some(_) => of_build(snapshot.conn(), id.0).await?,
            None => Vec::new(),
        };
        Ok(Json(ArtifactList {
            items: rows.into_iter().map(Artifact::from).collect(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }))
    }

    /// Download an artifact
    ///
    /// Byte for byte what was stored: its SHA-256 is its address, so it never changes. It is checked
    /// against that before it is sent.
    #[oai(path = "/v1/artifacts/:sha256", method = "get", operation_id = "getArtifact")]
    async fn get(
        &self,
        caller: Caller,
        /// SHA-256 of the document, 64 hexadecimal digits.
        #[oai(example = "example_sha256")]
        sha256: Path<String>,
        /// The `ETag` of a copy that is at hand.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
        /// Whether the bytes may come compressed: `gzip`.
        #[oai(name = "Accept-Encoding")]
        accept_encoding: Header<Option<String>>,
    ) -> Result<Download, Failure<OneArtifact>> {
        let missing = || Problem::new(Code::ArtifactNotFound, "No build made such a document.");
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if sha256.len() != 64 || !sha256.bytes().all(hexadecimal) {
            return Err(missing().into());
        }
        let mut tx = self.0.read_tx(&caller).await?;
        let Some(row) = by_sha256(&mut tx, &sha256).await? else {
            let expired = expired_at(&mut tx, &content_key(&sha256)).await?;
            return Err(expired.map_or_else(missing, expired_document).into());
        };
        drop(tx);
        if download::has_copy(if_none_match.as_deref(), &sha256) {
            return Ok(Download::unchanged(&sha256));
        }
        let read = self.0.objects()?.read(&row.object_key, MAX_DOCUMENT_BYTES).await;
        let document = read.map_err(Problem::from)?;
        let packed = document.packed && takes_gzip(accept_encoding.as_deref());
        let body = if packed { document.stored } else { document.content };
        Ok(Download::whole(&sha256, row, body.len() as u64, packed, body))
    }
}

fn expired_document(at: DateTime<Utc>) -> Problem {
    let at = Instant::from(at);
    let detail = format!("The document was removed at {at}, with what it was about.");
    Problem::new(Code::DocumentExpired, detail)
}

fn example_sha256() -> String {
    examples::SHA256.to_owned()
}
