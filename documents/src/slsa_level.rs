//! The SLSA build level of an image, computed from the evidence, never a label.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::keys::PublicKey;
use crate::provenance::{BUILD_TYPE, is_known_parameter};
use crate::rekor::LogIdentity;
use crate::statement::{self, PredicateType};

/// A row of the table of trusted roots: what a signer may vouch for about a builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedBuilder {
    /// The signer's key.
    pub key: PublicKey,
    /// The builder's URI.
    pub builder_id: String,
    /// The highest level that this pair is granted, 0 to 3.
    pub level: u8,
}

/// A check of the evidence, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// There is a statement that can be read.
    Statement,
    /// Its predicate type is SLSA Provenance v1.
    PredicateType,
    /// Its subject is the image.
    Subject,
    /// The predicate is provenance of the known build type.
    Provenance,
    /// A trusted key signed it.
    Signature,
    /// It is in the transparency log.
    Log,
    /// The builder is in the table of trusted roots with the key.
    Builder,
    /// All external parameters are known.
    Parameters,
}

/// A check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// What was checked.
    pub check: Check,
    /// Whether it held.
    pub passed: bool,
    /// What was found.
    pub detail: String,
}

/// The level with the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// SLSA build level, 0 to 3.
    pub level: u8,
    /// Every check that was made. Checks after one that the others rest on are left out.
    pub checks: Vec<CheckResult>,
}

impl Assessment {
    fn add(&mut self, check: Check, passed: bool, detail: impl fmt::Display) -> bool {
        self.checks.push(CheckResult { check, passed, detail: detail.to_string() });
        passed
    }

    /// Whether that check was made and held.
    pub fn passed(&self, check: Check) -> bool {
        self.checks.iter().any(|result| result.check == check && result.passed)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: String,
    external_parameters: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct RunDetails {
    builder: Builder,
}

#[derive(Deserialize)]
struct Builder {
    id: String,
}

/// Assesses the provenance bundle of the image with that digest.
///
/// - Level 0: no provenance of this image.
/// - Level 1: there is provenance of this image, by whomever.
/// - Level 2: a trusted key signed it, the log holds it, and the table knows the builder with it.
/// - Level 3: the table grants it, and every external parameter is known.
///
/// With no `log` the log is not asked for (and no check is recorded).
pub fn assess(
    bundle: &[u8],
    image: Digest,
    roots: &[TrustedBuilder],
    log: Option<LogIdentity<'_>>,
) -> Assessment {
    let mut result = Assessment { level: 0, checks: Vec::new() };
    let bundle = match Bundle::parse(bundle) {
        Ok(bundle) => bundle,
        Err(error) => {
            result.add(Check::Statement, false, error);
            return result;
        }
    };
    let Some(predicate) = read_provenance(&bundle, image, &mut result) else {
        return result;
    };
    result.level = 1;
    let builder_id = &predicate.run_details.builder.id;
    // Two roots may share a key, and a key may vouch for many builders.
    let signer = roots.iter().find(|root| bundle.envelope.verify(&root.key).is_ok());
    let Some(signer) = signer.map(|root| &root.key) else {
        result.add(
            Check::Signature,
            false,
            format_args!("no trusted key signed this statement, which names {builder_id}"),
        );
        return result;
    };
    result.add(Check::Signature, true, format_args!("signed by key {}", signer.id()));
    if let Some(log) = log {
        let logged = match &bundle.log_entry {
            None => Err("there is no log entry".to_owned()),
            Some(entry) => entry
                .verify(&log, &bundle.envelope, signer)
                .map(|()| format!("entry {} of {}", entry.index, log.origin))
                .map_err(|error| error.to_string()),
        };
        let passed = logged.is_ok();
        if !result.add(Check::Log, passed, logged.unwrap_or_else(|reason| reason)) {
            return result;
        }
    }
    let root = roots.iter().find(|root| root.key == *signer && root.builder_id == *builder_id);
    let Some(root) = root.filter(|root| root.level >= 2) else {
        result.add(
            Check::Builder,
            false,
            format_args!("{builder_id} is not trusted with this key"),
        );
        return result;
    };
    let granted = root.level.min(3);
    result.add(Check::Builder, true, format_args!("{builder_id} is granted level {granted}"));
    let parameters = &predicate.build_definition.external_parameters;
    let unknown: Vec<&str> =
        parameters.keys().map(String::as_str).filter(|name| !is_known_parameter(name)).collect();
    if result.add(Check::Parameters, unknown.is_empty(), parameter_detail(&unknown)) {
        result.level = granted;
    } else {
        result.level = 2;
    }
    result
}

fn parameter_detail(unknown: &[&str]) -> String {
    if unknown.is_empty() {
        "every external parameter is known".to_owned()
    } else {
        format!("unknown external parameters: {}", unknown.join(", "))
    }
}

/// The provenance in a bundle, if it is that of the image.
fn read_provenance(bundle: &Bundle, image: Digest, result: &mut Assessment) -> Option<Predicate> {
    let statement = match statement::parse(&bundle.envelope.payload) {
        Ok(statement) => statement,
        Err(error) => {
            result.add(Check::Statement, false, error);
            return None;
        }
    };
    result.add(Check::Statement, true, "in-toto Statement v1");
    let kind = &statement.predicate_type;
    let right = PredicateType::from_uri(kind) == Some(PredicateType::Provenance);
    if !result.add(Check::PredicateType, right, kind) {
        return None;
    }
    if !result.add(Check::Subject, statement.is_about(&image), statement.subject()) {
        return None;
    }
    match serde_json::from_str::<Predicate>(statement.predicate) {
        Ok(predicate) => {
            let build_type = &predicate.build_definition.build_type;
            let known = build_type == BUILD_TYPE;
            result.add(Check::Provenance, known, build_type).then_some(predicate)
        }
        Err(error) => {
            result.add(Check::Provenance, false, error);
            None
        }
    }
}

#[cfg(test)]
mod tests;
