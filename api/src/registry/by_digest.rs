//! Which bundle a manifest is about, found by the manifest's digest: it is in no row, so the manifests of
//! an image are made once and remembered by their digests.
use super::refusal::Failure;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use documents::oci::referrer::{Content, Referrer};
use documents::{Digest, Timestamp};
use lru::LruCache;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::read::registry::{self, Place, ReferrerRow};

/// How many images are remembered by the digests of their referrers.
const IMAGES: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// Which bundle a manifest is about, by its digest.
pub(super) struct ByDigest(Mutex<LruCache<(i64, i64), Arc<OfImage>>>);

/// The bundles about versions of one image up to a fact.
#[derive(Clone)]
struct OfImage {
    through: i64,
    places: HashMap<Digest, (Place, Option<i64>)>,
}

impl Default for ByDigest {
    fn default() -> Self {
        ByDigest(Mutex::new(LruCache::new(IMAGES)))
    }
}

impl ByDigest {
    /// Which bundle about a version of the image has a manifest with that digest.
    pub(super) async fn find(
        &self,
        snapshot: &mut Snapshot,
        image: i64,
        digest: Digest,
    ) -> Result<Option<(Place, Option<i64>)>, Failure> {
        let position = &snapshot.position;
        let (key, sealed) = ((position.generation, image), position.materialized_seq);
        let known = self.lock().get(&key).cloned();
        let known =
            known.unwrap_or_else(|| Arc::new(OfImage { through: -1, places: HashMap::new() }));
        if let Some(found) = known.places.get(&digest) {
            return Ok(Some(found.clone()));
        }
        let rows = registry::bundles_since(snapshot.conn(), image, known.through).await?;
        let mut known = (*known).clone();
        let mut found = None;
        for row in rows {
            let place = (row.seq, row.version, row.predicate_type.clone());
            let (made, fact) = (referrer(&row)?.manifest()?, row.replacement.unwrap_or(row.seq));
            if made.digest == digest {
                found = Some((place.clone(), row.replacement));
            }
            // Bundles of later facts can still be on their way.
            if fact <= sealed {
                known.places.insert(made.digest, (place, row.replacement));
            }
        }
        known.through = known.through.max(sealed);
        self.lock().put(key, Arc::new(known));
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(i64, i64), Arc<OfImage>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The referrer that a row tells of.
pub(super) fn referrer(row: &ReferrerRow) -> Result<Referrer, Failure> {
    let bytes = |bytes: i64| u64::try_from(bytes).map_err(Problem::internal);
    Ok(Referrer {
        subject: Content { digest: row.subject.parse()?, bytes: bytes(row.subject_bytes)? },
        bundle: Content { digest: Digest::from_hex(&row.sha256)?, bytes: bytes(row.bytes)? },
        predicate_type: row.predicate_type.clone(),
        created: Timestamp::from_ms(row.created_at.timestamp_millis())?,
    })
}
