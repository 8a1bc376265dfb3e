//! A transaction that changes something: what it does, who did it, and the answer for whoever
//! asks again are stored together or not at all.
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem};
use poem_openapi::types::ToJSON;
use sqlx::{PgConnection, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use store::actions::NewAction;
use store::idempotency::StoredResponse;

/// An open transaction in the name of a caller.
pub(crate) struct WriteTx {
    tx: Transaction<'static, Postgres>,
    caller: Caller,
}

/// What was done.
pub(crate) struct Outcome<'a, T> {
    /// The HTTP status of the answer.
    pub(crate) status: u16,
    /// What it was done to: the path of a resource.
    pub(crate) object: &'a str,
    /// The `Location` header of the answer.
    pub(crate) location: Option<&'a str>,
    /// The body of the answer.
    pub(crate) body: &'a T,
}

impl WriteTx {
    pub(crate) fn new(tx: Transaction<'static, Postgres>, caller: Caller) -> Self {
        WriteTx { tx, caller }
    }

    /// Ends the transaction: all of it holds from now on. The body of `done` is kept for whoever
    /// asks again; it must hold no secret.
    pub(crate) async fn commit<T: ToJSON>(mut self, done: Outcome<'_, T>) -> Result<(), Problem> {
        let caller = self.caller.clone();
        let action = NewAction {
            actor: &caller.actor,
            role: caller.role.as_str(),
            tenant_namespace: caller.tenant(),
            operation: &caller.operation,
            object: done.object,
            refused: None,
            request_id: &caller.request_id,
        };
        store::actions::insert(&mut self.tx, &action).await?;
        if let Some(given) = &caller.idempotency {
            let answered = StoredResponse {
                request_hash: given.request_hash.to_vec(),
                status: i32::from(done.status),
                location: done.location.map(str::to_owned),
                body: done.body.to_json_string(),
            };
            let stored =
                store::idempotency::insert(&mut self.tx, &caller.actor, &given.key, &answered);
            stored.await.map_err(|error| match error.as_database_error() {
                Some(database) if database.is_unique_violation() => Problem::new(
                    Code::IdempotencyKeyInUse,
                    "A request with this `Idempotency-Key` is being answered at this moment.",
                ),
                _ => error.into(),
            })?;
        }
        Ok(self.tx.commit().await?)
    }
}

impl Deref for WriteTx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}
