//! The catalogue of forgeries: broken evidence of every kind, and valid evidence in unusual forms, so
//! that whoever writes a verifier learns what it gets wrong. Each case says what is wrong, the
//! verdict that a correct verifier gives, and the published rule that it follows from.
//!
//! Cases are made of the evidence of a world. Where the forger has no key, one of its bundles is
//! changed, and key and trusted root are the world's. Where a valid signature is needed, a statement
//! of the world is signed anew, with keys and a log that only the catalogue has: nothing in it is
//! ever signed in the name of the world.

mod anew;
mod case;
mod draft;
mod envelopes;
mod evidence;
mod forms;
mod log_entries;
mod proofs;
mod roots;
mod rule;
mod sample;
mod statements;
mod valid;
mod valid_forms;

use serde::Serialize;

use crate::error::Error;

use anew::Bench;
use case::pretty;
pub use case::{CASE, Case, Made, README, Told, Verdict};
pub use draft::{ARTIFACT, BUNDLE, KEY, TRUSTED_ROOT};
pub use evidence::{Attested, Evidence};
pub use rule::Rule;
pub use sample::sample;

/// What the index of the catalogue begins with.
pub const FORMAT: &str = "wavetank-forgeries/1";
/// The index, beside the directories of the cases.
pub const INDEX: &str = "index.json";
/// All cases: those that must fail by what they are about, then the valid ones.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let failing = [
        envelopes::CASES,
        log_entries::CASES,
        proofs::CASES,
        roots::CASES,
        statements::CASES,
        forms::CASES,
    ];
    failing.into_iter().chain([valid::CASES, valid_forms::CASES]).flatten()
}

/// The case of that name.
pub fn case(name: &str) -> Option<&'static Case> {
    cases().find(|case| case.name == name)
}

/// Makes all cases of a world's evidence: the same bytes for the same evidence.
///
/// # Errors
/// Those of reading the bundles, and [`Error::Malformed`] if one is missing or is not as worlds
/// make them.
pub fn make(evidence: &Evidence) -> Result<Vec<Made>, Error> {
    let bench = bench(evidence)?;
    cases().map(|case| case.make(&bench)).collect()
}

/// Makes one of them.
///
/// # Errors
/// As [`make`].
pub fn make_one(case: &Case, evidence: &Evidence) -> Result<Made, Error> {
    case.make(&bench(evidence)?)
}

/// What cases are made with: everything that has to be signed anew is signed and logged.
fn bench(evidence: &Evidence) -> Result<Bench<'_>, Error> {
    let mut bench = Bench::new(evidence)?;
    for case in cases() {
        if let Some(anew) = case.signed(&bench)? {
            bench.push(case.name, anew);
        }
    }
    bench.grow()?;
    Ok(bench)
}

/// The index of the catalogue, as JSON with line breaks.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn index() -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Index {
        format: &'static str,
        cases: Vec<Told>,
    }
    pretty(&Index { format: FORMAT, cases: cases().map(Case::told).collect() })
}

#[cfg(test)]
mod tests;
