//! What a worker keeps in memory: parsed SBOMs. They are found by the SHA-256 of their bytes, so
//! an entry is never stale; and they are bounded, so a worker's memory is.
use lru::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

/// How many components all cached SBOMs may hold together: about 50 MB.
const MAX_COMPONENTS: usize = 500_000;

/// A package in an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its name.
    pub name: Arc<str>,
    /// Its apk version.
    pub version: Arc<str>,
}

/// The packages of an SBOM, in document order.
pub type Packages = Arc<[Package]>;

/// The caches of a worker process, shared by its jobs.
#[derive(Debug)]
pub struct Caches {
    sboms: Mutex<Sboms>,
}

#[derive(Debug)]
struct Sboms {
    by_sha256: LruCache<String, Packages>,
    components: usize,
    limit: usize,
}

impl Default for Caches {
    fn default() -> Self {
        Self::new(MAX_COMPONENTS)
    }
}

impl Caches {
    /// Caches that hold SBOMs of at most `max_components` components together.
    pub fn new(max_components: usize) -> Self {
        let by_sha256 = LruCache::unbounded();
        Caches { sboms: Mutex::new(Sboms { by_sha256, components: 0, limit: max_components }) }
    }

    /// The packages of an SBOM that was seen before.
    pub fn sbom(&self, sha256: &str) -> Option<Packages> {
        let mut sboms = self.sboms.lock().unwrap_or_else(PoisonError::into_inner);
        sboms.by_sha256.get(sha256).cloned()
    }

    /// Keeps the packages of an SBOM; the least recently used ones make room.
    pub fn keep_sbom(&self, sha256: &str, packages: &Packages) {
        let mut sboms = self.sboms.lock().unwrap_or_else(PoisonError::into_inner);
        let sboms = &mut *sboms;
        if let Some(before) = sboms.by_sha256.put(sha256.to_owned(), Arc::clone(packages)) {
            sboms.components -= before.len();
        }
        sboms.components += packages.len();
        while sboms.components > sboms.limit
            && let Some((_, oldest)) = sboms.by_sha256.pop_lru()
        {
            sboms.components -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(count: usize) -> Packages {
        let package = Package { name: "keel".into(), version: "1.0-r0".into() };
        vec![package; count].into()
    }

    #[test]
    fn the_oldest_make_room() {
        let caches = Caches::new(10);
        caches.keep_sbom("a", &packages(4));
        caches.keep_sbom("b", &packages(4));
        assert!(caches.sbom("a").is_some());
        caches.keep_sbom("c", &packages(4));
        assert!(caches.sbom("b").is_none(), "b was used least recently");
        assert!(caches.sbom("a").is_some() && caches.sbom("c").is_some());
        caches.keep_sbom("c", &packages(6));
        assert!(caches.sbom("a").is_some(), "replacing counts the new size only");
        caches.keep_sbom("huge", &packages(11));
        assert!(caches.sbom("huge").is_none(), "what never fits is not kept");
    }
}
