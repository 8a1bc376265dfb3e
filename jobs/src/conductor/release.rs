//! The release of a window: one transaction that writes the facts, what the kernel alone decides,
//! the jobs of the whole window, and the new position. After it the window is owed; before it
//! nothing has happened.
//!
//! Its statements are of bounded size, so that a window can be given up between two of them.
use super::error::ConductorError;
use super::in_flight::InFlight;
use super::progress::WindowProgress;
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

/// The most rows of one statement.
const BATCH: usize = 2_000;
/// The most bytes of the jobs of one statement, or one job.
const BATCH_BYTES: usize = 4 << 20;

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

/// Writes it, in the term of this conductor, and tells how far it is. Dropped on the way, it leaves
/// nothing behind.
///
/// # Errors
/// Another conductor has taken over, or Postgres failed; nothing is written then.
pub(super) async fn release(
    pool: &PgPool,
    term: i64,
    release: &Release<'_>,
    in_flight: &InFlight,
) -> Result<(), ConductorError> {
    let rows = Rows::of(release);
    let mut written = Written { in_flight, release, rows: 0, of: rows.len(release) };
    let catalogue = release.catalogue;
    let mut tx = pool.begin().await?;
    for facts in release.facts.chunks(BATCH) {
        timeline::insert(&mut tx, catalogue, release.owned, facts).await?;
        written.add(facts.len());
    }
    for releases in rows.releases.chunks(BATCH) {
        packages::insert_releases(&mut tx, catalogue, releases).await?;
        written.add(releases.len());
    }
    for part in rows.advisories.chunks(BATCH) {
        advisories::insert(&mut tx, catalogue, part).await?;
        written.add(part.len());
    }
    for fixes in rows.fixes.chunks(BATCH) {
        advisories::fix_available(&mut tx, fixes).await?;
        written.add(fixes.len());
    }
    for fixes in rows.fixed_in.chunks(BATCH) {
        advisories::fixed_in(&mut tx, catalogue, fixes).await?;
        written.add(fixes.len());
    }
    kernel_rows::images(&mut tx, &rows.images).await?;
    for builds in rows.builds.chunks(BATCH) {
        kernel_rows::builds(&mut tx, builds).await?;
        written.add(builds.len());
    }
    for triages in rows.triages.chunks(BATCH) {
        kernel_rows::triages(&mut tx, triages).await?;
        written.add(triages.len());
    }
    for wrong in release.false_positives.chunks(BATCH) {
        kernel_rows::false_positives(&mut tx, wrong).await?;
        written.add(wrong.len());
    }
    if let Some(at) = rows.external {
        slsa::trust_once(&mut tx, &BuilderId::EXTERNAL.name(), EXTERNAL_LEVEL, at).await?;
    }
    slsa::distrust(&mut tx, &rows.distrusted).await?;
    for lines in rows.audit.chunks(BATCH) {
        audit::insert(&mut tx, lines).await?;
        written.add(lines.len());
    }
    commands::record_outcomes(&mut tx, release.outcomes).await?;
    let mut jobs = release.jobs;
    while let Some((now, later)) = job_batch(jobs) {
        ledger::insert(&mut tx, now).await?;
        written.add(now.len());
        jobs = later;
    }
    // Last, for it holds the world's row until the commit.
    world::release(&mut tx, term, release.to, release.fingerprint).await?;
    tx.commit().await?;
    Ok(())
}

/// The first jobs, as many as go into one statement, and the others; none when there are none.
fn job_batch(jobs: &[NewJob]) -> Option<(&[NewJob], &[NewJob])> {
    let mut bytes = 0;
    let fits = jobs.iter().take(BATCH).take_while(|job| {
        bytes += job.payload.len();
        bytes <= BATCH_BYTES
    });
    let count = fits.count().max(1);
    jobs.split_at_checked(count)
}

/// How far the release is.
struct Written<'a> {
    in_flight: &'a InFlight,
    release: &'a Release<'a>,
    rows: usize,
    of: usize,
}

impl Written<'_> {
    fn add(&mut self, rows: usize) {
        self.rows += rows;
        // A small window is over before anybody could read of it.
        if self.of > BATCH {
            let (now, facts) = (self.release.to.at, self.release.facts.len());
            let window = WindowProgress { now, facts, written: Some((self.rows, self.of)) };
            self.in_flight.report(|progress| progress.window = Some(window));
        }
    }
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

    /// How many there are.
    fn len(&self, release: &Release<'_>) -> usize {
        release.facts.len()
            + self.releases.len()
            + self.advisories.len()
            + self.fixes.len()
            + self.fixed_in.len()
            + self.builds.len()
            + self.triages.len()
            + release.false_positives.len()
            + self.audit.len()
            + release.jobs.len()
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
