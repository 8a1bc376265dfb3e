//! The groups of operations in the specification.
use poem_openapi::Tags;

/// What the operations are grouped by.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Keys, tokens, and what callers did with them.
    Identity,
    /// What happens, as it happens.
    Events,
    /// The world's clock: read it, pause it, let it run live or as fast as the workers can.
    Clock,
    /// What worlds are made from, and another world in the place of this one.
    Scenarios,
    /// Many replications of scenarios, and what can be said of them with what certainty. They are the
    /// platform's: keys of tenants may not call these.
    Studies,
    /// Images, their versions, and where their documents are.
    Images,
    /// Build events, from the request to the published version.
    Builds,
    /// What was asked of the world: scans, evaluations, incidents, and what became of each.
    Commands,
    /// SBOMs, provenance and logs, byte for byte.
    Artifacts,
    /// Findings: which version of which image holds what an advisory affects.
    Findings,
    /// Advisories: what they affect, how far they reach, and who is exposed.
    Advisories,
    /// Packages, their releases, and which images hold them.
    Packages,
    /// Customers: what they run and what they are exposed to.
    Customers,
    /// What is promised, what is owed, what was missed, and how fast exposures end.
    Sla,
    /// The transparency log and the audit log: entries, checkpoints, proofs.
    Logs,
    /// What is sent to other systems, and what forges tell the platform.
    Webhooks,
    /// Whether the service lives and is ready.
    Operations,
    /// What can go wrong, code by code.
    Problems,
}
