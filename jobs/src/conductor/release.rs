//! The release of a window: one transaction that writes the facts, what the kernel alone decides,
//! the jobs of the whole window, and the new position. After it the window is owed; before it
//! nothing has happened.
use super::error::ConductorError;
use crate::naming::builder_name;
use documents::statement::PredicateType;
use serde_json::json;
use sim::catalogue::Catalogue;
use sim::fact::{Advisory, BuildResult, Cause, Fact, FactKind, Justification, Outcome};
use sim::ids::{AdvisoryId, BuildId, BuilderId, ImageId, ReleaseRef};
use sim::time::SimTime;
use sqlx::PgPool;
use std::collections::BTreeMap;
use store::audit::{self, Audit};
use store::commands::{self, CommandOutcome};
use store::kernel_rows::{self, BuildState, CreatedImage};
use store::ledger::{self, NewJob};
use store::slsa::{self, Distrusted};
use store::world::{self, Position};
use store::{advisories, packages, timeline};

/// The SLSA level that the external builder is granted: provenance that the platform signs on the
/// word of an authenticated orchestrator. Nothing shows that builds were kept apart there, which
/// level 3 asks for.
const EXTERNAL_LEVEL: u8 = 2;

/// What a release writes.
pub(super) struct Release<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// The images of builds, where they are not shared ones.
    pub(super) owned: &'a BTreeMap<BuildId, ImageId>,
    /// Findings that would be wrong, among those that the facts make possible.
    pub(super) false_positives: &'a [(ImageId, AdvisoryId)],
    pub(super) facts: &'a [Fact],
    pub(super) jobs: &'a [NewJob],
    pub(super) outcomes: &'a [CommandOutcome],
    pub(super) to: Position,
    pub(super) fingerprint: &'a str,
}

/// Writes it, in the term of this conductor.
///
/// # Errors
/// Another conductor has taken over, or Postgres failed; nothing is written then.
pub(super) async fn release(
    pool: &PgPool,
    term: i64,
    release: &Release<'_>,
) -> Result<(), ConductorError> {
    let rows = Rows::of(release);
    let mut tx = pool.begin().await?;
    timeline::insert(&mut tx, release.catalogue, release.owned, release.facts).await?;
    packages::insert_releases(&mut tx, release.catalogue, &rows.releases).await?;
    advisories::insert(&mut tx, release.catalogue, &rows.advisories).await?;
    advisories::fix_available(&mut tx, &rows.fixes).await?;
    advisories::fixed_in(&mut tx, release.catalogue, &rows.fixed_in).await?;
    kernel_rows::images(&mut tx, &rows.images).await?;
    kernel_rows::builds(&mut tx, &rows.builds).await?;
    kernel_rows::triages(&mut tx, &rows.triages).await?;
    kernel_rows::false_positives(&mut tx, release.false_positives).await?;
    if let Some(at) = rows.external {
        slsa::trust_once(&mut tx, &BuilderId::EXTERNAL.name(), EXTERNAL_LEVEL, at).await?;
    }
    slsa::distrust(&mut tx, &rows.distrusted).await?;
    audit::insert(&mut tx, &rows.audit).await?;
    commands::record_outcomes(&mut tx, release.outcomes).await?;
    ledger::insert(&mut tx, release.jobs).await?;
    // Last, for it holds the world's row until the commit.
    world::release(&mut tx, term, release.to, release.fingerprint).await?;
    tx.commit().await?;
    Ok(())
}

/// The rows of a window, by table.
#[derive(Default)]
struct Rows<'a> {
    releases: Vec<(ReleaseRef, SimTime)>,
    advisories: Vec<&'a Advisory>,
    fixes: Vec<(AdvisoryId, SimTime)>,
    fixed_in: Vec<(AdvisoryId, ReleaseRef, SimTime)>,
    images: Vec<CreatedImage<'a>>,
    builds: Vec<(BuildId, BuildState)>,
    triages: Vec<(ImageId, AdvisoryId, SimTime, Justification)>,
    distrusted: Vec<Distrusted>,
    /// When the first external build of the window was asked for.
    external: Option<SimTime>,
    audit: Vec<Audit>,
}

impl<'a> Rows<'a> {
    fn of(release: &Release<'a>) -> Self {
        let mut rows = Rows::default();
        let mut builds = Builds::default();
        for fact in release.facts {
            let at = fact.at;
            builds.add(fact);
            match &fact.kind {
                FactKind::PackageReleased { release, fixes } => {
                    rows.releases.push((*release, at));
                    rows.fixed_in.extend(fixes.iter().map(|advisory| (*advisory, *release, at)));
                }
                FactKind::AdvisoryPublished(advisory) => rows.advisories.push(advisory),
                FactKind::FixAvailable { advisory } => rows.fixes.push((*advisory, at)),
                FactKind::ImageCreated(new) => {
                    rows.images.push(CreatedImage { new, at });
                }
                FactKind::FindingTriaged { image, advisory, justification } => {
                    rows.triages.push((*image, *advisory, at, *justification));
                }
                FactKind::BuilderDistrusted { builder } => {
                    let builder = builder_name(*builder);
                    rows.distrusted.push(Distrusted { builder, seq: fact.seq, at });
                }
                _ => {}
            }
            if let FactKind::BuildRequested {
                cause: Cause::Manual { external: true, .. }, ..
            } = &fact.kind
            {
                rows.external.get_or_insert(at);
            }
            rows.audit.extend(audit_line(release.catalogue, fact));
        }
        rows.builds = builds.states;
        rows
    }
}

/// How builds stand at the end of the window, in the order in which they were met.
#[derive(Default)]
struct Builds {
    states: Vec<(BuildId, BuildState)>,
    places: BTreeMap<BuildId, usize>,
}

impl Builds {
    fn state(&mut self, build: BuildId) -> &mut BuildState {
        let place = *self.places.entry(build).or_insert_with(|| {
            self.states.push((build, BuildState::default()));
            self.states.len() - 1
        });
        &mut self.states[place].1
    }

    fn add(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::BuildRequested { build, image, cause } => {
                let state = self.state(*build);
                state.request = Some((*image, cause.clone(), fact.at));
                state.status = "pending";
            }
            FactKind::BuildMerged { build, into } => {
                let state = self.state(*build);
                state.status = "merged";
                state.merged_into = Some(*into);
                state.finished = Some(fact.at);
            }
            FactKind::BuildStarted { build, builder, attempt } => {
                let state = self.state(*build);
                state.status = "running";
                if *attempt == 1 {
                    state.started = Some(fact.at);
                } else {
                    state.restarted.push(fact.at);
                }
                state.attempts = Some(*attempt);
                state.builder = Some(builder_name(*builder));
            }
            FactKind::BuildFlaked { build, attempt } => {
                let state = self.state(*build);
                state.status = "pending";
                state.flaked.push(fact.at);
                state.attempts = Some(*attempt);
            }
            FactKind::BuildFinished(result) => self.finished(result, fact.at),
            _ => {}
        }
    }

    /// The job that makes the documents will say how it ended.
    fn finished(&mut self, result: &BuildResult, at: SimTime) {
        let state = self.state(result.build);
        state.request = Some((result.image, result.cause.clone(), result.requested));
        state.status = "finishing";
        state.started.get_or_insert(result.started);
        state.finished = Some(at);
        state.attempts = Some(result.attempts);
        state.builder = result.builder.map(builder_name);
    }
}

/// What the audit log says of a fact, if anything: what was asked for from outside, what was
/// published, what was judged, what is not to be trusted.
fn audit_line(catalogue: &Catalogue, fact: &Fact) -> Option<Audit> {
    let mut about = None;
    let (actor, action, object, detail) = match &fact.kind {
        FactKind::ImageCreated(new) => {
            about = Some(new.image);
            let object = format!("image/{}", new.image.0);
            ("api".to_owned(), "image.create", object, json!({ "name": &*new.name }))
        }
        FactKind::BuildRequested { build, image, cause } if build.0 >= BuildId::COMMANDED => {
            about = Some(*image);
            let object = format!("build/{}", build.0);
            (requester(cause), "build.request", object, json!({ "image": image, "cause": cause }))
        }
        FactKind::BuildFinished(result) => {
            let Outcome::Published(published) = &result.outcome else { return None };
            about = Some(result.image);
            let object = format!("image/{}/version/{}", result.image.0, published.version);
            let actor = result.builder.map_or_else(|| "bootstrap".to_owned(), builder_name);
            (actor, "image.publish", object, json!({ "build": result.build }))
        }
        FactKind::FindingTriaged { image, advisory, justification } => {
            about = Some(*image);
            let object = format!("image/{}/advisory/{}", image.0, advisory.0);
            let detail = json!({ "justification": justification.as_str() });
            ("triage".to_owned(), "finding.judge", object, detail)
        }
        FactKind::BuilderOutage { in_service } => {
            let detail = json!({ "in_service": in_service });
            ("operations".to_owned(), "builders.outage", "builders".to_owned(), detail)
        }
        FactKind::BuilderDistrusted { builder } => {
            let object = format!("builder/{}", builder.0);
            let detail = json!({ "name": builder_name(*builder) });
            ("security".to_owned(), "builder.distrust", object, detail)
        }
        FactKind::AttestationTampered { version } => {
            about = Some(version.image);
            let object = format!("image/{}/version/{}", version.image.0, version.version);
            let detail = json!({ "predicate_type": PredicateType::Provenance.uri() });
            ("attacker".to_owned(), "attestation.replace", object, detail)
        }
        _ => return None,
    };
    let mut line = Audit { detail, ..Audit::shared(fact.seq, fact.at, actor, action, object) };
    if let Some(image) = about {
        line.tenant_namespace = catalogue.namespace(image).to_owned();
    }
    Some(line)
}

fn requester(cause: &Cause) -> String {
    match cause {
        Cause::Manual { requested_by: Some(who), .. } => who.to_string(),
        Cause::Upstream { .. } => "webhook".to_owned(),
        _ => "api".to_owned(),
    }
}
