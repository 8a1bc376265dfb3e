//! The registry: all kinds of jobs, a line each.
use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, Stage};
use crate::plan::{Plan, PlannedJob};
use serde::{Deserialize, Serialize};
use sim::fact::Fact;
use sqlx::PgConnection;
use store::ledger::NewJob;
use store::queue::Queue;

/// Registers kinds of jobs: the variant of [`Payload`], whose name in snake case is that of the
/// queue, and the type that implements [`Job`]. Their order is that of kinds within a stage.
macro_rules! registry {
    ($($variant:ident($job:ty),)*) => {
        /// What a job is to do. How facts are batched never shows in what is written.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "job", content = "facts", rename_all = "snake_case")]
        pub enum Payload {
            $(#[doc = concat!("See [`", stringify!($job), "`].")]
            $variant(<$job as Job>::Payload),)*
        }

        impl Payload {
            /// The queue it travels in.
            pub fn queue(&self) -> Queue {
                match self {
                    $(Payload::$variant(_) => <$job as Job>::QUEUE,)*
                }
            }

            /// Does the job in the transaction `tx`.
            ///
            /// # Errors
            /// Those of [`Job::run`].
            pub async fn run(&self, ctx: &JobContext, tx: &mut PgConnection) -> Result<(), JobError> {
                match self {
                    $(Payload::$variant(payload) => <$job as Job>::run(ctx, tx, payload).await,)*
                }
            }
        }

        /// All kinds of jobs.
        pub(crate) static KINDS: &[JobKind] = &[$(JobKind::of::<$job>(),)*];
    };
}

registry! {
    Build(crate::build::BuildJob),
    Scan(crate::scan::ScanJob),
    Attest(crate::attest::AttestJob),
    SlaCheck(crate::sla_check::SlaCheckJob),
    Notify(crate::notify::NotifyJob),
}

/// What [`Job`] says of a kind, without its types.
pub(crate) struct JobKind {
    pub(crate) queue: Queue,
    pub(crate) stage: Stage,
    pub(crate) concurrency: fn(usize) -> usize,
    pub(crate) batch_size: fn(usize) -> usize,
    pub(crate) run_together: fn(&PlannedJob, &PlannedJob) -> bool,
    plan: fn(&[Fact], &mut Plan) -> Result<(), PlanError>,
}

impl JobKind {
    const fn of<J: Job>() -> Self {
        JobKind {
            queue: J::QUEUE,
            stage: J::STAGE,
            concurrency: J::concurrency,
            batch_size: J::batch_size,
            run_together: J::run_together,
            plan: J::plan,
        }
    }
}

/// The kinds of a stage, in the order of the registry.
pub(crate) fn of_stage(stage: Stage) -> impl Iterator<Item = &'static JobKind> {
    KINDS.iter().filter(move |kind| kind.stage == stage)
}

/// Divides the facts of a window into jobs, kind by kind.
pub(crate) fn plan(facts: &[Fact]) -> Result<Vec<NewJob>, PlanError> {
    let mut jobs = Vec::new();
    for kind in KINDS {
        let mut plan = Plan::new(kind.queue);
        (kind.plan)(facts, &mut plan)?;
        jobs.extend(plan.into_jobs());
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::SequencedFact;
    use sim::fact::{Notification, NotificationKind};
    use sim::time::SimTime;
    use std::sync::Arc;

    #[test]
    fn every_queue_of_the_world_has_exactly_one_kind_of_job() {
        let mut queues: Vec<Queue> = KINDS.iter().map(|kind| kind.queue).collect();
        queues.sort_unstable();
        assert_eq!(queues, Queue::OF_WORLD);
    }

    #[test]
    fn payloads_keep_their_form_in_the_ledger() {
        let notification = Notification {
            customer: None,
            kind: NotificationKind::BuildFailed,
            previous: SimTime(0),
            items: 1,
        };
        let kind = sim::fact::FactKind::Notified(Arc::new(notification.clone()));
        let facts = [Fact { seq: 7, at: SimTime(5), kind }];
        let jobs = plan(&facts).unwrap();
        let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
        assert!(
            job.payload.starts_with(r#"{"job":"notify","facts":[{"seq":7,"#),
            "{}",
            job.payload
        );
        let fact = SequencedFact { seq: 7, at: SimTime(5), fact: Arc::new(notification) };
        let payload = Payload::Notify(vec![fact]);
        assert_eq!(serde_json::to_string(&payload).unwrap(), job.payload);
        assert_eq!(serde_json::from_str::<Payload>(&job.payload).unwrap(), payload);
        assert_eq!(payload.queue(), job.queue);
    }
}
