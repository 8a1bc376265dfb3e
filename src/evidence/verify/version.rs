//! One version: its blobs are those of its digest, its documents agree with each other, its bundles
//! are signed, logged and about it, and its level is what its provenance proves.
use super::log::CheckedLog;
use super::report::{Anchors, Report};
use crate::evidence::{
    BUILD_LOG, CYCLONEDX, IMAGE, ImageFile, OPENVEX, PROVENANCE, SLSA, SPDX, SPDX_3, SlsaFile,
    VersionFiles, blob_file, bundle_file,
};
use bytes::Bytes;
use documents::bundle::{Bundle, Expectation};
use documents::sbom::{self, NameVersion};
use documents::statement::{PredicateType, parse};
use documents::{Digest, oci, slsa_level, spdx3};
use serde_json::Value;

/// Whether the files are about that digest.
pub(super) fn is_of(files: &VersionFiles, digest: &str) -> bool {
    image(files).is_ok_and(|image| image.digest == digest)
}

fn image(files: &VersionFiles) -> Result<ImageFile, String> {
    let bytes = files.files.get(IMAGE).ok_or("it is missing")?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Checks all of it.
pub(super) fn check(
    files: &VersionFiles,
    anchors: &Anchors,
    log: Option<&CheckedLog>,
    report: &mut Report,
) {
    let mut checker = Checker { files, anchors, log, report };
    checker.report.versions += 1;
    for (name, why) in &files.unreadable {
        checker.problem(name, why);
    }
    let image = match image(files) {
        Ok(image) => image,
        Err(why) => return checker.problem(IMAGE, why),
    };
    let digest = match image.digest.parse::<Digest>() {
        Ok(digest) => digest,
        Err(error) => return checker.problem(IMAGE, error),
    };
    checker.blobs(digest);
    checker.sboms();
    for kind in PredicateType::ALL {
        checker.bundle(kind, digest);
    }
    checker.level(&image, digest);
}

/// A bundle about a version, for itself: it is given back if it is signed, logged and about that
/// digest.
pub(super) fn check_bundle(
    place: &str,
    (kind, digest): (PredicateType, Digest),
    bytes: &[u8],
    anchors: &Anchors,
    log: Option<&CheckedLog>,
    report: &mut Report,
) -> Option<Bundle> {
    let files = &VersionFiles { place: place.to_owned(), ..VersionFiles::default() };
    let mut checker = Checker { files, anchors, log, report };
    checker.signed(&bundle_file(kind.as_str()), bytes, kind, digest)
}

struct Checker<'a> {
    files: &'a VersionFiles,
    anchors: &'a Anchors,
    log: Option<&'a CheckedLog>,
    report: &'a mut Report,
}

impl<'a> Checker<'a> {
    fn problem(&mut self, name: &str, reason: impl ToString) {
        let place = format!("{}/{name}", self.files.place);
        self.report.problem(place, reason);
    }

    /// A file, if it is there; one that could not be read has been told of already.
    fn file(&mut self, name: &str) -> Option<&'a Bytes> {
        let file = self.files.files.get(name);
        if file.is_none() && !self.files.unreadable.iter().any(|(lost, _)| lost == name) {
            self.problem(name, "it is missing");
        }
        file
    }

    /// The manifest is that of the digest, and the blobs that it names are there and whole.
    fn blobs(&mut self, digest: Digest) {
        let name = blob_file(&digest.hex());
        let Some(manifest) = self.blob(digest) else { return };
        match oci::blobs_of(manifest) {
            Ok(blobs) => {
                for blob in blobs {
                    self.blob(blob);
                }
            }
            Err(error) => self.problem(&name, error),
        }
    }

    fn blob(&mut self, digest: Digest) -> Option<&'a Bytes> {
        let name = blob_file(&digest.hex());
        let blob = self.file(&name)?;
        self.report.documents += 1;
        let found = Digest::of(blob);
        if found != digest {
            self.problem(&name, format!("its digest is {found}"));
            return None;
        }
        Some(blob)
    }

    /// Both SBOMs can be read and list the same packages.
    fn sboms(&mut self) {
        let mut lists = Vec::new();
        for name in [SPDX, CYCLONEDX] {
            let Some(document) = self.file(name) else { continue };
            self.report.documents += 1;
            match sbom::parse_components(document) {
                Ok(mut packages) => {
                    packages.sort_unstable();
                    lists.push(packages);
                }
                Err(error) => self.problem(name, error),
            }
        }
        if let [spdx, cyclonedx] = lists.as_slice()
            && spdx != cyclonedx
        {
            self.problem(CYCLONEDX, format!("it lists other packages than {SPDX}"));
        }
        self.spdx3(lists.first());
        if self.file(BUILD_LOG).is_some() {
            self.report.documents += 1;
        }
    }

    /// The SPDX 3 document, which an export makes of the other one, lists the same packages.
    fn spdx3(&mut self, spdx: Option<&Vec<NameVersion<'_>>>) {
        let (Some(found), Some(spdx)) = (self.files.files.get(SPDX_3), spdx) else { return };
        self.report.documents += 1;
        let same = match spdx3::components(found) {
            Ok(found) => {
                let found = found.iter().map(|(name, version)| (&**name, &**version));
                found.eq(spdx.iter().map(|(name, version)| (&**name, &**version)))
            }
            Err(error) => return self.problem(SPDX_3, error),
        };
        if !same {
            self.problem(SPDX_3, format!("it lists other packages than {SPDX}"));
        }
    }

    /// A bundle: signed by the world's signer, in the world's log, about this version, and stating
    /// the document that stands beside it.
    fn bundle(&mut self, kind: PredicateType, digest: Digest) {
        let name = bundle_file(kind.as_str());
        if kind == PredicateType::OpenVex
            && !self.files.files.contains_key(&name)
            && !self.files.files.contains_key(OPENVEX)
            && self.is_clean()
        {
            // Release 0.1.0 wrote no VEX document where a scan had found nothing.
            return;
        }
        let Some(bytes) = self.file(&name) else { return };
        let Some(bundle) = self.signed(&name, bytes, kind, digest) else { return };
        self.stated(&name, kind, &bundle.envelope.payload);
    }

    /// The bundle, if it is signed, logged and about this version.
    fn signed(
        &mut self,
        name: &str,
        bytes: &[u8],
        kind: PredicateType,
        digest: Digest,
    ) -> Option<Bundle> {
        self.report.bundles += 1;
        let bundle = match Bundle::parse(bytes) {
            Ok(bundle) => bundle,
            Err(error) => {
                self.problem(name, error);
                return None;
            }
        };
        let identity = &self.anchors.identity;
        let expected = Expectation {
            signer: &identity.signer,
            log: Some(identity.log_identity()),
            subject: digest,
            predicate_type: kind,
        };
        if let Err(error) = bundle.verify(&expected) {
            self.problem(name, error);
            return None;
        }
        let entry = bundle.log_entry.as_ref();
        if let (Some(entry), Ok(valid)) = (entry, &self.anchors.log_validity)
            && let Some(objection) = valid.objection(entry.integrated_seconds)
        {
            self.problem(name, objection);
        }
        self.logged(name, &bundle);
        Some(bundle)
    }

    /// Whether the result of the scan that stands here lists no vulnerability.
    fn is_clean(&self) -> bool {
        let name = bundle_file(PredicateType::VulnerabilityScan.as_str());
        let scan = self.files.files.get(&name).and_then(|bytes| Bundle::parse(bytes).ok());
        let found = scan.and_then(|scan| {
            let statement = serde_json::from_slice::<Value>(&scan.envelope.payload).ok()?;
            let found = statement.pointer("/predicate/scanner/result/vulnerabilities")?;
            Some(found.as_array()?.is_empty())
        });
        found == Some(true)
    }

    /// The log at hand is the one that the bundle's proof speaks of.
    fn logged(&mut self, name: &str, bundle: &Bundle) {
        let (Some(log), Some(entry)) = (self.log, &bundle.log_entry) else { return };
        let proof = &entry.proof;
        if proof.tree_size > log.tree.size() {
            let (size, needed) = (log.tree.size(), proof.tree_size);
            let reason = format!("the log was cut: it has {size} entries, its proof {needed}");
            self.problem(name, reason);
        } else if log.tree.root(proof.tree_size) != Some(proof.root) {
            let size = proof.tree_size;
            let reason = format!("the log is not consistent with its checkpoint of size {size}");
            self.problem(name, reason);
        } else if !log.holds(entry.index, &entry.body) {
            self.problem(name, format!("entry {} of the log is another one", entry.index));
        }
    }

    /// The statement is about the document that stands beside it, byte for byte.
    fn stated(&mut self, name: &str, kind: PredicateType, payload: &[u8]) {
        let (document, whole) = match kind {
            PredicateType::Spdx => (SPDX, false),
            PredicateType::CycloneDx => (CYCLONEDX, false),
            PredicateType::OpenVex => (OPENVEX, false),
            PredicateType::Provenance => (PROVENANCE, true),
            PredicateType::ImageSignature | PredicateType::VulnerabilityScan => return,
        };
        let Some(beside) = self.file(document) else { return };
        let same = if whole {
            beside == payload
        } else {
            parse(payload).is_ok_and(|statement| statement.predicate.as_bytes() == beside)
        };
        if !same {
            self.problem(name, format!("it states another document than {document}"));
        }
    }

    /// The recorded level is what the provenance proves, check by check.
    fn level(&mut self, image: &ImageFile, digest: Digest) {
        let Some(recorded) = self.file(SLSA) else { return };
        let recorded: SlsaFile = match serde_json::from_slice(recorded) {
            Ok(recorded) => recorded,
            Err(error) => return self.problem(SLSA, error),
        };
        if image.slsa_level != Some(recorded.slsa_level) {
            self.problem(SLSA, format!("its level is not that of {IMAGE}"));
        }
        let bundle = self.files.files.get(&bundle_file(PredicateType::Provenance.as_str()));
        let roots = self.anchors.roots(recorded.assessed_for_fact, recorded.assessed_at);
        let log = Some(self.anchors.identity.log_identity());
        let found = slsa_level::assess(bundle.map_or(&[], |b| b), digest, &roots, log);
        if i32::from(found.level) != recorded.slsa_level {
            let (said, proven) = (recorded.slsa_level, found.level);
            let last = found.checks.last().map_or(String::new(), |check| check.detail.clone());
            self.problem(SLSA, format!("it says level {said}, proven is {proven}: {last}"));
        } else if found.checks != recorded.checks {
            self.problem(SLSA, "its evidence is not what the checks give");
        }
    }
}
