//! A case of the catalogue: what is wrong with it, what a correct verifier says, and how it is made.
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::anew::{Anew, Bench};
use super::draft::{self, Draft, edited};
use super::rule::Rule;
use crate::error::Error;
use crate::statement::PredicateType;

/// What the case is, and the predicate type to ask for.
pub const CASE: &str = "case.json";
/// The same for people.
pub const README: &str = "README";
/// What the names of cases end with that must fail.
pub(super) const FAIL: &str = "_fail";

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
    pub(super) changes: &'static [&'static str],
    pub(super) origin: Origin,
    pub(super) edit: Option<Edit>,
}

/// What a case is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A bundle of the world.
    World(PredicateType),
    /// The world's image signature, signed and logged anew.
    Anew,
    /// Another statement than that, signed and logged anew.
    Stated(fn(&mut Value) -> Option<()>),
    /// That image signature, signed or logged in another way.
    Signed(fn(&Bench<'_>, Vec<u8>) -> Result<Anew, Error>),
}

pub(super) type Edit = fn(&mut Draft, &Bench<'_>) -> Result<(), Error>;

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

impl Case {
    /// A case made of the world's image signature, which nothing changes yet.
    pub(super) const fn new(
        name: &'static str,
        wrong: &'static str,
        rule: Rule,
        explanation: &'static str,
    ) -> Self {
        let origin = Origin::World(PredicateType::ImageSignature);
        Self { name, wrong, rule, explanation, changes: &[], origin, edit: None }
    }

    pub(super) const fn of(self, kind: PredicateType) -> Self {
        Self { origin: Origin::World(kind), ..self }
    }

    pub(super) const fn anew(self) -> Self {
        Self { origin: Origin::Anew, ..self }
    }

    pub(super) const fn stating(self, change: fn(&mut Value) -> Option<()>) -> Self {
        Self { origin: Origin::Stated(change), ..self }
    }

    pub(super) const fn signing(
        self,
        sign: fn(&Bench<'_>, Vec<u8>) -> Result<Anew, Error>,
    ) -> Self {
        Self { origin: Origin::Signed(sign), ..self }
    }

    pub(super) const fn edited(self, edit: Edit) -> Self {
        Self { edit: Some(edit), ..self }
    }

    pub(super) const fn changing(self, changes: &'static [&'static str]) -> Self {
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

    /// What it is made of, before it is changed.
    pub(super) fn unchanged(&self, bench: &Bench<'_>) -> Result<Draft, Error> {
        match self.origin {
            Origin::World(kind) => bench.draft_of_the_world(kind),
            _ => bench.draft_signed_anew(self.name),
        }
    }

    /// Makes its files.
    ///
    /// # Errors
    /// As [`super::make`].
    pub(super) fn make(&self, bench: &Bench<'_>) -> Result<Made, Error> {
        let mut draft = self.unchanged(bench)?;
        if let Some(edit) = self.edit {
            edit(&mut draft, bench)?;
        }
        let mut files = draft.files();
        files.insert(CASE, pretty(&self.told())?);
        files.insert(README, self.readme().into_bytes());
        Ok(Made { name: self.name, files })
    }

    /// What the catalogue's log has of it; none if the world has signed it.
    ///
    /// # Errors
    /// As [`super::make`].
    pub(super) fn signed(&self, bench: &Bench<'_>) -> Result<Option<Anew>, Error> {
        let statement = bench.statement();
        match self.origin {
            Origin::World(_) => Ok(None),
            Origin::Anew => bench.signed(statement).map(Some),
            Origin::Signed(sign) => sign(bench, statement).map(Some),
            Origin::Stated(change) => bench.signed(edited(&statement, change)?).map(Some),
        }
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

/// JSON with line breaks.
pub(super) fn pretty<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let encoded = serde_json::to_vec_pretty(value);
    let mut bytes =
        encoded.map_err(|source| Error::Encode { document: "catalogue of forgeries", source })?;
    bytes.push(b'\n');
    Ok(bytes)
}
