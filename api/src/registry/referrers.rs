//! What refers to a version: the bundles about it, as cosign 3 stores them, made from rows. The same rows
//! give the same manifests, so nothing of them is stored.
use super::answer::{ASK_AGAIN, sha256, typed};
use super::by_digest::referrer;
use super::kept::Piece;
use super::lists;
use super::path::{AskedDigest, Evidence};
use super::refusal::{Failure, OciCode, Refusal};
use super::service::{Registry, View};
use crate::http::problem::Problem;
use documents::Digest;
use documents::bundle::{self, Bundle};
use documents::dsse::Envelope;
use documents::keys::SignerKey;
use documents::oci::referrer::{Content, ENVELOPE_TYPE, Referrer, attached_envelopes, index};
use documents::oci::{Blob, INDEX_TYPE};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Request, Response};
use serde_json::Value;
use store::read::registry::{self, Place, ReferrerRow};

/// The most descriptors in one answer: about 500 bytes each, and an index may have 4 MiB. Clients that read
/// the first page alone get what there is.
const MAX_PAGE: usize = 4000;
/// The most envelopes that a tag for cosign 2 lists, the newest first: each is read for it.
const MAX_ENVELOPES: i64 = 64;

/// Says of a list that it was filtered (distribution-spec 1.1, "Listing Referrers").
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

impl Registry {
    /// The list of what refers to a digest.
    pub(super) async fn referrers(
        &self,
        view: &mut View<'_>,
        asked: &AskedDigest,
        request: &Request,
    ) -> Result<Response, Failure> {
        let repository = view.repository;
        let image = view.image().await?;
        if !repository.referrers_api {
            // As a registry answers that does not know this path.
            return Err(Refusal::new(OciCode::Unsupported, "there is no referrers API here")
                .status(StatusCode::NOT_FOUND)
                .into());
        }
        let wanted = lists::referrers_query(request, MAX_PAGE)?;
        let filtered = wanted.artifact_type.as_ref();
        let none = filtered.is_some_and(|kind| kind != bundle::MEDIA_TYPE);
        let mut listed = Vec::new();
        let mut more = None;
        if let Some(digest) = sha256(asked).filter(|_| !none && wanted.n > 0) {
            let limit = i64::try_from(wanted.n + 1).map_err(Problem::internal)?;
            let mut rows = self.rows(view, image, &digest, wanted.after.as_ref(), limit).await?;
            if rows.len() > wanted.n {
                rows.truncate(wanted.n);
                more = rows.last().map(lists::place_text);
            }
            listed = self.shown(image, repository.evidence, rows).await?;
        }
        let made = index(&listed)?;
        let mut response = typed(INDEX_TYPE, made.bytes.into());
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
        if filtered.is_some() {
            headers.insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
        }
        if let Some(after) = more {
            let (name, digest, n) = (&repository.name, asked.text(), wanted.n);
            let kind = filtered.map(|kind| format!("&artifactType={}", lists::encoded(kind)));
            let kind = kind.unwrap_or_default();
            lists::next(
                headers,
                &format!("/v2/{name}/referrers/{digest}?n={n}&last={after}{kind}"),
            );
        }
        Ok(response)
    }

    async fn rows(
        &self,
        view: &mut View<'_>,
        image: i64,
        digest: &Digest,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<Vec<ReferrerRow>, Failure> {
        if view.repository.evidence == Evidence::Unsigned {
            return Ok(Vec::new());
        }
        let (as_of, subject) = (view.snapshot.as_of().datetime(), digest.to_string());
        let of = (image, subject.as_str());
        Ok(registry::referrers(view.snapshot.conn(), as_of, of, after, limit).await?)
    }

    /// The rows as referrers of that kind of evidence. What is wrong on purpose is kept: its digest is
    /// asked for next.
    async fn shown(
        &self,
        image: i64,
        evidence: Evidence,
        rows: Vec<ReferrerRow>,
    ) -> Result<Vec<Referrer>, Failure> {
        let mut shown = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut one = referrer(row)?;
            if evidence != Evidence::Genuine {
                let wrong = falsified(self.bundle(&row.object_key).await?, evidence)?.to_json()?;
                one.bundle = content(&wrong);
                let piece = Piece { media_type: bundle::MEDIA_TYPE.into(), bytes: wrong.into() };
                self.made.put((image, evidence, one.bundle.digest), piece);
                self.keep(image, evidence, one.manifest()?);
            }
            shown.push(one);
        }
        Ok(shown)
    }

    /// What stands under a tag that names a digest: `sha256-<hex>`, the list of referrers where there is no
    /// API for them; `sha256-<hex>.att`, where cosign 2 and OpenVEX's discovery look for statements.
    pub(super) async fn of_referrers(
        &self,
        view: &mut View<'_>,
        image: i64,
        tag: &str,
    ) -> Result<Option<Blob>, Failure> {
        let Some(rest) = tag.strip_prefix("sha256-") else { return Ok(None) };
        let (hex, attached) = match rest.strip_suffix(".att") {
            Some(hex) => (hex, true),
            None => (rest, false),
        };
        let Ok(digest) = Digest::from_hex(hex) else { return Ok(None) };
        let evidence = view.repository.evidence;
        if !attached && view.repository.referrers_api {
            return Ok(None);
        }
        let limit = if attached { MAX_ENVELOPES } else { i64::try_from(MAX_PAGE).unwrap_or(1000) };
        let rows = self.rows(view, image, &digest, None, limit).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        if !attached {
            return Ok(Some(index(&self.shown(image, evidence, rows).await?)?));
        }
        let mut envelopes = Vec::with_capacity(rows.len());
        for row in &rows {
            let found = falsified(self.bundle(&row.object_key).await?, evidence)?;
            let envelope = found.envelope.to_json()?;
            envelopes.push((content(&envelope), row.predicate_type.as_str()));
            let digest = Digest::of(&envelope);
            let piece = Piece { media_type: ENVELOPE_TYPE.into(), bytes: envelope.into() };
            self.made.put((image, evidence, digest), piece);
        }
        Ok(Some(attached_envelopes(&envelopes)?))
    }

    /// The manifest of a referrer, by its digest alone.
    pub(super) async fn of_referrer(
        &self,
        view: &mut View<'_>,
        image: i64,
        digest: Digest,
    ) -> Result<Option<Blob>, Failure> {
        // What is wrong on purpose is known from its list alone.
        if view.repository.evidence != Evidence::Genuine {
            return Ok(None);
        }
        let Some((place, replacement)) = self.index.find(&mut view.snapshot, image, digest).await?
        else {
            return Ok(None);
        };
        let as_of = view.snapshot.as_of().datetime();
        let conn = view.snapshot.conn();
        let row = registry::bundle(conn, as_of, image, &place, replacement).await?;
        let made = row.map(|row| referrer(&row)?.manifest().map_err(Failure::from)).transpose()?;
        Ok(made.filter(|made| made.digest == digest))
    }
}

fn content(bytes: &[u8]) -> Content {
    Content { digest: Digest::of(bytes), bytes: bytes.len() as u64 }
}

/// The bundle with what is wrong with it on purpose.
fn falsified(mut bundle: Bundle, evidence: Evidence) -> Result<Bundle, Failure> {
    match evidence {
        Evidence::Genuine | Evidence::Unsigned => {}
        Evidence::WrongKey => {
            let key = SignerKey::from_seed(b"nobody trusts this key", "registry")?;
            let statement = std::mem::take(&mut bundle.envelope.payload);
            bundle.envelope = Envelope::sign(&key, statement);
        }
        Evidence::Tampered => {
            let payload = &bundle.envelope.payload;
            let mut statement: Value =
                serde_json::from_slice(payload).map_err(Problem::internal)?;
            let predicate = &mut statement["predicate"];
            if let Some(members) = predicate.as_object_mut() {
                members.insert("tampered".to_owned(), true.into());
            } else {
                *predicate = serde_json::json!({ "tampered": true });
            }
            bundle.envelope.payload = statement.to_string().into_bytes();
        }
    }
    Ok(bundle)
}

/// An index without anything in it, for a repository without referrers.
pub(super) fn nothing() -> Result<Response, Failure> {
    let made = index(&[])?;
    Ok(typed(INDEX_TYPE, made.bytes.into()))
}
