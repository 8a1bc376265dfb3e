//! Finalizes a window from its facts: one transaction, one statement a kind of row, in the order of
//! facts.
use super::error::ConductorError;
use super::window::Window;
use sim::catalogue::Catalogue;
use sim::fact::{Fact, FactKind, Outcome};
use sim::ids::{CustomerId, ImageId};
use sim::time::SimTime;
use sqlx::PgPool;
use std::collections::BTreeMap;
use store::finalize::{self, FixedFinding, PublishedVersion, Usage};
use store::world;

/// Ends the rows that the window's facts end. Running it again changes nothing.
pub(super) async fn finalize(
    pool: &PgPool,
    term: i64,
    catalogue: &Catalogue,
    window: &Window,
) -> Result<(), ConductorError> {
    let (published, fixed) = published(&window.facts);
    let (changed, moves) = moves(catalogue, &window.facts);
    let judges = window
        .facts
        .iter()
        .any(|fact| matches!(&fact.kind, FactKind::Scanned(_) | FactKind::FindingTriaged { .. }));
    if published.is_empty() && changed.is_empty() && !judges {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    // The ledger still owes the window: what a crash loses here is finalized again.
    store::db::relax_commit(&mut tx).await?;
    world::assert_term(&mut tx, term).await?;
    finalize::supersede_versions(&mut tx, &published).await?;
    finalize::resolve_findings(&mut tx, &fixed).await?;
    if judges {
        finalize::apply_triage(&mut tx, window.from, window.to.at).await?;
        finalize::count_findings(&mut tx, window.from, window.to.at).await?;
    }
    finalize::update_usage(&mut tx, &changed, &moves).await?;
    tx.commit().await?;
    Ok(())
}

fn published(facts: &[Fact]) -> (Vec<PublishedVersion>, Vec<FixedFinding>) {
    let (mut versions, mut findings) = (Vec::new(), Vec::new());
    for fact in facts {
        let FactKind::BuildFinished(result) = &fact.kind else { continue };
        let Outcome::Published(published) = &result.outcome else { continue };
        let (image, version, at) = (result.image, published.version, fact.at);
        versions.push(PublishedVersion { image, version, at });
        findings.extend(published.fixed.iter().map(|finding| FixedFinding {
            image,
            advisory: finding.advisory,
            package: finding.package,
            version,
            at,
        }));
    }
    (versions, findings)
}

/// When a customer's use of an image first changed in a window.
type Changed = Vec<(CustomerId, ImageId, SimTime)>;

fn moves(catalogue: &Catalogue, facts: &[Fact]) -> (Changed, Vec<Usage>) {
    let mut changed: Changed = Vec::new();
    let mut moves: Vec<Usage> = Vec::new();
    // The last move of a customer and image; none once the use has ended.
    let mut last: BTreeMap<(CustomerId, ImageId), Option<usize>> = BTreeMap::new();
    for fact in facts {
        let (customer, image) = match &fact.kind {
            FactKind::UsageChanged { customer, version, .. }
            | FactKind::UsageEnded { customer, version } => (*customer, version.image),
            _ => continue,
        };
        let known = last.get(&(customer, image)).copied();
        if known.is_none() {
            changed.push((customer, image, fact.at));
        }
        let before = known.flatten();
        let FactKind::UsageChanged { version, previous, mode, runtime, .. } = &fact.kind else {
            if let Some(before) = before {
                moves[before].until = Some(fact.at);
            }
            last.insert((customer, image), None);
            continue;
        };
        let runtime = runtime.as_deref().cloned();
        let runtime = runtime.unwrap_or_else(|| catalogue.runtime(customer, image));
        let namespace = catalogue.customers.get(customer.index()).map(|c| c.namespace.clone());
        let begun = before.and_then(|before| moves[before].used_since);
        let next = Usage {
            customer,
            namespace: namespace.unwrap_or_default(),
            image,
            version: version.version,
            from: fact.at,
            used_since: if previous.is_none() { Some(fact.at) } else { begun },
            until: None,
            mode: *mode,
            environment: runtime.environment,
            cluster: runtime.cluster,
            replicas: runtime.replicas,
            internet_exposed: runtime.internet_exposed,
        };
        match before.filter(|before| moves[*before].from == fact.at) {
            // Two moves at one instant: only the later one ever ran.
            Some(before) => moves[before] = next,
            None => {
                if let Some(before) = before {
                    moves[before].until = Some(fact.at);
                }
                last.insert((customer, image), Some(moves.len()));
                moves.push(next);
            }
        }
    }
    (changed, moves)
}
