//! Whether the service lives, and whether it is ready to serve.
use crate::http::access::{Access, Resource};
use crate::http::problem::{Code, Failure, Never, Problem, ProblemPart, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::Instant;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use std::time::Duration;
use store::locks;
use store::obsolete_objects;
use store::read::world::Position;
use store::world_loads;

/// How long the object store may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) struct HealthApi(pub(crate) ApiState);

failures! {
    /// What a service that is not ready answers.
    Readiness: NotReady
}

/// The process lives.
#[derive(Object)]
#[oai(example)]
struct Health {
    /// Always `ok`.
    status: String,
    /// The release of the program.
    version: String,
    /// The version of its kernel: it goes on with worlds that this version made, and shows others.
    kernel_version: String,
}

impl Example for Health {
    fn example() -> Self {
        Health {
            status: "ok".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel_version: sim::KERNEL_VERSION.to_owned(),
        }
    }
}

/// Whether somebody drives the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Conductor {
    /// A conductor holds the world's lock.
    Active,
    /// None does: reads are right, commands wait.
    Absent,
}

/// All that serving needs is there.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Ready {
    /// Always `ready`.
    status: String,
    /// Whether somebody drives the world. Serving does not depend on it.
    conductor: Conductor,
    /// Every job up to this simulated instant is done.
    materialized_through: Instant,
    /// Jobs up to this simulated instant have been handed to the workers.
    released_through: Instant,
    /// What goes on beside: a world is being replaced, or the documents of one that was are being
    /// deleted.
    detail: Option<String>,
}

impl Example for Ready {
    fn example() -> Self {
        Ready {
            status: "ready".to_owned(),
            conductor: Conductor::Active,
            materialized_through: crate::http::time::example(0),
            released_through: crate::http::time::example(1),
            detail: None,
        }
    }
}

impl Resource for HealthApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("health", Access::Public), ("ready", Access::Public)];

    fn new(state: &ApiState) -> Self {
        HealthApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Operations")]
impl HealthApi {
    /// Does the process live?
    ///
    /// Touches neither the database nor the object store: restart the process when this fails.
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn health(&self) -> Result<Json<Health>, Failure<Never>> {
        Ok(Json(Health::example()))
    }

    /// Is it ready to serve?
    ///
    /// Needs the database with a world in it, and the object store. Whether a conductor drives
    /// the world is told, but does not count: without one, reads are right and commands wait.
    #[oai(path = "/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> Result<Json<Ready>, Failure<Readiness>> {
        let (database, objects) = tokio::join!(self.database(), self.objects());
        let mut missing = Vec::new();
        for (name, problem) in
            [("database", database.as_ref().err()), ("object_store", objects.as_ref().err())]
        {
            if let Some(problem) = problem {
                let detail = problem.detail().to_owned();
                missing.push(ProblemPart::new(name, detail));
            }
        }
        let (position, conductor, detail) = match (database, missing.is_empty()) {
            (Ok(found), true) => found,
            _ => {
                let detail = "Some of what is needed to serve is missing.";
                return Err(Problem::new(Code::NotReady, detail).parts(missing).into());
            }
        };
        Ok(Json(Ready {
            status: "ready".to_owned(),
            conductor,
            materialized_through: position.materialized_through.into(),
            released_through: position.released_through.into(),
            detail,
        }))
    }
}

impl HealthApi {
    async fn database(&self) -> Result<(Position, Conductor, Option<String>), Problem> {
        let mut snapshot = self.0.platform_snapshot().await?;
        let held = locks::is_held(snapshot.conn(), locks::LEADERSHIP).await?;
        let conductor = if held { Conductor::Active } else { Conductor::Absent };
        let load = world_loads::in_progress(snapshot.conn()).await?;
        let left = obsolete_objects::count(snapshot.conn()).await?;
        let detail = match load {
            Some(load) => Some(format!("The world is being replaced by {}.", load.name)),
            None if left > 0 => {
                Some(format!("{left} documents of the world before are still to be deleted."))
            }
            None => None,
        };
        Ok((snapshot.position, conductor, detail))
    }

    async fn objects(&self) -> Result<(), Problem> {
        let objects = self.0.objects()?;
        let silent = |cause: String| {
            let code = Code::ObjectStoreUnavailable;
            Problem::caused_by(code, "The object store does not answer.", cause)
        };
        match tokio::time::timeout(PATIENCE, objects.ping()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(silent(error.to_string())),
            Err(_) => Err(silent("no answer in time".to_owned())),
        }
    }
}
