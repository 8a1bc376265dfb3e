//! What is sent to webhook endpoints, what became of it, and what is done about what never arrived.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::{Outcome, WriteTx};
use crate::resources::webhooks::delivery::{Queued, WebhookDelivery, example_delivery};
use crate::resources::webhooks::lookup::{disabled, plain};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use store::webhooks::deliveries::{self, DeliveryRow};

pub(crate) struct WebhookDeliveriesApi(pub(crate) ApiState);

failures! {
    /// A delivery that cannot be sent again.
    RetryDelivery:
        UnknownParameter, WebhookDeliveryNotFound, WebhookDelivered, WebhookDisabled, WebhookNotDead
}
failures! {
    /// A delivery that cannot be given up.
    DiscardDelivery: UnknownParameter, WebhookDeliveryNotFound, WebhookNotDead
}

impl Resource for WebhookDeliveriesApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("retryWebhookDelivery", Access::Edit), ("discardWebhookDelivery", Access::Edit)];

    fn new(state: &ApiState) -> Self {
        WebhookDeliveriesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhookDeliveriesApi {
    /// Send a webhook delivery again
    ///
    /// One that is dead, or that waits for its next attempt: it is sent at once, with all its
    /// attempts before it again, under the same `webhook-id`.
    #[oai(
        path = "/v1/webhook-deliveries/:id/retry",
        method = "post",
        operation_id = "retryWebhookDelivery"
    )]
    async fn retry(
        &self,
        caller: Caller,
        /// The delivery's id.
        #[oai(example = "example_delivery")]
        id: Path<String>,
    ) -> Result<Queued, Failure<RetryDelivery>> {
        let mut write = self.0.write(&caller).await?;
        let (row, enabled) = locked(&mut write, &id).await?;
        match row.state.as_str() {
            "delivered" => {
                let detail = "The delivery has arrived.";
                return Err(Problem::new(Code::WebhookDelivered, detail).into());
            }
            "discarded" => return Err(not_dead("It was given up.").into()),
            _ if !enabled => return Err(disabled().into()),
            _ => {}
        }
        let delivery = WebhookDelivery::new(deliveries::retry(&mut write, &row.id).await?)?;
        commit(write, 202, &delivery).await?;
        Ok(Queued::Delivery(Json(delivery)))
    }

    /// Give a webhook delivery up
    ///
    /// One that is dead: it leaves the dead letter without being sent, and cannot be sent again.
    #[oai(
        path = "/v1/webhook-deliveries/:id/discard",
        method = "post",
        operation_id = "discardWebhookDelivery"
    )]
    async fn discard(
        &self,
        caller: Caller,
        /// The delivery's id.
        #[oai(example = "example_delivery")]
        id: Path<String>,
    ) -> Result<Json<WebhookDelivery>, Failure<DiscardDelivery>> {
        let mut write = self.0.write(&caller).await?;
        let (row, _) = locked(&mut write, &id).await?;
        if row.state != "dead" {
            return Err(not_dead(&format!("It is {}.", row.state)).into());
        }
        let delivery = WebhookDelivery::new(deliveries::discard(&mut write, &row.id).await?)?;
        commit(write, 200, &delivery).await?;
        Ok(Json(delivery))
    }
}

/// A delivery, locked, and whether its endpoint takes anything.
async fn locked(write: &mut WriteTx, id: &str) -> Result<(DeliveryRow, bool), Problem> {
    let missing = || Problem::new(Code::WebhookDeliveryNotFound, "There is no such delivery.");
    deliveries::lock(write, plain(id).ok_or_else(missing)?).await?.ok_or_else(missing)
}

async fn commit(write: WriteTx, status: u16, delivery: &WebhookDelivery) -> Result<(), Problem> {
    let object = format!("/v1/webhook-deliveries/{}", delivery.id);
    write.commit(Outcome { status, object: &object, location: None, body: delivery }).await
}

fn not_dead(detail: &str) -> Problem {
    Problem::new(Code::WebhookNotDead, detail)
}
