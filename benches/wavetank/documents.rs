//! What the documents of one build cost: made, signed, logged, bundled, assessed and packed as the
//! jobs do it, for an image of 60 packages, on one core.
use documents::bundle::Bundle;
use documents::checkpoint::Checkpoint;
use documents::dsse::Envelope;
use documents::keys::SignerKey;
use documents::merkle::{Tree, leaf_hash};
use documents::provenance::{self, Build, Source};
use documents::rekor::{self, InclusionProof, LogEntry, LoggedEnvelope};
use documents::slsa_level::{TrustedBuilder, assess};
use documents::statement::{PredicateType, image_signature, statement_of_document};
use documents::vex::{self, Finding, Status};
use documents::vuln::{self, Scan, ScanFinding};
use documents::world_keys::WorldKeys;
use documents::{Digest, Subject, Timestamp, Trigger, cyclonedx, gzip, oci, sample, spdx};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

const PACKAGES: usize = 60;
const ROUNDS: u32 = 200;
const BUILDER: &str = "builder-1";

/// Prints what a build costs, beside the floor: bare signatures, hashes and compression.
pub(crate) fn cost() {
    let keys = WorldKeys::of("bench", 1, None).expect("keys");
    let contents = sample::contents(PACKAGES);
    let whole = build(&keys, &contents);
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        black_box(build(&keys, &contents));
    }
    let build_ms = begin.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS);
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        black_box(floor(&keys.signer, &whole));
    }
    let floor_ms = begin.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS);
    let begin = Instant::now();
    for round in 0..10 * ROUNDS {
        black_box(keys.signer.sign(&round.to_be_bytes()));
    }
    let signatures = f64::from(10 * ROUNDS) / begin.elapsed().as_secs_f64();
    let documents = whole.documents.len() as f64;
    println!("documents of an image of {PACKAGES} packages, one core");
    println!(
        "  a build: {build_ms:.2} ms of CPU, {:.1} KB stored ({:.1} KB before compression), \
         {} documents, {} signatures",
        whole.stored as f64 / 1e3,
        whole.raw as f64 / 1e3,
        whole.documents.len(),
        whole.signatures
    );
    println!(
        "  {:.0} documents a second, {signatures:.0} bare signatures a second",
        documents * 1e3 / build_ms
    );
    println!(
        "  floor: {floor_ms:.2} ms (the same signatures, hashes and compression alone); a build \
         takes {:.1} times as long",
        build_ms / floor_ms
    );
}

/// All that a build and the scan on its push leave behind.
struct Whole {
    documents: Vec<Vec<u8>>,
    raw: usize,
    stored: usize,
    signatures: u32,
}

/// The least: each document hashed and packed once, and as many signatures.
fn floor(key: &SignerKey, whole: &Whole) -> usize {
    for number in 0..whole.signatures {
        black_box(key.sign(&number.to_be_bytes()));
    }
    let packed = |document: &Vec<u8>| {
        black_box(Digest::of(document));
        gzip::compress_fast(document).len()
    };
    whole.documents.iter().map(packed).sum()
}

fn build(keys: &WorldKeys, contents: &documents::ImageContents) -> Whole {
    let image = oci::image(contents).expect("an image");
    let digest = image.digest();
    let at = Timestamp::from_ms(1_767_578_400_000).expect("an instant");
    let subject = Subject { contents, digest, created: at };
    let spdx = spdx::document(&subject).expect("SPDX");
    let cyclonedx = cyclonedx::document(&subject).expect("CycloneDX");
    let provenance = provenance::statement(&Build {
        contents,
        digest,
        trigger: &Trigger::Cron { schedule: "0 2 * * *".to_owned() },
        builder_id: &provenance::builder_id(BUILDER),
        source: Source {
            uri: "git+https://git.wavetank.example/images/x",
            commit: "0123456789abcdef0123456789abcdef01234567",
        },
        invocation_id: "1",
        started: at,
        finished: at,
        extra_parameters: &BTreeMap::new(),
    })
    .expect("provenance");
    let (scan, vex) = report(&subject);
    let name = &*contents.repository;
    let of = |kind, document: &[u8]| {
        statement_of_document(name, digest, kind, document).expect("a statement")
    };
    let statements = [
        (PredicateType::ImageSignature, image_signature(name, digest).expect("a statement")),
        (PredicateType::Provenance, provenance.clone()),
        (PredicateType::Spdx, of(PredicateType::Spdx, &spdx)),
        (PredicateType::CycloneDx, of(PredicateType::CycloneDx, &cyclonedx)),
        (PredicateType::VulnerabilityScan, scan.clone()),
        (PredicateType::OpenVex, of(PredicateType::OpenVex, &vex)),
    ];
    let as_they_are: usize = image.blobs().iter().map(|blob| blob.bytes.len()).sum();
    let mut documents = vec![spdx, cyclonedx, provenance, scan, vex];
    let mut signatures = 0;
    bundles(keys, digest, at, statements, &mut documents, &mut signatures);
    let stored: usize = documents.iter().map(|d| gzip::compress_fast(d).len()).sum();
    let raw: usize = documents.iter().map(Vec::len).sum();
    Whole { documents, raw: raw + as_they_are, stored: stored + as_they_are, signatures }
}

fn report(subject: &Subject<'_>) -> (Vec<u8>, Vec<u8>) {
    let found = ScanFinding {
        vulnerability: "CVE-2026-1000001".to_owned(),
        package: "anchor".to_owned(),
        version: "1.3.0-r0".to_owned(),
        fixed: Some("1.3.0-r1".to_owned()),
        cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
    };
    let finding = Finding {
        vulnerability: found.vulnerability.clone(),
        package: found.package.clone(),
        version: found.version.clone(),
        since: subject.created,
        status: Status::UnderInvestigation,
    };
    let (found, findings) = (vec![found; 10], vec![finding; 10]);
    let scan = Scan {
        scan_id: "1",
        started: subject.created,
        finished: subject.created,
        database_version: "1",
        findings: &found,
    };
    let scan = vuln::statement(subject, &scan).expect("a scan");
    (scan, vex::document(subject, &findings, subject.created, 1).expect("VEX"))
}

/// Signs, logs and bundles statements, and assesses the provenance among them.
fn bundles(
    keys: &WorldKeys,
    digest: Digest,
    at: Timestamp,
    statements: [(PredicateType, Vec<u8>); 6],
    documents: &mut Vec<Vec<u8>>,
    signatures: &mut u32,
) {
    let identity = &keys.identity;
    let mut tree = Tree::from_leaf_hashes((0..4_096_u32).map(|n| leaf_hash(&n.to_be_bytes())));
    let signed = statements.map(|(kind, statement)| {
        let envelope = Envelope::sign(&keys.signer, statement);
        let logged = LoggedEnvelope::of(&envelope).expect("an envelope");
        let body = logged.body(&identity.signer).expect("a body");
        (kind, envelope, tree.push(leaf_hash(&body)), body)
    });
    let tree_size = tree.size();
    let root = tree.root(tree_size).expect("a root");
    let checkpoint = Checkpoint { origin: identity.rekor_origin.clone(), size: tree_size, root };
    let checkpoint = checkpoint.sign_ecdsa(identity.log_verifier.name(), &keys.log);
    *signatures += 1;
    for (kind, envelope, index, body) in signed {
        let bundle = Bundle {
            key_hint: identity.signer.id().hex(),
            envelope,
            log_entry: Some(LogEntry {
                index,
                integrated_seconds: at.seconds(),
                promise: rekor::promise(&keys.log, &body, index, at.seconds()).expect("a promise"),
                body,
                log_id: identity.log.id(),
                proof: InclusionProof {
                    tree_size,
                    root,
                    hashes: tree.inclusion_proof(index, tree_size).expect("a proof"),
                    checkpoint: checkpoint.clone(),
                },
            }),
        };
        *signatures += 2;
        let bundle = bundle.to_json().expect("a bundle");
        if kind == PredicateType::Provenance {
            let root = TrustedBuilder {
                key: identity.signer.clone(),
                builder_id: provenance::builder_id(BUILDER),
                level: 3,
            };
            let level = assess(&bundle, digest, &[root], Some(identity.log_identity())).level;
            assert_eq!(level, 3, "what is measured is the real thing");
        }
        documents.push(bundle);
    }
}
