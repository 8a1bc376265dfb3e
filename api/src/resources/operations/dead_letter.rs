//! The dead letter: jobs that failed for good are tried again or given up, by an admin.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::ledger;

pub(crate) struct DeadLetterApi(pub(crate) ApiState);

failures! {
    /// A job that is not in the dead letter.
    DeadJob: InvalidParameter, DeadJobNotFound, KernelMismatch
}

/// What was done about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Decision {
    /// It is owed again.
    Retried,
    /// It was given up.
    Discarded,
}

/// A job that was in the dead letter.
#[derive(Object)]
#[oai(example)]
struct Decided {
    /// The job's number.
    id: i64,
    /// What was done about it.
    decision: Decision,
}

impl Example for Decided {
    fn example() -> Self {
        Decided { id: 4096, decision: Decision::Retried }
    }
}

impl Resource for DeadLetterApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("retryJob", Access::Admin), ("discardJob", Access::Admin)];

    fn new(state: &ApiState) -> Self {
        DeadLetterApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Operations")]
impl DeadLetterApi {
    /// Try a dead job again
    ///
    /// Takes it out of the dead letter and owes it again, with all its attempts. When it was the
    /// last one there, the clock goes on.
    #[oai(path = "/v1/jobs/:id/retry", method = "post", operation_id = "retryJob")]
    async fn retry(
        &self,
        caller: Caller,
        /// The job's number.
        #[oai(validator(minimum(value = "0")), example = "example_job")]
        id: Path<i64>,
    ) -> Result<Json<Decided>, Failure<DeadJob>> {
        self.decide(&caller, id.0, Decision::Retried).await
    }

    /// Give a dead job up
    ///
    /// The last resort, for a defect that nobody can mend: what the job would have written is
    /// missing from then on, and the world is no longer the one that its scenario and seed make.
    #[oai(path = "/v1/jobs/:id/discard", method = "post", operation_id = "discardJob")]
    async fn discard(
        &self,
        caller: Caller,
        /// The job's number.
        #[oai(validator(minimum(value = "0")), example = "example_job")]
        id: Path<i64>,
    ) -> Result<Json<Decided>, Failure<DeadJob>> {
        self.decide(&caller, id.0, Decision::Discarded).await
    }
}

impl DeadLetterApi {
    async fn decide(
        &self,
        caller: &Caller,
        id: i64,
        decision: Decision,
    ) -> Result<Json<Decided>, Failure<DeadJob>> {
        let mut write = self.0.write(caller).await?;
        let was_there = match decision {
            Decision::Retried => ledger::retry(&mut write, id).await,
            Decision::Discarded => ledger::discard(&mut write, id).await,
        };
        if !was_there.map_err(Problem::from)? {
            let detail = format!("Job {id} is not in the dead letter.");
            return Err(Problem::new(Code::DeadJobNotFound, detail).into());
        }
        let body = Decided { id, decision };
        let object = format!("/v1/jobs/{id}");
        write.commit(Outcome { status: 200, object: &object, location: None, body: &body }).await?;
        Ok(Json(body))
    }
}

fn example_job() -> i64 {
    4096
}
