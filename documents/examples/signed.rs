//! Writes a small world's signed documents into a directory, so that other tools can verify them:
//! `cargo run -p documents --example signed -- DIR`. There is one bundle a predicate type, all in
//! one log, with the trusted root, the public keys, the log's files and the statements themselves.
#![expect(
    clippy::disallowed_methods,
    reason = "it writes files and reads arguments; the crate itself does not"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use documents::bundle::{Bundle, Expectation};
use documents::checkpoint::{Checkpoint, VerifierKey};
use documents::dsse::Envelope;
use documents::keys::{CheckpointKey, SignerKey};
use documents::merkle::{Tree, leaf_hash};
use documents::provenance::{self, Build, Source};
use documents::rekor::{self, InclusionProof, LogEntry, LogIdentity};
use documents::statement::{self, PredicateType};
use documents::vex::{Finding, Justification, Status};
use documents::vuln::{Scan, ScanFinding};
use documents::{
    Subject, Timestamp, Trigger, cyclonedx, oci, sample, spdx, tlog, trusted_root, vex, vuln,
};

const LOG_NAME: &str = "log.wavetank.example";
const SEED: &[u8] = b"7";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("usage: signed DIR")?);
    let contents = sample::contents(60);
    let subject = sample::subject(&contents)?;
    let write = |name: &str, bytes: &[u8]| -> Result<(), Box<dyn Error>> {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&directory))?;
        Ok(fs::write(path, bytes)?)
    };
    let signer = SignerKey::from_seed(SEED, "signer")?;
    let log = SignerKey::from_seed(SEED, "log")?;
    write("manifest.json", &oci::image(&contents)?.manifest.bytes)?;
    write("signer.pem", signer.public().pem().as_bytes())?;
    write("log.pem", log.public().pem().as_bytes())?;
    let base_url = format!("https://{LOG_NAME}");
    let root = trusted_root::document(&base_url, log.public(), Timestamp::EPOCH)?;
    write("trusted_root.json", &root)?;
    let vex = vex_document(&subject)?;
    write("image.openvex.json", &vex)?;
    let mut entries = Vec::new();
    for (name, kind, statement) in statements(&subject, &vex)? {
        write(&format!("{name}.statement.json"), &statement)?;
        let envelope = Envelope::sign(&signer, statement);
        write(&format!("{name}.dsse.json"), &envelope.to_json()?)?;
        let body = rekor::body(&envelope, signer.public())?;
        entries.push((name, kind, envelope, body));
    }
    let origin = rekor::origin(LOG_NAME, log.public().id());
    let genesis = rekor::genesis_body(&origin)?;
    let leaves: Vec<&[u8]> = std::iter::once(&genesis)
        .chain(entries.iter().map(|entry| &entry.3))
        .map(|b| &b[..])
        .collect();
    let tree = Tree::from_leaf_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)));
    write_log(&directory, &tree, |index| leaves[index as usize])?;
    for (index, (name, kind, envelope, body)) in entries.iter().enumerate() {
        let log_entry = Some(log_entry(&log, &origin, &tree, index as u64 + 1, body)?);
        let key_hint = signer.public().id().hex();
        let bundle = Bundle { key_hint, envelope: envelope.clone(), log_entry };
        bundle.verify(&Expectation {
            signer: signer.public(),
            log: Some(LogIdentity { key: log.public(), origin: &origin }),
            subject: subject.digest,
            predicate_type: *kind,
        })?;
        write(&format!("{name}.sigstore.json"), &bundle.to_json()?)?;
    }
    Ok(())
}

type Named = (&'static str, PredicateType, Vec<u8>);

fn statements(subject: &Subject<'_>, vex: &[u8]) -> Result<Vec<Named>, documents::Error> {
    let name = &subject.contents.repository;
    let document =
        |kind, bytes: &[u8]| statement::statement_of_document(name, subject.digest, kind, bytes);
    let findings = [ScanFinding {
        vulnerability: "CVE-2026-1000001".into(),
        package: "anchor".into(),
        version: "1.3.0-r0".into(),
        fixed: None,
        cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
    }];
    let scan = Scan {
        scan_id: "scan-1",
        started: subject.created,
        finished: subject.created,
        database_version: "17",
        findings: &findings,
    };
    let provenance = provenance::statement(&Build {
        contents: subject.contents,
        digest: subject.digest,
        trigger: &Trigger::Cron { schedule: "0 2 * * *".into() },
        builder_id: &provenance::builder_id("builder-2"),
        source: Source {
            uri: "git+https://git.wavetank.example/images/harbor-web",
            commit: "0123456789abcdef0123456789abcdef01234567",
        },
        invocation_id: "build-1",
        started: Timestamp::from_ms(subject.created.ms() - 300_000)?,
        finished: subject.created,
        extra_parameters: &BTreeMap::new(),
    })?;
    Ok(vec![
        (
            "signature",
            PredicateType::ImageSignature,
            statement::image_signature(name, subject.digest)?,
        ),
        ("provenance", PredicateType::Provenance, provenance),
        ("spdx", PredicateType::Spdx, document(PredicateType::Spdx, &spdx::document(subject)?)?),
        (
            "cyclonedx",
            PredicateType::CycloneDx,
            document(PredicateType::CycloneDx, &cyclonedx::document(subject)?)?,
        ),
        ("vuln", PredicateType::VulnerabilityScan, vuln::statement(subject, &scan)?),
        ("openvex", PredicateType::OpenVex, document(PredicateType::OpenVex, vex)?),
    ])
}

fn vex_document(subject: &Subject<'_>) -> Result<Vec<u8>, documents::Error> {
    let finding = |id: &str, status| Finding {
        vulnerability: id.into(),
        package: "anchor".into(),
        version: "1.3.0-r0".into(),
        since: subject.created,
        status,
    };
    let justification = Justification::VulnerableCodeNotInExecutePath;
    let findings = [
        finding("CVE-2026-1000001", Status::NotAffected { justification }),
        finding("CVE-2026-1000002", Status::Affected { action_statement: "Update anchor.".into() }),
        finding("CVE-2026-1000003", Status::Fixed),
        finding("CVE-2026-1000004", Status::UnderInvestigation),
    ];
    vex::document(subject, &findings, subject.created, 1)
}

fn log_entry(
    log: &SignerKey,
    origin: &str,
    tree: &Tree,
    index: u64,
    body: &[u8],
) -> Result<LogEntry, Box<dyn Error>> {
    let integrated_seconds = 1_767_578_460;
    let tree_size = tree.size();
    let root = tree.root(tree_size).ok_or("no root")?;
    let checkpoint = Checkpoint { origin: origin.to_owned(), size: tree_size, root };
    Ok(LogEntry {
        index,
        integrated_seconds,
        body: body.to_vec(),
        log_id: log.public().id(),
        promise: rekor::promise(log, body, index, integrated_seconds)?,
        proof: InclusionProof {
            tree_size,
            root,
            hashes: tree.inclusion_proof(index, tree_size).ok_or("no proof")?,
            checkpoint: checkpoint.sign_ecdsa(LOG_NAME, log),
        },
    })
}

fn write_log<'a>(
    directory: &Path,
    tree: &Tree,
    entry: impl Fn(u64) -> &'a [u8],
) -> Result<(), Box<dyn Error>> {
    let key = CheckpointKey::from_seed(SEED, "checkpoint");
    let (size, root) = (tree.size(), tree.root(tree.size()).ok_or("no root")?);
    let checkpoint = Checkpoint { origin: LOG_NAME.to_owned(), size, root };
    let mut files = tlog::hash_tiles(tree, 0, size);
    files.extend(tlog::entry_tiles(0, size, entry)?);
    for file in files {
        let path = directory.join("log").join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(path, file.bytes)?;
    }
    let note = checkpoint.sign_ed25519(LOG_NAME, &key);
    fs::write(directory.join("log").join(tlog::CHECKPOINT_PATH), note)?;
    let verifier = VerifierKey::new(LOG_NAME, key.public())?;
    fs::write(directory.join("log.vkey"), verifier.to_string())?;
    Ok(())
}
