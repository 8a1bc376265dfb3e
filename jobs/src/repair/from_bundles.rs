//! Documents out of the bundles that state them: a signed statement carries its document byte for
//! byte, whatever kernel and release have made both.
use crate::error::JobError;
use crate::job::JobContext;
use bytes::Bytes;
use documents::bundle::{Bundle, MAX_BUNDLE_BYTES};
use documents::statement::{PAYLOAD_TYPE, PredicateType, parse};
use documents::{Digest, cyclonedx, spdx};
use std::collections::BTreeSet;
use store::artifacts::{Document, StoredDocument, kind};
use store::objects::content_key;
use store::objects::named::{DamagedObject, StatedDocument, stated};

/// Writes those of the damaged objects that a whole bundle states.
pub(super) async fn repair(ctx: &JobContext, damaged: &[DamagedObject]) -> Result<(), JobError> {
    let rows = damaged.iter().flat_map(|object| &object.rows);
    let wanted: BTreeSet<String> = rows.map(|row| row.sha256.clone()).collect();
    let wanted: Vec<String> = wanted.into_iter().collect();
    let bundles = stated(&mut *ctx.pool.acquire().await?, &wanted).await?;
    for one in bundles {
        let key = content_key(&one.bundle_sha256);
        let bundle = match ctx.objects.get(&key, MAX_BUNDLE_BYTES as u64).await {
            Ok(bundle) => bundle,
            Err(error) if error.is_damage() => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(document) = document_in(&one, &bundle)? {
            let stored = StoredDocument::of(&document);
            ctx.objects.put_all(vec![document.into_object(&stored)]).await?;
        }
    }
    Ok(())
}

/// The document that a bundle states; nothing if it is another one than its row says.
fn document_in(one: &StatedDocument, bundle: &[u8]) -> Result<Option<Document>, JobError> {
    let Some(kind) = PredicateType::from_uri(&one.predicate_type) else { return Ok(None) };
    let payload = Bundle::parse(bundle)?.envelope.payload;
    let predicate = || Ok::<_, documents::Error>(parse(&payload)?.predicate.as_bytes().to_vec());
    let (kind, media_type, bytes) = match kind {
        PredicateType::Provenance => (kind::PROVENANCE, PAYLOAD_TYPE, payload.clone()),
        PredicateType::VulnerabilityScan => (kind::VULN, PAYLOAD_TYPE, payload.clone()),
        PredicateType::Spdx => (kind::SPDX, spdx::MEDIA_TYPE, predicate()?),
        PredicateType::CycloneDx => (kind::CYCLONEDX, cyclonedx::MEDIA_TYPE, predicate()?),
        PredicateType::OpenVex => (kind::OPENVEX, crate::scan::OPENVEX_TYPE, predicate()?),
        PredicateType::ImageSignature => return Ok(None),
    };
    let same = Digest::of(&bytes).hex() == one.sha256;
    Ok(same.then(|| Document { kind, media_type, bytes: Bytes::from(bytes) }))
}
