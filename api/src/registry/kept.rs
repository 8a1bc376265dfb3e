//! Small content that is kept in memory, a bounded number of bytes of it: the one that was not asked for
//! the longest is forgotten first.
use super::path::Evidence;
use bytes::Bytes;
use documents::Digest;
use lru::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is kept, bytes.
const LIMIT_BYTES: usize = 32 << 20;

/// Some content with its media type.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) media_type: Arc<str>,
    pub(super) bytes: Bytes,
}

/// An image, what kind of evidence is shown of it, and a digest: who may see the first may see the rest.
pub(super) type Key = (i64, Evidence, Digest);

/// What is kept.
pub(super) struct Kept(Mutex<Inner>);

struct Inner {
    pieces: LruCache<Key, Piece>,
    bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Kept(Mutex::new(Inner { pieces: LruCache::unbounded(), bytes: 0 }))
    }
}

impl Kept {
    /// What is kept under a key.
    pub(super) fn get(&self, key: &Key) -> Option<Piece> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.pieces.get(key).cloned()
    }

    /// Keeps a piece for as long as there is room for it.
    pub(super) fn put(&self, key: Key, piece: Piece) {
        if piece.bytes.len() > LIMIT_BYTES / 4 {
            return;
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.bytes += piece.bytes.len();
        if let Some(before) = inner.pieces.put(key, piece) {
            inner.bytes -= before.bytes.len();
        }
        while inner.bytes > LIMIT_BYTES {
            let Some((_, oldest)) = inner.pieces.pop_lru() else { break };
            inner.bytes -= oldest.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let kept = Kept::default();
        let key = |n: i64| (n, Evidence::Genuine, Digest::of(b"x"));
        let piece = |bytes: usize| Piece { media_type: "a/b".into(), bytes: vec![0; bytes].into() };
        for n in 0..5 {
            kept.put(key(n), piece(LIMIT_BYTES / 4));
        }
        assert!(kept.get(&key(0)).is_none() && kept.get(&key(1)).is_some());
        kept.put(key(9), piece(LIMIT_BYTES));
        assert!(kept.get(&key(9)).is_none() && kept.get(&key(4)).is_some());
        // The same once more takes no more room.
        kept.put(key(4), piece(LIMIT_BYTES / 4));
        assert!(kept.get(&key(1)).is_some());
        assert!(kept.get(&(1, Evidence::Tampered, Digest::of(b"x"))).is_none());
    }
}
