//! Measures what the documents of one image cost, in time and in bytes:
//! `cargo run --release -p documents --example speed [COMPONENTS]`.
#![expect(
    clippy::disallowed_methods,
    reason = "it reads the clock and arguments; the crate itself does not"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use documents::build_log::{self, Attempt, AttemptOutcome, BuildLog, BuildResult};
use documents::dsse::Envelope;
use documents::keys::SignerKey;
use documents::merkle::{Tree, leaf_hash};
use documents::provenance::{self, Build, Source};
use documents::statement::{self, PredicateType};
use documents::{
    ImageContents, Subject, Timestamp, Trigger, cyclonedx, gzip, oci, rekor, sample, sbom, spdx,
};

const ROUNDS: u32 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(60), |text| text.parse())?;
    let contents = sample::contents(count);
    let subject = sample::subject(&contents)?;
    println!("{count} components, mean of {ROUNDS} rounds");
    let image = oci::image(&contents)?;
    let image_bytes: usize = image.blobs().iter().map(|blob| blob.bytes.len()).sum();
    let spdx_bytes = spdx::document(&subject)?;
    let cyclonedx_bytes = cyclonedx::document(&subject)?;
    let statement = provenance(&subject)?;
    let log = log(&subject)?;
    let mut total_us = 0.0;
    let mut total_bytes = 0;
    let mut row = |name: &str, us: f64, bytes: usize, packed: usize| {
        total_us += us;
        total_bytes += bytes;
        println!("{name:<12} {us:>9.1} us {bytes:>8} bytes {packed:>7} gzipped");
    };
    let packed = |bytes: &[u8]| gzip::compress(bytes).len();
    row("image", time(|| oci::image(&contents)), image_bytes, image_bytes);
    row("spdx", time(|| spdx::document(&subject)), spdx_bytes.len(), packed(&spdx_bytes));
    let cyclonedx_us = time(|| cyclonedx::document(&subject));
    row("cyclonedx", cyclonedx_us, cyclonedx_bytes.len(), packed(&cyclonedx_bytes));
    row("provenance", time(|| provenance(&subject)), statement.len(), packed(&statement));
    row("build log", time(|| self::log(&subject)), log.len(), packed(log.as_bytes()));
    println!("{:<12} {total_us:>9.1} us {total_bytes:>8} bytes", "all");
    for (name, bytes) in [("read spdx", &spdx_bytes), ("read cdx", &cyclonedx_bytes)] {
        println!("{name:<12} {:>9.1} us", time(|| sbom::parse_components(bytes)));
    }
    println!("{:<12} {:>9.1} us", "gzip spdx", time(|| gzip::compress(&spdx_bytes)));
    signatures(&subject, &spdx_bytes)
}

/// What one bundle costs: the signature, and the log's promise and checkpoint.
fn signatures(subject: &Subject<'_>, spdx_bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let key = SignerKey::from_seed(b"7", "signer")?;
    let name = &subject.contents.repository;
    let statement =
        || statement::statement_of_document(name, subject.digest, PredicateType::Spdx, spdx_bytes);
    let signed = Envelope::sign(&key, statement()?);
    let sign = || statement().map(|statement| Envelope::sign(&key, statement));
    println!("{:<12} {:>9.1} us", "sign spdx", time(sign));
    println!("{:<12} {:>9.1} us", "sign 1 KB", time(|| key.sign(&[0; 1024])));
    println!("{:<12} {:>9.1} us", "verify spdx", time(|| signed.verify(key.public()).is_ok()));
    println!("{:<12} {:>9.1} us", "log body", time(|| rekor::body(&signed, key.public())));
    let body = rekor::body(&signed, key.public())?;
    println!("{:<12} {:>9.1} us", "log promise", time(|| rekor::promise(&key, &body, 1, 1)));
    let mut tree = Tree::default();
    let start = Instant::now();
    for _ in 0..100_000 {
        tree.push(leaf_hash(&body));
    }
    println!("{:<12} {:>9.1} us", "append leaf", start.elapsed().as_secs_f64() * 1e6 / 1e5);
    let prove = || tree.inclusion_proof(12_345, tree.size());
    println!("{:<12} {:>9.1} us (of {} leaves)", "prove leaf", time(prove), tree.size());
    Ok(())
}

fn time<T>(work: impl Fn() -> T) -> f64 {
    for _ in 0..ROUNDS / 5 {
        black_box(work());
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(work());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

fn provenance(subject: &Subject<'_>) -> Result<Vec<u8>, documents::Error> {
    provenance::statement(&Build {
        contents: subject.contents,
        digest: subject.digest,
        trigger: &Trigger::Bootstrap,
        builder_id: &provenance::builder_id("builder-2"),
        source: Source {
            uri: "git+https://git.wavetank.example/images/harbor-web",
            commit: "0123456789abcdef0123456789abcdef01234567",
        },
        invocation_id: "build-42",
        started: Timestamp::EPOCH,
        finished: subject.created,
        extra_parameters: &BTreeMap::new(),
    })
}

fn log(subject: &Subject<'_>) -> Result<String, documents::Error> {
    let contents: &ImageContents = subject.contents;
    let attempt = Attempt {
        builder: "builder-2".into(),
        started: Timestamp::from_ms(subject.created.ms() - 300_000)?,
        finished: subject.created,
        outcome: AttemptOutcome::Succeeded,
    };
    Ok(build_log::render(&BuildLog {
        build_id: "build-42",
        repository: &contents.repository,
        version: &contents.version,
        trigger: &Trigger::Bootstrap,
        requested: attempt.started,
        earlier_attempts: 0,
        attempts: &[attempt],
        contents: Some(contents),
        result: &BuildResult::Published { digest: subject.digest },
        finished: subject.created,
    }))
}
