//! The `notify` job: writes what customers and the platform's own team are told, each notification
//! a digest of the rows it sums up.
use crate::check::expect_equal;
use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, SequencedFact, Stage};
use crate::plan::{JobStart, Plan};
use serde_json::json;
use sim::fact::{Fact, FactKind, Notification, NotificationKind};
use sqlx::PgConnection;
use store::notifications::{self, Items, NewNotification};
use store::queue::Queue;

/// Notifications in one job.
const NOTIFICATIONS: usize = 512;

/// Notifications, in order.
#[derive(Clone, Copy, Debug)]
pub struct NotifyJob;

impl Job for NotifyJob {
    type Payload = Vec<SequencedFact<Notification>>;

    const QUEUE: Queue = Queue::Notify;
    const STAGE: Stage = Stage::Evaluate;

    fn concurrency(_wanted: usize) -> usize {
        1
    }

    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
        let notified = |fact: &Fact| match &fact.kind {
            FactKind::Notified(notification) => {
                Some((JobStart::of(fact), SequencedFact::new(fact, notification)))
            }
            _ => None,
        };
        let (starts, all): (Vec<_>, Vec<_>) = facts.iter().filter_map(notified).unzip();
        let starts = starts.into_iter().step_by(NOTIFICATIONS);
        for (start, notifications) in starts.zip(all.chunks(NOTIFICATIONS)) {
            plan.push(start, 0, &notifications)?;
        }
        Ok(())
    }

    /// Counts the rows behind each notification and writes it.
    async fn run(
        _ctx: &JobContext,
        tx: &mut PgConnection,
        notifications: &Self::Payload,
    ) -> Result<(), JobError> {
        let mut rows = Vec::with_capacity(notifications.len());
        for notification in notifications {
            let items = notifications::items(tx, &notification.fact, notification.at).await?;
            let what = || {
                let SequencedFact { seq, fact, .. } = notification;
                format!("items of notification {seq} ({:?})", fact.kind)
            };
            expect_equal(what, &i64::from(notification.fact.items), &items.count)?;
            rows.push(row(notification, items));
        }
        notifications::insert(tx, &rows).await?;
        Ok(())
    }
}

fn row(notification: &SequencedFact<Notification>, items: Items) -> NewNotification {
    let Notification { customer, kind, previous, items: count } = &*notification.fact;
    NewNotification {
        seq: notification.seq,
        at: notification.at,
        customer_id: customer.map(|customer| i64::from(customer.0)),
        kind: kind.as_str(),
        items: *count,
        subject: subject(*kind, *count),
        body: json!({
            "from": previous.to_string(),
            "to": notification.at.to_string(),
            "count": count,
            "items": items.listed,
        }),
    }
}

fn subject(kind: NotificationKind, count: u32) -> String {
    let (one, many) = match kind {
        NotificationKind::BuildFailed => ("build failed", "builds failed"),
        NotificationKind::CriticalCve => {
            ("critical vulnerability in what you run", "critical vulnerabilities in what you run")
        }
        NotificationKind::SlaAtRisk => ("deadline at risk", "deadlines at risk"),
        NotificationKind::SlaBreached => ("deadline missed", "deadlines missed"),
        NotificationKind::SlaResolved => ("missed deadline resolved", "missed deadlines resolved"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}
