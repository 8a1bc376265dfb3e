//! What verification trusts, and what it reports.
use super::root::{self, Validity};
use crate::evidence::{
    AUDIT_VERIFIER, FORMAT, LOG_KEY, LOG_VERIFIER, RetentionFile, SIGNER_KEY, TRUSTED_BUILDERS,
    TRUSTED_ROOT, TrustedBuilderFile, WORLD, WorldFile, identity,
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use documents::provenance::builder_id;
use documents::slsa_level::TrustedBuilder;
use documents::world_keys::WorldIdentity;
use serde::Serialize;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: a file of the export, or a row.
    pub place: String,
    /// What does not hold.
    pub reason: String,
}

/// What was verified and what does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Versions of images.
    pub versions: usize,
    /// Documents of them.
    pub documents: usize,
    /// Bundles: signature, statement, subject, place in the log. Of a world, all that it has; of an
    /// export, those that are in it.
    pub bundles: usize,
    /// Entries of the transparency log.
    pub log_entries: u64,
    /// Lines of the audit log.
    pub audit_lines: u64,
    /// Entries and lines among these of which the world keeps nothing but the hash.
    pub expired_leaves: u64,
    /// From when on the world keeps its history; none: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_from: Option<DateTime<Utc>>,
    /// Objects of a world that were read.
    pub objects: usize,
    /// Rows of a world that name an object.
    pub rows: usize,
    /// What was not looked at.
    pub left_out: Vec<LeftOut>,
    /// What does not hold, by place.
    pub problems: Vec<Problem>,
}

/// Something that was not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// How many of them, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Why.
    pub why: String,
}

impl Report {
    /// Says that so many were not looked at; none is nothing to speak of.
    pub(super) fn left_out(&mut self, what: &str, count: usize, why: &str) {
        if count > 0 {
            let count = Some(count);
            self.left_out.push(LeftOut { what: what.to_owned(), count, why: why.to_owned() });
        }
    }

    /// Says that a whole kind of thing was not looked at.
    pub(super) fn passed_over(&mut self, what: &str, why: &str) {
        self.left_out.push(LeftOut { what: what.to_owned(), count: None, why: why.to_owned() });
    }

    pub(super) fn problem(&mut self, place: impl Into<String>, reason: impl ToString) {
        self.problems.push(Problem { place: place.into(), reason: reason.to_string() });
    }
}

/// What verification trusts.
pub(super) struct Anchors {
    pub(super) identity: WorldIdentity,
    pub(super) builders: Vec<TrustedBuilderFile>,
    pub(super) retention: RetentionFile,
    /// When the log's key is valid, or why the trusted root does not say it.
    pub(super) log_validity: Result<Validity, String>,
}

impl Anchors {
    /// The trusted root is one that a verifier can use.
    pub(super) fn check_root(&self, report: &mut Report) {
        if let Err(why) = &self.log_validity {
            report.problem(TRUSTED_ROOT, why);
        }
    }

    /// The table of trust as it was when a fact happened, at that instant.
    pub(super) fn roots(
        &self,
        fact: u64,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Vec<TrustedBuilder> {
        let key_id = self.identity.signer.id().hex();
        let holds = |row: &&TrustedBuilderFile| {
            row.key_id == key_id
                && row.valid_from <= at
                && row.ended_by_fact.is_none_or(|ended| fact < ended)
        };
        let root = |row: &TrustedBuilderFile| TrustedBuilder {
            key: self.identity.signer.clone(),
            builder_id: builder_id(&row.builder),
            level: row.slsa_level,
        };
        self.builders.iter().filter(holds).map(root).collect()
    }
}

/// The anchors among the files about the world.
pub(super) fn anchors(file: impl Fn(&str) -> Option<Bytes>) -> Result<Anchors> {
    let text = |name: &str| {
        let bytes = file(name).with_context(|| format!("{name} is missing"))?;
        String::from_utf8(bytes.to_vec()).with_context(|| format!("{name} is not text"))
    };
    let world: WorldFile = serde_json::from_str(&text(WORLD)?).with_context(|| WORLD)?;
    if world.format != FORMAT {
        bail!("{} is of the format {:?}, expected {:?}", WORLD, world.format, FORMAT);
    }
    let retention = world.retention.unwrap_or_default();
    let identity = identity(
        String::new(),
        &text(SIGNER_KEY)?,
        &text(LOG_KEY)?,
        world.rekor_origin,
        &text(LOG_VERIFIER)?,
        &text(AUDIT_VERIFIER)?,
    )
    .context("the keys of the export")?;
    let builders =
        serde_json::from_str(&text(TRUSTED_BUILDERS)?).with_context(|| TRUSTED_BUILDERS)?;
    let log_validity = match file(TRUSTED_ROOT) {
        Some(bytes) => root::validity(&bytes, &identity),
        None => Err("it is missing".to_owned()),
    };
    Ok(Anchors { identity, builders, retention, log_validity })
}
