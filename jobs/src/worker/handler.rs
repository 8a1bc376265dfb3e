//! Who does the work of jobs: the platform's own handlers, or those that a test puts in their place.
use crate::error::JobError;
use crate::job::JobContext;
use crate::registry::Payload;
use futures::future::BoxFuture;
use sqlx::PgConnection;

/// Does the work of jobs. A test can put its own in.
pub trait JobHandler: Send + Sync + 'static {
    /// Does the work of `payload` in the transaction behind `conn`.
    fn run<'a>(
        &'a self,
        ctx: &'a JobContext,
        conn: &'a mut PgConnection,
        payload: &'a Payload,
    ) -> BoxFuture<'a, Result<(), JobError>>;
}

/// The jobs of the platform.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlatformJobs;

impl JobHandler for PlatformJobs {
    fn run<'a>(
        &'a self,
        ctx: &'a JobContext,
        conn: &'a mut PgConnection,
        payload: &'a Payload,
    ) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(payload.run(ctx, conn))
    }
}
