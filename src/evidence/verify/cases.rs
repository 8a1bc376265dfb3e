//! Cases of the catalogue of forgeries: a directory with a bundle, a key, a trusted root and an
//! artifact, laid out as the cases of sigstore-conformance.
use super::directory::{MAX_FILE_BYTES, read};
use super::report::Report;
use super::root;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use documents::Digest;
use documents::bundle::{Bundle, Expectation};
use documents::forgeries::{ARTIFACT, BUNDLE, CASE, FORMAT, INDEX, KEY, TRUSTED_ROOT};
use documents::keys::PublicKey;
use documents::rekor::LogIdentity;
use documents::statement::PredicateType;
use serde::Deserialize;
use std::path::Path;

/// Whether the directory is one case.
pub(super) fn is_one(path: &Path) -> bool {
    path.join(BUNDLE).is_file()
}

/// Whether it is a catalogue of them.
pub(super) fn are_some(path: &Path) -> bool {
    path.join(INDEX).is_file()
}

/// What must be known of a case.
#[derive(Deserialize)]
struct CaseFile {
    predicate_type: String,
}

/// What must be known of the catalogue.
#[derive(Deserialize)]
struct IndexFile {
    format: String,
    cases: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Pass,
    Fail,
}

/// Verifies one case; `signer` takes the place of its key.
///
/// # Errors
/// It does not say which predicate type to ask for.
pub(super) fn check_one(path: &Path, signer: Option<&PublicKey>) -> Result<Report> {
    let mut report = Report { bundles: 1, ..Report::default() };
    if let Err(Refusal { file, reason }) = verdict(path, signer)? {
        report.problem(file, reason);
    }
    Ok(report)
}

/// Verifies all cases of a catalogue: a problem is one that has another verdict than it should.
///
/// # Errors
/// The index cannot be read, or a case does not say which predicate type to ask for.
pub(super) fn check_all(path: &Path) -> Result<Report> {
    let index: IndexFile = json(path, INDEX)?;
    if index.format != FORMAT {
        bail!("{INDEX} is of the format {:?}, expected {FORMAT:?}", index.format);
    }
    let mut report = Report::default();
    for Listed { name, verdict: wanted } in index.cases {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.starts_with('.') || !name.chars().all(plain) {
            bail!("{INDEX} names a case {name:?}");
        }
        report.bundles += 1;
        match (wanted, verdict(&path.join(&name), None)?) {
            (Verdict::Pass, Ok(())) | (Verdict::Fail, Err(_)) => {}
            (Verdict::Fail, Ok(())) => report.problem(name, "it must fail, and it passes"),
            (Verdict::Pass, Err(Refusal { file, reason })) => {
                report.problem(name, format!("it must pass, and it fails: {file}: {reason}"));
            }
        }
    }
    Ok(report)
}

/// Why a case is refused.
#[derive(Debug)]
struct Refusal {
    file: &'static str,
    reason: String,
}

fn verdict(path: &Path, signer: Option<&PublicKey>) -> Result<Result<(), Refusal>> {
    let case: CaseFile = json(path, CASE)?;
    let Some(kind) = PredicateType::from_uri(&case.predicate_type) else {
        bail!("{CASE} asks for an unknown predicate type: {:?}", case.predicate_type);
    };
    Ok(verify(|name| read(&path.join(name), MAX_FILE_BYTES), kind, signer))
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path, name: &str) -> Result<T> {
    let shown = path.join(name);
    let shown = shown.display();
    let bytes = read(&path.join(name), MAX_FILE_BYTES).map_err(anyhow::Error::msg);
    let bytes = bytes.with_context(|| format!("{shown} cannot be read"))?;
    let bytes = bytes.with_context(|| format!("{shown} is missing"))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{shown} cannot be read"))
}

/// Verifies the files of a case.
fn verify(
    file: impl Fn(&str) -> Result<Option<Bytes>, String>,
    kind: PredicateType,
    signer: Option<&PublicKey>,
) -> Result<(), Refusal> {
    let read = |name| match file(name) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => refuse(name, "it is missing"),
        Err(why) => refuse(name, why),
    };
    let key = read(KEY)?;
    let text = std::str::from_utf8(&key).or_else(|error| refuse(KEY, error))?;
    let key = PublicKey::from_pem(text).or_else(|error| refuse(KEY, error))?;
    if signer.is_some_and(|signer| *signer != key) {
        return refuse(KEY, "it is another key than the one given");
    }
    let bundle = Bundle::parse(&read(BUNDLE)?).or_else(|error| refuse(BUNDLE, error))?;
    let Some(entry) = &bundle.log_entry else {
        return refuse(BUNDLE, "it has no log entry");
    };
    let log = root::log(&read(TRUSTED_ROOT)?, entry.log_id);
    let log = log.or_else(|why| refuse(TRUSTED_ROOT, why))?;
    let expected = Expectation {
        signer: &key,
        log: Some(LogIdentity { key: &log.key, origin: &log.origin }),
        subject: Digest::of(&read(ARTIFACT)?),
        predicate_type: kind,
    };
    bundle.verify(&expected).or_else(|error| refuse(BUNDLE, error))?;
    match log.validity.objection(entry.integrated_seconds) {
        Some(objection) => refuse(BUNDLE, objection),
        None => Ok(()),
    }
}

fn refuse<T>(file: &'static str, reason: impl ToString) -> Result<T, Refusal> {
    Err(Refusal { file, reason: reason.to_string() })
}

#[cfg(test)]
mod tests;
