//! The director: begins studies, hands out their batches, counts what was played, stores what comes of
//! it, and tidies up after those that ended.
//!
//! One process has the part, by an advisory lock on a connection of its own, on which it does all of its
//! work: when the connection ends, so does its part. All it does may be done twice, and by two at the
//! same time, with the same outcome; the lock only saves the work.
use super::assembly::Assembly;
use super::documents::Documents;
use super::{StudyTimeouts, Wire, compile_stored};
use crate::queue::signals::Signals;
use crate::queue::{self, QueueError};
use sim::KERNEL_VERSION;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::objects::{ObjectError, ObjectStore, STUDIES_PREFIX};
use store::queue::Queue;
use store::studies::parts;
use store::studies::running::{self, Open};
use store::{delivery, locks};
use tokio_util::sync::CancellationToken;

/// Studies that run at the same time: the next one is played while the last batches of one are.
pub(super) const MOST_RUNNING: usize = 4;
/// Batches of a study that are on their way at the same time: enough for many workers, few enough that
/// studies take turns.
const ON_THEIR_WAY: i64 = 128;
/// Batches that are counted at a time.
const AT_ONCE: i64 = 64;
/// How often it looks while something runs, and while nothing does.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_IDLE: Duration = Duration::from_millis(500);
/// How often somebody who waits for the part tries.
const STANDBY: Duration = Duration::from_secs(1);
/// How often it tidies up.
const TIDY: Duration = Duration::from_secs(2);
/// The longest wait before the object store is tried again.
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// Why the director could not go on; it begins anew.
#[derive(Debug, thiserror::Error)]
enum DirectorError {
    #[error(transparent)]
    Store(#[from] store::error::Error),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<sqlx::Error> for DirectorError {
    fn from(error: sqlx::Error) -> Self {
        DirectorError::Store(error.into())
    }
}

/// A candidate for the part.
pub(crate) struct Director {
    pub(crate) pool: PgPool,
    pub(crate) objects: ObjectStore,
    pub(crate) signals: Arc<Signals>,
    pub(crate) timeouts: StudyTimeouts,
}

/// A study that runs.
enum Study {
    /// Its batches are being played.
    Plays(Box<Assembly>),
    /// Its documents are to be stored.
    Ends(Box<Ending>),
    /// It is being looked at by a thread that did not come back.
    Lost,
}

/// Documents that are to be stored.
struct Ending {
    documents: Arc<Documents>,
    again_at: Instant,
    pause: Duration,
}

impl Director {
    /// Does its part, or waits for it, until the shutdown.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut pause = Duration::from_millis(200);
        while !shutdown.is_cancelled() {
            let began = Instant::now();
            let Some(Err(error)) = shutdown.run_until_cancelled(self.direct()).await else { break };
            if began.elapsed() > Duration::from_secs(10) {
                pause = Duration::from_millis(200);
            }
            tracing::warn!(%error, "the director of studies begins anew");
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn direct(&self) -> Result<std::convert::Infallible, DirectorError> {
        // A machine that vanishes leaves the lock to a dead connection: let the server notice.
        let options = self.pool.connect_options().as_ref().clone().options([
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
        ]);
        let mut conn = PgConnection::connect_with(&options).await?;
        while !locks::try_lock_session(&mut conn, locks::STUDIES).await? {
            tokio::time::sleep(STANDBY).await;
        }
        let mut desk = Desk { of: self, conn, studies: BTreeMap::new(), tidied: None };
        let played = self.signals.studies();
        loop {
            let runs = desk.turn().await?;
            let look = tokio::time::sleep(if runs { LOOK } else { LOOK_IDLE });
            tokio::select! {
                () = look => {}
                () = played.notified() => {}
            }
        }
    }
}

/// The director at work.
struct Desk<'a> {
    of: &'a Director,
    conn: PgConnection,
    studies: BTreeMap<i64, Study>,
    tidied: Option<Instant>,
}

impl Desk<'_> {
    /// Does what there is to do now; whether any study runs.
    async fn turn(&mut self) -> Result<bool, DirectorError> {
        let most = i64::try_from(MOST_RUNNING).unwrap_or(i64::MAX);
        let open = running::open(&mut self.conn, most).await?;
        // Those that ended were stopped, or failed on a worker.
        self.studies.retain(|id, _| open.iter().any(|study| study.id == *id));
        for study in &open {
            if !self.studies.contains_key(&study.id) {
                self.begin(study).await?;
            }
            self.advance(study.id).await?;
        }
        if self.tidied.is_none_or(|at| at.elapsed() > TIDY) {
            self.tidy().await?;
            self.tidied = Some(Instant::now());
        }
        Ok(!open.is_empty())
    }

    /// Takes a study on: a new one, one of a director before, or one of another version of the kernel,
    /// which is begun anew.
    async fn begin(&mut self, study: &Open) -> Result<(), DirectorError> {
        let id = study.id;
        if !study.has_begun || study.kernel_version.as_deref() != Some(KERNEL_VERSION) {
            let mut tx = self.conn.begin().await?;
            running::begin(&mut tx, id, KERNEL_VERSION).await?;
            tx.commit().await?;
        }
        let text = running::text(&mut self.conn, id, KERNEL_VERSION).await?;
        let Some(text) = text else { return Ok(()) };
        let made = tokio::task::spawn_blocking(move || {
            compile_stored(&text).map(|compiled| Assembly::new(Arc::new(compiled)))
        });
        match made.await.unwrap_or_else(|error| Err(crate::worker::said(error))) {
            Ok(assembly) => {
                tracing::info!(study = id, "a study runs");
                self.studies.insert(id, Study::Plays(Box::new(assembly)));
                Ok(())
            }
            Err(why) => self.fail(id, &why).await,
        }
    }

    async fn fail(&mut self, id: i64, why: &str) -> Result<(), DirectorError> {
        tracing::error!(study = id, error = why, "a study cannot be played");
        self.studies.remove(&id);
        Ok(running::fail(&mut self.conn, id, why).await?)
    }

    /// Goes on with a study as far as that is possible now.
    async fn advance(&mut self, id: i64) -> Result<(), DirectorError> {
        loop {
            let Some(study) = self.studies.get_mut(&id) else { return Ok(()) };
            let next = match std::mem::replace(study, Study::Lost) {
                Study::Plays(assembly) if assembly.is_round_over() => {
                    self.next_round(id, assembly).await?
                }
                Study::Plays(assembly) => {
                    let of = (id, assembly.round());
                    let from = assembly.next_place();
                    let played = parts::played_from(&mut self.conn, of, from, AT_ONCE).await?;
                    if played.is_empty() {
                        self.studies.insert(id, Study::Plays(assembly));
                        return self.deliver(of).await;
                    }
                    self.count(id, assembly, played).await?
                }
                Study::Ends(ending) => return self.store(id, ending).await,
                Study::Lost => return self.fail(id, "counting it failed").await,
            };
            match next {
                Ok(study) => _ = self.studies.insert(id, study),
                Err(why) => return self.fail(id, &why).await,
            }
        }
    }

    async fn next_round(
        &mut self,
        id: i64,
        mut assembly: Box<Assembly>,
    ) -> Result<Result<Study, String>, DirectorError> {
        let planned = tokio::task::spawn_blocking(move || {
            let batches = assembly.next_round()?;
            if !batches.is_empty() {
                return Ok((Some((assembly, batches)), None));
            }
            Ok((None, Some(assembly.finish()?)))
        });
        let (more, documents) = match planned.await {
            Ok(Ok(planned)) => planned,
            Ok(Err(why)) => return Ok(Err(why)),
            Err(error) => return Ok(Err(crate::worker::said(error))),
        };
        if let Some((assembly, batches)) = more {
            parts::insert(&mut self.conn, id, assembly.round(), &batches).await?;
            self.note(id, &assembly).await?;
            return Ok(Ok(Study::Plays(assembly)));
        }
        let Some(documents) = documents else { return Ok(Err("nothing was planned".to_owned())) };
        let pause = self.of.timeouts.store_again;
        let ending = Ending { documents: Arc::new(documents), again_at: Instant::now(), pause };
        Ok(Ok(Study::Ends(Box::new(ending))))
    }

    async fn count(
        &mut self,
        id: i64,
        mut assembly: Box<Assembly>,
        played: Vec<parts::PlayedPart>,
    ) -> Result<Result<Study, String>, DirectorError> {
        let counted = tokio::task::spawn_blocking(move || {
            assembly.count(&played)?;
            Ok(assembly)
        });
        match counted.await {
            Ok(Ok(assembly)) => {
                self.note(id, &assembly).await?;
                Ok(Ok(Study::Plays(assembly)))
            }
            Ok(Err(why)) => Ok(Err(why)),
            Err(error) => Ok(Err(crate::worker::said(error))),
        }
    }

    async fn note(&mut self, id: i64, assembly: &Assembly) -> Result<(), DirectorError> {
        let progress = assembly.progress();
        Ok(running::progress(&mut self.conn, id, progress.done, progress.expected).await?)
    }

    /// Hands out batches of a round.
    async fn deliver(&mut self, of: (i64, i32)) -> Result<(), DirectorError> {
        let mut tx = self.conn.begin().await?;
        let lost = self.of.timeouts.lost;
        let places = parts::to_deliver(&mut tx, of, ON_THEIR_WAY, lost).await?;
        if places.is_empty() {
            return Ok(tx.rollback().await?);
        }
        let (study, round) = of;
        let wires = places.iter().map(|place| Wire { study, round, place: *place });
        let (ids, tasks) = queue::tasks(wires)?;
        parts::assign_tasks(&mut tx, of, &places, &ids).await?;
        queue::push(&mut tx, Queue::Study, tasks).await?;
        tx.commit().await?;
        self.of.signals.wake(Queue::Study);
        Ok(())
    }

    /// Stores the documents of a study and ends it. While the object store fails, the study says so and
    /// waits; nothing of it is lost.
    async fn store(&mut self, id: i64, mut ending: Box<Ending>) -> Result<(), DirectorError> {
        if Instant::now() < ending.again_at {
            self.studies.insert(id, Study::Ends(ending));
            return Ok(());
        }
        let documents = Arc::clone(&ending.documents);
        let made = tokio::task::spawn_blocking(move || documents.objects(id)).await;
        let (objects, rows) = match made {
            Ok(made) => made,
            Err(error) => return self.fail(id, &crate::worker::said(error)).await,
        };
        if let Err(error) = self.of.objects.put_all(objects).await {
            tracing::warn!(study = id, %error, "the documents of a study are not stored yet");
            running::obstacle(&mut self.conn, id, Some(&error.to_string())).await?;
            ending.again_at = Instant::now() + ending.pause;
            ending.pause = (ending.pause * 2).min(LAST_PAUSE);
            self.studies.insert(id, Study::Ends(ending));
            return Ok(());
        }
        let mut tx = self.conn.begin().await?;
        if running::complete(&mut tx, id, &ending.documents.summary, &rows).await? {
            parts::delete_ended(&mut tx).await?;
            tracing::info!(study = id, "a study is complete");
        } else {
            // Somebody stopped it at the last moment: it has no documents.
            let keys: Vec<String> = rows.into_iter().map(|row| row.object_key).collect();
            if let Err(error) = self.of.objects.delete_all(&keys).await {
                tracing::debug!(study = id, %error, "documents are left until the study is deleted");
            }
        }
        tx.commit().await?;
        self.studies.remove(&id);
        Ok(())
    }

    /// Tidies up after studies that ended, and deletes those that are to be.
    async fn tidy(&mut self) -> Result<(), DirectorError> {
        parts::delete_ended(&mut self.conn).await?;
        parts::delete_stale_tasks(&mut self.conn).await?;
        delivery::delete_stale_workers(&mut self.conn).await?;
        for id in running::deleted(&mut self.conn).await? {
            if let Err(error) = self.delete_documents(id).await {
                tracing::warn!(study = id, %error, "documents of a deleted study are still there");
                continue;
            }
            running::forget(&mut self.conn, id).await?;
        }
        Ok(())
    }

    async fn delete_documents(&self, id: i64) -> Result<(), ObjectError> {
        let listed = self.of.objects.list(&format!("{STUDIES_PREFIX}{id}/")).await?;
        let keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        self.of.objects.delete_all(&keys).await
    }
}
