//! The timeline: one row a fact, short enough to read, in the order in which things happened.
use crate::catalogue::SHARED_NAMESPACE;
use crate::db::instant;
use crate::error::Error;
use serde_json::{Value, json};
use sim::catalogue::Catalogue;
use sim::fact::{BuildResult, Fact, FactKind, Notification, Outcome};
use sim::fact::{Scan, ScanTarget, ScanTrigger, SlaCheck};
use sim::ids::{AdvisoryId, BuildId, CustomerId, ImageId};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What a row says beside its place: what it is about, and the particulars.
#[derive(Default)]
struct Entry {
    kind: &'static str,
    image: Option<ImageId>,
    build: Option<BuildId>,
    advisory: Option<AdvisoryId>,
    customer: Option<CustomerId>,
    data: Value,
}

/// Writes the timeline of some facts, in one statement. `owned` tells the images of builds that
/// facts name alone, where these are not shared ones.
pub async fn insert(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    owned: &BTreeMap<BuildId, ImageId>,
    facts: &[Fact],
) -> Result<(), Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let entries: Vec<Entry> = facts.iter().map(|fact| entry(&fact.kind, catalogue)).collect();
    let ats = facts.iter().map(|f| instant(f.at)).collect::<Result<Vec<_>, _>>()?;
    let tenant = |entry: &Entry| {
        let customer = entry.customer.and_then(|id| catalogue.customers.get(id.index()));
        if let Some(customer) = customer {
            return customer.namespace.as_str();
        }
        let built = || entry.build.and_then(|build| owned.get(&build).copied());
        let image = entry.image.or_else(built);
        image.map_or(SHARED_NAMESPACE, |image| catalogue.namespace(image))
    };
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, advisory_id,
             customer_id, data)
         SELECT seq, at, kind, tenant, image, build, advisory, customer, data::jsonb
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[],
                     $6::bigint[], $7::bigint[], $8::bigint[], $9::text[])
              AS new (seq, at, kind, tenant, image, build, advisory, customer, data)",
    )
    .bind(facts.iter().map(|f| f.seq as i64).collect::<Vec<_>>())
    .bind(ats)
    .bind(entries.iter().map(|e| e.kind).collect::<Vec<_>>())
    .bind(entries.iter().map(tenant).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.image.map(|id| i64::from(id.0))).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.build.map(|id| id.0 as i64)).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.advisory.map(|id| i64::from(id.0))).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.customer.map(|id| i64::from(id.0))).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.data.to_string()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn entry(kind: &FactKind, catalogue: &Catalogue) -> Entry {
    match kind {
        FactKind::PackageReleased { .. }
        | FactKind::AdvisoryPublished(_)
        | FactKind::FixAvailable { .. }
        | FactKind::FindingTriaged { .. } => vulnerability_entry(kind),
        FactKind::ImageCreated(_)
        | FactKind::BuildRequested { .. }
        | FactKind::BuildMerged { .. }
        | FactKind::BuildStarted { .. }
        | FactKind::BuildFlaked { .. } => build_entry(kind),
        FactKind::BuildFinished(result) => finished_entry(result),
        FactKind::Scanned(scan) => scan_entry(scan, catalogue),
        FactKind::UsageEnded { customer, version } => Entry {
            kind: "usage_ended",
            customer: Some(*customer),
            image: Some(version.image),
            data: json!({ "version": version.version }),
            ..Entry::default()
        },
        FactKind::UsageChanged { customer, version, previous, mode, .. } => Entry {
            kind: "usage_changed",
            customer: Some(*customer),
            image: Some(version.image),
            data: json!({
                "version": version.version, "previous": previous, "mode": mode.as_str(),
            }),
            ..Entry::default()
        },
        FactKind::SlaChecked(check) => sla_entry(check),
        FactKind::Notified(notification) => notified_entry(notification),
        FactKind::BuilderOutage { in_service } => Entry {
            kind: "builder_outage",
            data: json!({ "in_service": in_service }),
            ..Entry::default()
        },
        FactKind::BuilderDistrusted { builder } => Entry {
            kind: "builder_distrusted",
            data: json!({ "builder": builder }),
            ..Entry::default()
        },
        FactKind::AttestationTampered { version } => Entry {
            kind: "attestation_tampered",
            image: Some(version.image),
            data: json!({ "version": version.version }),
            ..Entry::default()
        },
    }
}

fn vulnerability_entry(kind: &FactKind) -> Entry {
    match kind {
        FactKind::PackageReleased { release, fixes } => Entry {
            kind: "package_released",
            data: json!({
                "package": release.package, "release": release.release, "fixes": fixes.as_ref(),
            }),
            ..Entry::default()
        },
        FactKind::AdvisoryPublished(advisory) => Entry {
            kind: "advisory_published",
            advisory: Some(advisory.id),
            data: json!({
                "cve": &*advisory.cve,
                "severity": advisory.severity.as_str(),
                "packages": advisory.affected.len(),
                "known_exploited": advisory.known_exploited,
            }),
            ..Entry::default()
        },
        FactKind::FixAvailable { advisory } => Entry {
            kind: "fix_available",
            advisory: Some(*advisory),
            data: json!({}),
            ..Entry::default()
        },
        FactKind::FindingTriaged { image, advisory, justification } => Entry {
            kind: "finding_triaged",
            image: Some(*image),
            advisory: Some(*advisory),
            data: json!({ "justification": justification.as_str() }),
            ..Entry::default()
        },
        _ => Entry::default(),
    }
}

fn build_entry(kind: &FactKind) -> Entry {
    match kind {
        FactKind::ImageCreated(new) => Entry {
            kind: "image_created",
            image: Some(new.image),
            data: json!({ "name": &*new.name, "base": new.base, "packages": new.packages.len() }),
            ..Entry::default()
        },
        FactKind::BuildRequested { build, image, cause } => Entry {
            kind: "build_requested",
            image: Some(*image),
            build: Some(*build),
            data: json!({ "trigger": cause.trigger().as_str(), "cause": cause }),
            ..Entry::default()
        },
        FactKind::BuildMerged { build, into } => Entry {
            kind: "build_merged",
            build: Some(*build),
            data: json!({ "into": into }),
            ..Entry::default()
        },
        FactKind::BuildStarted { build, builder, attempt } => Entry {
            kind: "build_started",
            build: Some(*build),
            data: json!({ "builder": builder, "attempt": attempt }),
            ..Entry::default()
        },
        FactKind::BuildFlaked { build, attempt } => Entry {
            kind: "build_flaked",
            build: Some(*build),
            data: json!({ "attempt": attempt }),
            ..Entry::default()
        },
        _ => Entry::default(),
    }
}

fn finished_entry(result: &BuildResult) -> Entry {
    let mut data = json!({
        "trigger": result.cause.trigger().as_str(),
        "outcome": result.outcome.as_str(),
        "attempts": result.attempts,
    });
    match &result.outcome {
        Outcome::Published(published) => {
            data["version"] = json!(published.version);
            data["base"] = json!(published.base);
            data["packages"] = json!(published.contents.len());
            data["fixed"] = json!(published.fixed.len());
        }
        Outcome::Unchanged { version } | Outcome::Superseded { version } => {
            data["version"] = json!(version);
        }
        Outcome::Failed { reason } => data["reason"] = json!(reason.as_str()),
    }
    Entry {
        kind: "build_finished",
        image: Some(result.image),
        build: Some(result.build),
        data,
        ..Entry::default()
    }
}

fn scan_entry(scan: &Scan, catalogue: &Catalogue) -> Entry {
    // A scan of one image is about it; a pass over all of them is about none, and what everybody
    // reads of it counts what everybody sees.
    let first = scan.targets.first().map(|target| target.version.image);
    let one = scan.targets.iter().all(|target| Some(target.version.image) == first);
    let image = first.filter(|_| one && scan.trigger != ScanTrigger::Scheduled);
    // (A scheduled pass over a single version was always about its image.)
    let image =
        if let [target] = scan.targets.as_slice() { Some(target.version.image) } else { image };
    let shared = |target: &&ScanTarget| {
        image.is_some() || catalogue.namespace(target.version.image) == SHARED_NAMESPACE
    };
    let targets: Vec<&ScanTarget> = scan.targets.iter().filter(shared).collect();
    Entry {
        kind: "scanned",
        image,
        data: json!({
            "trigger": scan.trigger,
            "versions": targets.len(),
            "findings": targets.iter().map(|t| u64::from(t.findings)).sum::<u64>(),
            "new": targets.iter().map(|t| t.new.len()).sum::<usize>(),
        }),
        ..Entry::default()
    }
}

fn sla_entry(check: &SlaCheck) -> Entry {
    Entry {
        kind: "sla_checked",
        data: json!({
            "opened": check.opened.len(), "excluded": check.excluded.len(),
            "stopped": check.stopped.len(), "at_risk": check.at_risk.len(),
            "breached": check.breached.len(), "resolved": check.resolved.len(),
        }),
        ..Entry::default()
    }
}

fn notified_entry(notification: &Notification) -> Entry {
    Entry {
        kind: "notified",
        customer: notification.customer,
        data: json!({ "about": notification.kind.as_str(), "items": notification.items }),
        ..Entry::default()
    }
}
