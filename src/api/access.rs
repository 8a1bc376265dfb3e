//! Who may call what: one line an operation. The specification shows it (`x-roles`), the gate
//! enforces it, and a test fails for an operation that is not listed here.
use crate::auth::Role;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a key.
    Public,
    /// Whoever can sign it: the operation checks that itself.
    Signed,
    /// Every key but an orchestrator's.
    Read,
    /// Every key.
    Builds,
    /// Who may ask for work: editors and admins.
    Edit,
    /// Who finishes builds that are made outside, and admins.
    Orchestrate,
    /// Admins alone.
    Admin,
}

impl Access {
    /// The roles whose keys may call; none: no key is needed.
    pub(crate) const fn roles(self) -> Option<&'static [Role]> {
        match self {
            Access::Public | Access::Signed => None,
            Access::Read => Some(&[Role::Admin, Role::Editor, Role::Viewer]),
            Access::Builds => Some(&Role::ALL),
            Access::Edit => Some(&[Role::Admin, Role::Editor]),
            Access::Orchestrate => Some(&[Role::Admin, Role::Orchestrator]),
            Access::Admin => Some(&[Role::Admin]),
        }
    }
}

/// Who may call the operation with this id; none: it has been forgotten, and nobody may.
pub(crate) fn of(operation: &str) -> Option<Access> {
    OPERATIONS.iter().find(|(known, _)| *known == operation).map(|(_, access)| *access)
}

/// By path.
const OPERATIONS: &[(&str, Access)] = &[
    ("health", Access::Public),
    ("ready", Access::Public),
    ("listProblems", Access::Public),
    ("getProblem", Access::Public),
    ("listActions", Access::Read),
    ("listApiKeys", Access::Admin),
    ("createApiKey", Access::Admin),
    ("revokeApiKey", Access::Admin),
    ("getArtifact", Access::Builds),
    ("whoAmI", Access::Builds),
    ("getToken", Access::Public),
    ("listBuilds", Access::Builds),
    ("getBuild", Access::Builds),
    ("getBuildLog", Access::Builds),
    ("completeBuild", Access::Orchestrate),
    ("listArtifacts", Access::Builds),
    ("getClock", Access::Builds),
    ("setClock", Access::Admin),
    ("listScenarios", Access::Read),
    ("getScenario", Access::Read),
    ("checkScenario", Access::Edit),
    ("loadScenario", Access::Admin),
    ("getScenarioLoad", Access::Admin),
    ("getCommand", Access::Builds),
    ("startScan", Access::Edit),
    ("startSlaCheck", Access::Edit),
    ("useImage", Access::Edit),
    ("endUse", Access::Edit),
    ("registerAdvisory", Access::Admin),
    ("listIncidents", Access::Read),
    ("injectIncident", Access::Admin),
    ("retryJob", Access::Admin),
    ("discardJob", Access::Admin),
    ("listQueues", Access::Admin),
    ("listJobs", Access::Admin),
    ("getJob", Access::Admin),
    ("watchEvents", Access::Read),
    ("listTimeline", Access::Read),
    ("listScans", Access::Read),
    ("listNotifications", Access::Read),
    ("getNotification", Access::Read),
    ("listAuditLogs", Access::Read),
    ("getAuditLog", Access::Read),
    ("listImages", Access::Read),
    ("buildImage", Access::Edit),
    ("getImage", Access::Read),
    ("listVersions", Access::Read),
    ("getVersion", Access::Read),
    ("listImageFindings", Access::Read),
    ("listSboms", Access::Read),
    ("listAttestations", Access::Read),
    ("listVexStatements", Access::Read),
    ("listImageUsage", Access::Read),
    ("getLineage", Access::Read),
    ("diffVersions", Access::Read),
    ("listFindings", Access::Read),
    ("listAdvisories", Access::Read),
    ("getAdvisory", Access::Read),
    ("listAdvisoryExposure", Access::Read),
    ("listPackages", Access::Read),
    ("getPackage", Access::Read),
    ("listPackageImages", Access::Read),
    ("listCustomers", Access::Read),
    ("getCustomer", Access::Read),
    ("listCustomerUsage", Access::Read),
    ("listCustomerExposure", Access::Read),
    ("listSlaPolicies", Access::Read),
    ("listSlaTimers", Access::Read),
    ("listSlaViolations", Access::Read),
    ("forecastSla", Access::Read),
    ("getRemediation", Access::Read),
    ("listLogs", Access::Read),
    ("listLogEntries", Access::Read),
    ("getLogEntry", Access::Read),
    ("getCheckpoint", Access::Read),
    ("getConsistencyProof", Access::Read),
    ("getInclusionProof", Access::Read),
    ("pushUpstream", Access::Signed),
    ("retryWebhookDelivery", Access::Edit),
    ("discardWebhookDelivery", Access::Edit),
    ("listWebhookEndpoints", Access::Read),
    ("createWebhookEndpoint", Access::Edit),
    ("getWebhookEndpoint", Access::Read),
    ("changeWebhookEndpoint", Access::Edit),
    ("deleteWebhookEndpoint", Access::Edit),
    ("listWebhookDeliveries", Access::Read),
    ("testWebhookEndpoint", Access::Edit),
    ("listWebhookSources", Access::Read),
    ("createWebhookSource", Access::Edit),
    ("revokeWebhookSource", Access::Edit),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_is_listed_once_and_nothing_else() {
        let document: serde_json::Value =
            serde_json::from_str(&crate::api::openapi_json()).unwrap();
        let paths = document["paths"].as_object().unwrap().values();
        let known: BTreeSet<&str> = paths
            .flat_map(|item| item.as_object().unwrap().values())
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        let listed: BTreeSet<&str> = OPERATIONS.iter().map(|(operation, _)| *operation).collect();
        assert_eq!(listed.len(), OPERATIONS.len());
        assert_eq!(listed, known);
    }
}
