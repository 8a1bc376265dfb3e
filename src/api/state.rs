//! What the handlers work with: the database, the object store, and views of one instant.
use super::limits::Limits;
use super::logs::first_leaf;
use super::page::Start;
use super::problem::{Code, Problem};
use super::time::Instant;
use documents::merkle::Tree;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::sync::Arc;
use store::logs::Log;
use store::objects::ObjectStore;
use store::read::Moment;
use store::read::world::{Position, position};
use tokio::sync::MutexGuard;

/// The database and the object store, shared by all requests.
#[derive(Clone)]
pub struct ApiState(Option<Arc<Inner>>);

struct Inner {
    pool: PgPool,
    objects: ObjectStore,
    limits: Limits,
    logs: [tokio::sync::Mutex<Tree>; 2],
}

impl ApiState {
    /// For a database and an object store, with the default limits.
    pub fn new(pool: PgPool, objects: ObjectStore) -> Self {
        Self::with_limits(pool, objects, Limits::default())
    }

    /// The same with other limits.
    pub fn with_limits(pool: PgPool, objects: ObjectStore, limits: Limits) -> Self {
        let logs = Default::default();
        ApiState(Some(Arc::new(Inner { pool, objects, limits, logs })))
    }

    /// For the specification alone, which needs handlers but never calls them.
    pub(crate) fn detached() -> Self {
        ApiState(None)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.as_ref().map_or_else(Limits::default, |inner| inner.limits)
    }

    fn inner(&self) -> Result<&Inner, Problem> {
        self.0.as_deref().ok_or_else(|| Problem::internal("the API has no state"))
    }

    pub(crate) fn objects(&self) -> Result<&ObjectStore, Problem> {
        Ok(&self.inner()?.objects)
    }

    /// A transaction that writes.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Postgres>, Problem> {
        Ok(self.inner()?.pool.begin().await?)
    }

    /// A snapshot of the database, without a world.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Postgres>, Problem> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(self.inner()?.pool.begin_with(begin).await?)
    }

    /// The tree of a log with all entries that it has now. Logs only grow, so what is known is kept.
    pub(crate) async fn log_tree(&self, log: Log) -> Result<MutexGuard<'_, Tree>, Problem> {
        let inner = self.inner()?;
        let mut tree = inner.logs[log as usize].lock().await;
        let mut tx = self.snapshot().await?;
        let origin = store::world::get(&mut tx).await.map_err(Problem::from)?.origin;
        if log == Log::Transparency && tree.size() == 0 {
            let leaf = first_leaf(&origin.scenario_sha256, origin.seed);
            tree.push(leaf.map_err(Problem::internal)?);
        }
        let leaves = match log {
            Log::Transparency => store::attestations::leaf_hashes(&mut tx, tree.size()).await,
            Log::Audit => store::audit::leaf_hashes(&mut tx, tree.size()).await,
        };
        for leaf in leaves.map_err(Problem::from)? {
            tree.push(leaf);
        }
        Ok(tree)
    }

    /// The world as of an instant, or in its newest state.
    pub(crate) async fn view(&self, as_of: Option<Instant>) -> Result<View, Problem> {
        let mut tx = self.snapshot().await?;
        let position = world(&mut tx).await?;
        let released = Instant::from(position.released_through);
        if let Some(later) = as_of.filter(|at| *at > released) {
            let detail = format!("The world has come to {released}; {later} is later.");
            return Err(Problem::new(Code::AsOfInFuture, detail));
        }
        let moment = match as_of {
            Some(at) => Moment { as_of: at.datetime(), newest: false },
            None => Moment { as_of: position.released_through, newest: true },
        };
        Ok(View { tx, position, moment })
    }

    /// The same for a page: the pages after the first speak of the first one's instant.
    pub(crate) async fn page_view<K>(
        &self,
        as_of: Option<Instant>,
        start: Option<&Start<K>>,
    ) -> Result<View, Problem> {
        let Some(start) = start else { return self.view(as_of).await };
        let mut view = self.view(Some(start.as_of.into())).await?;
        view.moment.newest = start.newest;
        Ok(view)
    }
}

/// Where the world stands; a problem when there is none.
pub(crate) async fn world(conn: &mut PgConnection) -> Result<Position, Problem> {
    let position = position(conn).await?;
    position.ok_or_else(|| Problem::new(Code::NoWorld, "The database holds no world yet."))
}

/// One snapshot of the database and the instant that is asked about.
pub(crate) struct View {
    tx: Transaction<'static, Postgres>,
    /// Where the world stands.
    pub(crate) position: Position,
    /// What is asked about.
    pub(crate) moment: Moment,
}

impl View {
    /// The connection to read on.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The instant of the answer.
    pub(crate) fn as_of(&self) -> Instant {
        self.moment.as_of.into()
    }

    /// Whether the answer can never change again. Commands are taken at the instant up to which
    /// all is done, so that instant itself may still gain something.
    pub(crate) fn settled(&self) -> bool {
        !self.moment.newest && self.moment.as_of < self.position.materialized_through
    }
}
