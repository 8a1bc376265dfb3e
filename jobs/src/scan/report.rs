//! What the scanner says of a version, signed: the vulnerability report and the VEX document.
//!
//! They are issued when the version is pushed, and again when a scan comes to another result than
//! the one before: a finding is new or gone, was judged, or a fix for it was released. Everything
//! in them is as it was known at that instant.
use super::matcher::Hit;
use crate::error::JobError;
use crate::naming::{empty_image, repository};
use crate::sign::{StatementContext, sign};
use anyhow::{Context, anyhow};
use documents::statement::{PAYLOAD_TYPE, PredicateType, statement_of_document};
use documents::vex::{self, Justification, Status};
use documents::vuln::{self, ScanFinding};
use documents::world_keys::WorldKeys;
use documents::{Digest, Distribution, Subject, Timestamp};
use sim::ids::AdvisoryId;
use sim::time::SimTime;
use std::collections::BTreeMap;
use store::artifacts::{Document, StoredDocument, kind};
use store::attestations::SignedStatement;
use store::images::Identity;
use store::objects::NewObject;

/// Media type of an OpenVEX document.
pub(crate) const OPENVEX_TYPE: &str = "application/json";

/// One report to be made.
pub(super) struct Report {
    /// Which scan of which version.
    pub(super) occasion: StatementContext,
    /// What the version is called.
    pub(super) identity: Identity,
    /// What was found in it.
    pub(super) found: Vec<Hit>,
    /// What the version before had and this one has not, as the packages of this one.
    pub(super) fixed: Vec<Hit>,
    /// What was judged about the image: when, and why it is not affected.
    pub(super) judged: BTreeMap<AdvisoryId, (SimTime, String)>,
}

/// What comes of reports.
#[derive(Default)]
pub(super) struct ReportDocuments {
    pub(super) objects: Vec<NewObject>,
    pub(super) signed: Vec<(SignedStatement, Vec<u8>)>,
}

impl ReportDocuments {
    /// Writes, signs and packs the documents of a report.
    pub(super) fn add(
        &mut self,
        keys: &WorldKeys,
        distribution: Distribution,
        report: &Report,
    ) -> Result<(), JobError> {
        let identity = &report.identity;
        let contents = empty_image(distribution, &identity.name, &identity.tags);
        let digest: Digest = identity.digest.parse().context("digest of a version")?;
        let subject = Subject { contents: &contents, digest, created: time(identity.published)? };
        let scan = report.scan(&subject)?;
        let sha256 = self.keep(kind::VULN, PAYLOAD_TYPE, scan.clone());
        self.sign(keys, report, PredicateType::VulnerabilityScan, sha256, scan)?;
        let vex = report.vex(&subject)?;
        let name = repository(&identity.name);
        let statement = statement_of_document(&name, digest, PredicateType::OpenVex, &vex)?;
        let sha256 = self.keep(kind::OPENVEX, OPENVEX_TYPE, vex);
        self.sign(keys, report, PredicateType::OpenVex, sha256, statement)
    }

    fn keep(&mut self, kind: &'static str, media_type: &'static str, bytes: Vec<u8>) -> String {
        let document = Document { kind, media_type, bytes: bytes.into() };
        let stored = StoredDocument::of(&document);
        self.objects.push(document.into_object(&stored));
        stored.sha256
    }

    fn sign(
        &mut self,
        keys: &WorldKeys,
        report: &Report,
        predicate_type: PredicateType,
        sha256: String,
        statement: Vec<u8>,
    ) -> Result<(), JobError> {
        self.signed.push(sign(keys, report.occasion, predicate_type, Some(sha256), statement)?);
        Ok(())
    }
}

impl Report {
    fn scan(&self, subject: &Subject<'_>) -> Result<Vec<u8>, JobError> {
        let at = time(self.occasion.at)?;
        let findings: Vec<_> = self.found.iter().map(|hit| self.scan_finding(hit)).collect();
        let scan = vuln::Scan {
            scan_id: &self.occasion.seq.to_string(),
            started: at,
            finished: at,
            database_version: &at.to_string(),
            findings: &findings,
        };
        Ok(vuln::statement(subject, &scan)?)
    }

    fn scan_finding(&self, hit: &Hit) -> ScanFinding {
        ScanFinding {
            vulnerability: hit.cve.to_string(),
            package: hit.package.to_string(),
            version: hit.version.to_string(),
            fixed: hit.fix_known_at(self.occasion.at).map(|(version, _)| version.to_owned()),
            cvss_vector: hit.vector.to_string(),
        }
    }

    fn vex(&self, subject: &Subject<'_>) -> Result<Vec<u8>, JobError> {
        let found = self.found.iter().map(|hit| self.vex_finding(hit));
        let fixed = self.fixed.iter().map(|hit| {
            vex_finding(hit, self.identity.published.max(hit.detectable), Status::Fixed)
        });
        let findings = found.chain(fixed).collect::<Result<Vec<_>, _>>()?;
        let issued = time(self.occasion.at)?;
        Ok(vex::document(subject, &findings, issued, self.occasion.seq)?)
    }

    /// Judged ones do not affect the image; of the others it is known what to do once there is a
    /// fix, and until then somebody looks into it.
    fn vex_finding(&self, hit: &Hit) -> Result<vex::Finding, JobError> {
        let seen = hit.detectable.max(self.identity.published);
        if let Some((at, name)) = self.judged.get(&hit.finding.advisory) {
            let justification =
                Justification::from_name(name).ok_or_else(|| anyhow!("justification {name}"))?;
            return vex_finding(hit, seen.max(*at), Status::NotAffected { justification });
        }
        match hit.fix_known_at(self.occasion.at) {
            Some((fix, at)) => {
                let action_statement = format!(
                    "Rebuild on {} {fix} or later, or move to a version of the image that has it.",
                    hit.package
                );
                vex_finding(hit, seen.max(at), Status::Affected { action_statement })
            }
            None => vex_finding(hit, seen, Status::UnderInvestigation),
        }
    }
}

fn vex_finding(hit: &Hit, since: SimTime, status: Status) -> Result<vex::Finding, JobError> {
    Ok(vex::Finding {
        vulnerability: hit.cve.to_string(),
        package: hit.package.to_string(),
        version: hit.version.to_string(),
        since: time(since)?,
        status,
    })
}

fn time(at: SimTime) -> Result<Timestamp, JobError> {
    Ok(Timestamp::from_ms(at.0)?)
}
