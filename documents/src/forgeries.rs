//! The catalogue of forgeries: broken evidence of every kind, and valid evidence in unusual forms, so
//! that whoever writes a verifier learns what it gets wrong. Each case says what is wrong, the
//! verdict that a correct verifier gives, and the published rule that it follows from.
//!
//! Cases are made of the evidence of a world. Where the forger has no key, one of its bundles is
//! changed, and key and trusted root are the world's. Where a valid signature is needed, a statement
//! of the world is signed anew, with keys and a log that only the catalogue has: nothing in it is
//! ever signed in the name of the world.

mod anew;
mod draft;
mod envelopes;
mod forms;
mod log_entries;
mod proofs;
mod roots;
mod rule;
mod sample;
mod statements;
mod valid;
mod valid_forms;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::statement::PredicateType;
use crate::timestamp::Timestamp;
use crate::world_keys::WorldIdentity;

use anew::{Anew, Bench};
use draft::Draft;
pub use rule::Rule;
pub use sample::sample;

/// What the index of the catalogue begins with.
pub const FORMAT: &str = "wavetank-forgeries/1";
/// The index, beside the directories of the cases.
pub const INDEX: &str = "index.json";
/// Files of a case: the bundle.
pub const BUNDLE: &str = "bundle.sigstore.json";
/// The public key that must have signed.
pub const KEY: &str = "key.pub";
/// The logs that are trusted.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// What the bundle must be about: the manifest of an image.
pub const ARTIFACT: &str = "artifact";
/// What the case is, and the predicate type to ask for.
pub const CASE: &str = "case.json";
/// The same for people.
pub const README: &str = "README";
/// What the names of cases end with that must fail.
const FAIL: &str = "_fail";

/// What a correct verifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It accepts the case.
    Pass,
    /// It refuses it.
    Fail,
}

impl Verdict {
    /// `pass` or `fail`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// A case of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, which ends in `_fail` if it must fail.
    pub name: &'static str,
    /// What is wrong with it; for a valid one, what is unusual.
    pub wrong: &'static str,
    /// The published rule that decides it.
    pub rule: Rule,
    /// Why that is the verdict.
    pub explanation: &'static str,
    /// Where it differs from its valid origin: a file, and JSON pointers into it. What was signed
    /// anew also differs in what follows from that.
    changes: &'static [&'static str],
    origin: Origin,
    edit: Option<Edit>,
}

/// What a case is made of.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// A bundle of the world.
    World(PredicateType),
    /// The world's image signature, signed and logged anew.
    Anew,
    /// Another statement than that, signed and logged anew.
    Stated(fn(&mut Value) -> Option<()>),
    /// That image signature, signed or logged in another way.
    Signed(fn(&Bench<'_>, Vec<u8>) -> Result<Anew, Error>),
}

type Edit = fn(&mut Draft, &Bench<'_>) -> Result<(), Error>;

/// The evidence of a world from which the catalogue is made.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The keys and names of the world, public ones.
    pub identity: WorldIdentity,
    /// SHA-256 of its scenario, and its seed: the keys of the catalogue follow from them.
    pub scenario_sha256: String,
    /// See there.
    pub seed: u64,
    /// When the world began, and so the validity of the log's key.
    pub starts: Timestamp,
    /// The version that the cases are about.
    pub victim: Attested,
    /// A version of another image.
    pub other: Attested,
}

/// A version of an image with what is signed about it.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The manifest, whose SHA-256 is the digest of the image.
    pub manifest: Vec<u8>,
    /// A bundle of each predicate type.
    pub bundles: BTreeMap<PredicateType, Vec<u8>>,
}

/// A case with its files, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The case's name.
    pub name: &'static str,
    /// Its files; all are text.
    pub files: BTreeMap<&'static str, Vec<u8>>,
}

/// What `case.json` and the index say of a case.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Told {
    /// The case's name.
    pub name: &'static str,
    /// What is wrong; for a valid case, what is unusual.
    pub wrong: &'static str,
    /// What a correct verifier says.
    pub verdict: Verdict,
    /// Why.
    pub explanation: &'static str,
    /// The published rule.
    pub rule: &'static str,
    /// Where it is published.
    pub rule_url: &'static str,
    /// The predicate type that the verifier must ask for.
    pub predicate_type: &'static str,
}

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
    let bench = Bench::new(evidence)?;
    cases().map(|case| case.make(&bench)).collect()
}

/// Makes one of them.
///
/// # Errors
/// As [`make`].
pub fn make_one(case: &Case, evidence: &Evidence) -> Result<Made, Error> {
    case.make(&Bench::new(evidence)?)
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

impl Case {
    /// A case made of the world's image signature, which nothing changes yet.
    const fn new(
        name: &'static str,
        wrong: &'static str,
        rule: Rule,
        explanation: &'static str,
    ) -> Self {
        let origin = Origin::World(PredicateType::ImageSignature);
        Self { name, wrong, rule, explanation, changes: &[], origin, edit: None }
    }

    const fn of(self, kind: PredicateType) -> Self {
        Self { origin: Origin::World(kind), ..self }
    }

    const fn anew(self) -> Self {
        Self { origin: Origin::Anew, ..self }
    }

    const fn stating(self, change: fn(&mut Value) -> Option<()>) -> Self {
        Self { origin: Origin::Stated(change), ..self }
    }

    const fn signing(self, sign: fn(&Bench<'_>, Vec<u8>) -> Result<Anew, Error>) -> Self {
        Self { origin: Origin::Signed(sign), ..self }
    }

    const fn edited(self, edit: Edit) -> Self {
        Self { edit: Some(edit), ..self }
    }

    const fn changing(self, changes: &'static [&'static str]) -> Self {
        Self { changes, ..self }
    }

    /// What a correct verifier says of it.
    pub fn verdict(&self) -> Verdict {
        if self.name.ends_with(FAIL) { Verdict::Fail } else { Verdict::Pass }
    }

    /// The predicate type that the verifier must ask for.
    pub fn predicate_type(&self) -> PredicateType {
        // One case asks for another type than its bundle has: that is what is wrong with it.
        match self.origin {
            _ if self.changes.contains(&draft::EXPECTED) => PredicateType::Provenance,
            Origin::World(kind) => kind,
            _ => PredicateType::ImageSignature,
        }
    }

    /// What is told of it.
    pub fn told(&self) -> Told {
        Told {
            name: self.name,
            wrong: self.wrong,
            verdict: self.verdict(),
            explanation: self.explanation,
            rule: self.rule.title(),
            rule_url: self.rule.url(),
            predicate_type: self.predicate_type().uri(),
        }
    }

    fn make(&self, bench: &Bench<'_>) -> Result<Made, Error> {
        let mut draft = bench.draft(self)?;
        if let Some(edit) = self.edit {
            edit(&mut draft, bench)?;
        }
        let mut files = draft.files();
        files.insert(CASE, pretty(&self.told())?);
        files.insert(README, self.readme().into_bytes());
        Ok(Made { name: self.name, files })
    }

    fn readme(&self) -> String {
        let (verdict, kind) = (self.verdict().as_str(), self.predicate_type().uri());
        let (rule, url) = (self.rule.title(), self.rule.url());
        format!(
            "{}\n\n{}\n\nVerdict: {verdict}\nRule: {rule} <{url}>\nPredicate type to ask for: {kind}\n",
            self.wrong, self.explanation
        )
    }
}

fn pretty<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let encoded = serde_json::to_vec_pretty(value);
    let mut bytes =
        encoded.map_err(|source| Error::Encode { document: "catalogue of forgeries", source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests;
