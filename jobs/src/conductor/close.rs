//! The closings of a window, from its facts: one transaction, set by set, in the order of facts.
use super::error::ConductorError;
use super::window::Window;
use sim::catalogue::Catalogue;
use sim::fact::{Fact, FactKind, Outcome};
use sim::ids::{CustomerId, ImageId};
use sqlx::PgPool;
use std::collections::BTreeMap;
use store::closings::{self, Fixed, Published, Usage};
use store::world;

/// Ends what the window's facts end. Running it again changes nothing.
pub(super) async fn close(
    pool: &PgPool,
    term: i64,
    catalogue: &Catalogue,
    window: &Window,
) -> Result<(), ConductorError> {
    let (published, fixed) = published(&window.facts);
    let moves = moves(catalogue, &window.facts);
    let judges = window
        .facts
        .iter()
        .any(|fact| matches!(&fact.kind, FactKind::Scanned(_) | FactKind::FindingTriaged { .. }));
    if published.is_empty() && moves.is_empty() && !judges {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    // The ledger still owes the window: what a crash loses here is closed again.
    sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *tx).await?;
    world::assert_term(&mut tx, term).await?;
    closings::supersede(&mut tx, &published).await?;
    closings::resolve(&mut tx, &fixed).await?;
    if judges {
        closings::judge(&mut tx, window.from, window.to.at).await?;
    }
    closings::usage(&mut tx, &moves).await?;
    tx.commit().await?;
    Ok(())
}

fn published(facts: &[Fact]) -> (Vec<Published>, Vec<Fixed>) {
    let (mut versions, mut findings) = (Vec::new(), Vec::new());
    for fact in facts {
        let FactKind::BuildFinished(result) = &fact.kind else { continue };
        let Outcome::Published(published) = &result.outcome else { continue };
        let (image, version, at) = (result.image, published.version, fact.at);
        versions.push(Published { image, version, at });
        findings.extend(published.fixed.iter().map(|finding| Fixed {
            image,
            advisory: finding.advisory,
            package: finding.package,
            version,
            at,
        }));
    }
    (versions, findings)
}

fn moves(catalogue: &Catalogue, facts: &[Fact]) -> Vec<Usage> {
    let mut moves: Vec<Usage> = Vec::new();
    let mut last: BTreeMap<(CustomerId, ImageId), usize> = BTreeMap::new();
    for fact in facts {
        let FactKind::UsageChanged { customer, version, mode, .. } = &fact.kind else { continue };
        let key = (*customer, version.image);
        if let Some(&before) = last.get(&key) {
            if moves[before].from == fact.at {
                // Two moves at one instant: only the later one ever ran.
                moves[before].version = version.version;
                moves[before].mode = *mode;
                continue;
            }
            moves[before].until = Some(fact.at);
        }
        last.insert(key, moves.len());
        let runtime = catalogue.runtime(*customer, version.image);
        let namespace = catalogue.customers.get(customer.index()).map(|c| c.namespace.clone());
        moves.push(Usage {
            customer: *customer,
            namespace: namespace.unwrap_or_default(),
            image: version.image,
            version: version.version,
            from: fact.at,
            until: None,
            mode: *mode,
            environment: runtime.environment,
            cluster: runtime.cluster,
            replicas: runtime.replicas,
            internet_exposed: runtime.internet_exposed,
        });
    }
    moves
}
