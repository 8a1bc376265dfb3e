//! The dispatcher: puts new notifications into deliveries, and sends what is due. Every process
//! that works runs one; they share the work through row locks (`store::webhooks::queue`).
use super::message;
use super::secret::sign_with_all;
use super::send::{NotSent, Outgoing, Sender, TIME_LIMIT};
use super::target::AddressPolicy;
use anyhow::{Context, Result};
use sqlx::PgPool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::webhooks::queue::{self, ClaimedDelivery, Outcome};
use telemetry::metrics::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often it looks for work.
const POLL: Duration = Duration::from_millis(500);
/// Messages on their way at a time.
const IN_FLIGHT: usize = 16;
/// Endpoints and notifications for each that one statement looks at.
const ENDPOINTS: i64 = 50;
const NOTIFICATIONS: i64 = 1_000;
/// An attempt and the writing down of its end never take as long: after that it counts as lost.
const LEASE: Duration = Duration::from_secs(TIME_LIMIT.as_secs() * 3);
/// Polls between two deletions of what has ended long ago, and the rows that go at a time.
const CLEAN_EVERY: u64 = 1_200;
const CLEAN_ROWS: i64 = 5_000;

/// Sends webhooks until it is told to stop.
pub struct Dispatcher {
    pool: PgPool,
    sender: Sender,
    metrics: Metrics,
}

impl Dispatcher {
    /// On a pool of the owner's; a commit must be durable, or messages are sent twice.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(pool: PgPool, policy: AddressPolicy, metrics: Metrics) -> Result<Self> {
        Ok(Dispatcher { pool, sender: Sender::new(policy)?, metrics })
    }

    /// Works until `shutdown`, then lets messages that are on their way arrive.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut sending = JoinSet::new();
        let mut well = true;
        for round in 0_u64.. {
            let more = match self.poll(&mut sending, round).await {
                Ok(more) => {
                    well = true;
                    more
                }
                Err(error) => {
                    if well {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "webhooks cannot be delivered now; trying again"
                        );
                    }
                    well = false;
                    false
                }
            };
            let pause = if more { Duration::ZERO } else { POLL };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            while sending.try_join_next().is_some() {}
            while sending.len() >= IN_FLIGHT {
                sending.join_next().await;
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// One look for work; true when there is more of it.
    async fn poll(&self, sending: &mut JoinSet<()>, round: u64) -> Result<bool> {
        let mut conn = self.pool.acquire().await?;
        let told = queue::fan_out(&mut conn, ENDPOINTS, NOTIFICATIONS).await?;
        let room = i64::try_from(IN_FLIGHT.saturating_sub(sending.len()))?;
        let claimed = queue::claim(&mut conn, room, LEASE).await?;
        if round.is_multiple_of(20) {
            queue::dead_letter_abandoned(&mut conn).await?;
        }
        if round % CLEAN_EVERY == CLEAN_EVERY - 1 {
            queue::delete_ended(&mut conn, CLEAN_ROWS).await?;
        }
        drop(conn);
        let more = told > 0 || i64::try_from(claimed.len())? == room;
        for claimed in claimed {
            let worker = Attempt {
                pool: self.pool.clone(),
                sender: self.sender.clone(),
                metrics: self.metrics.clone(),
            };
            sending.spawn(worker.run(claimed));
        }
        Ok(more)
    }
}

/// One attempt at a delivery.
struct Attempt {
    pool: PgPool,
    sender: Sender,
    metrics: Metrics,
}

impl Attempt {
    /// Sends and writes down what became of it.
    async fn run(self, claimed: ClaimedDelivery) {
        let outcome = match self.prepare(&claimed).await {
            Ok(message) => outcome(self.sender.send(&claimed.url, &message).await),
            Err(error) => {
                let (delivery, error) = (&claimed.id, format!("{error:#}"));
                tracing::warn!(
                    delivery,
                    error,
                    "a webhook message cannot be written; it is tried again"
                );
                let error = "the message could not be made".to_owned();
                Outcome { status: None, error: Some(error) }
            }
        };
        if let Err(error) = self.record_outcome(&claimed, &outcome).await {
            // Its lease ends: somebody sends it again, under the same id.
            let delivery = &claimed.id;
            tracing::warn!(delivery, %error, "the outcome of a webhook could not be recorded");
        }
    }

    async fn prepare(&self, claimed: &ClaimedDelivery) -> Result<Outgoing> {
        let mut conn = self.pool.acquire().await?;
        let body = message::body(&mut conn, claimed).await?;
        let timestamp = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let mut secrets = vec![claimed.secret.as_str()];
        secrets.extend(claimed.previous_secret.as_deref());
        let signature = sign_with_all(&secrets, &claimed.id, timestamp, &body)
            .context("the secret of the endpoint has another form")?;
        Ok(Outgoing { id: claimed.id.clone(), timestamp, signature, body: body.into() })
    }

    async fn record_outcome(
        &self,
        claimed: &ClaimedDelivery,
        outcome: &Outcome,
    ) -> sqlx::Result<()> {
        let mut tx = self.pool.begin().await?;
        let state = queue::record(&mut tx, claimed, outcome).await?;
        tx.commit().await?;
        let (delivery, endpoint, attempt) = (&claimed.id, &claimed.endpoint_id, claimed.attempts);
        match (state.as_deref(), &outcome.error) {
            (Some("dead"), Some(error)) => {
                self.metrics.webhook_attempt("dead");
                tracing::warn!(delivery, endpoint, error, "a webhook is in the dead letter");
            }
            (_, Some(error)) => {
                self.metrics.webhook_attempt("failed");
                tracing::info!(delivery, endpoint, attempt, error, "a webhook was not delivered");
            }
            (_, None) => {
                self.metrics.webhook_attempt("delivered");
                tracing::debug!(delivery, endpoint, attempt, "a webhook was delivered");
            }
        }
        Ok(())
    }
}

fn outcome(sent: Result<u16, NotSent>) -> Outcome {
    match sent {
        Ok(status) if (200..300).contains(&status) => Outcome { status: Some(status), error: None },
        Ok(status @ 300..400) => {
            let error = format!("it answered {status}; redirects are not followed");
            Outcome { status: Some(status), error: Some(error) }
        }
        Ok(status) => {
            Outcome { status: Some(status), error: Some(format!("it answered {status}")) }
        }
        Err(error) => Outcome { status: None, error: Some(error.to_string()) },
    }
}
