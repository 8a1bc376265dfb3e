//! The repository `wavetank/trivy-db`: what the world knows of vulnerabilities as the database that
//! `trivy --db-repository` fetches.
use crate::http::generated::{GeneratedArtifact, GeneratedRepository};
use anyhow::Context;
use chrono::{DateTime, Utc};
use documents::distribution::Distribution;
use documents::oci::MANIFEST_TYPE;
use documents::osv::Advisory;
use documents::scanner_db;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use store::read::evidence::{advisories, known};
use store::world;

const NAME: &str = "wavetank/trivy-db";
/// So many databases are kept: who fetches a manifest fetches its blobs a moment later.
const KEPT: usize = 4;

type Made = (Distribution, Vec<Advisory>, Arc<GeneratedArtifact>);

/// Databases that were made last: what is known changes with an advisory, not with every instant.
#[derive(Debug, Default)]
pub(super) struct TrivyDb(Mutex<VecDeque<Made>>);

impl TrivyDb {
    fn find(&self, of: Distribution, known: &[Advisory]) -> Option<Arc<GeneratedArtifact>> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = made.iter().find(|(whose, what, _)| *whose == of && what == known);
        found.map(|(_, _, artifact)| Arc::clone(artifact))
    }

    fn keep(&self, made: Made) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front(made);
        all.truncate(KEPT);
    }
}

impl GeneratedRepository for TrivyDb {
    fn name(&self) -> &str {
        NAME
    }

    fn artifact<'a>(
        &'a self,
        conn: &'a mut PgConnection,
        as_of: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<Option<Arc<GeneratedArtifact>>>> {
        Box::pin(async move {
            let Some(found) = world::find(conn).await? else { return Ok(None) };
            let named = &found.origin.distribution;
            let of = Distribution::named(named).with_context(|| format!("distribution {named}"))?;
            let known = known(&advisories(conn, as_of).await?)?;
            // It is as old as what it says: between two changes it is one and the same.
            let Some(changed) = known.iter().map(|advisory| advisory.modified).max() else {
                return Ok(None);
            };
            if let Some(kept) = self.find(of, &known) {
                return Ok(Some(kept));
            }
            let making = move || (scanner_db::artifact(&known, of, changed), known);
            let (made, known) = tokio::task::spawn_blocking(making).await?;
            let made = made?;
            let blobs = made.blobs.into_iter().map(|(_, _, bytes)| bytes.into()).collect();
            let tags = vec!["2".to_owned(), "latest".to_owned()];
            let artifact = GeneratedArtifact::new(tags, MANIFEST_TYPE, made.manifest.into(), blobs);
            let artifact = Arc::new(artifact);
            self.keep((of, known, Arc::clone(&artifact)));
            Ok(Some(artifact))
        })
    }
}
