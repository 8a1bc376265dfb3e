//! The `notify` job: writes what customers and the platform's own team are told, each notification
//! a digest of the rows it sums up.
use crate::check::same;
use crate::job::{JobContext, JobError, Placed};
use serde_json::json;
use sim::fact::{Notification, NotificationKind};
use sqlx::PgConnection;
use store::notifications::{self, Items, Told};

/// Counts the rows behind each notification and writes it.
///
/// # Errors
/// [`JobError::Mismatch`] when there are more or fewer rows than the kernel says.
pub async fn run(
    _ctx: &JobContext,
    tx: &mut PgConnection,
    notices: &[Placed<Notification>],
) -> Result<(), JobError> {
    let mut told = Vec::with_capacity(notices.len());
    for notice in notices {
        let items = notifications::items(tx, &notice.fact, notice.at).await?;
        let what = || format!("items of notification {} ({:?})", notice.seq, notice.fact.kind);
        same(what, &i64::from(notice.fact.items), &items.count)?;
        told.push(tell(notice, items));
    }
    notifications::insert(tx, &told).await?;
    Ok(())
}

fn tell(notice: &Placed<Notification>, items: Items) -> Told {
    let Notification { customer, kind, previous, items: count } = &*notice.fact;
    Told {
        seq: notice.seq,
        at: notice.at,
        customer_id: customer.map(|customer| i64::from(customer.0)),
        kind: kind.as_str(),
        items: *count,
        subject: subject(*kind, *count),
        body: json!({
            "from": previous.to_string(),
            "to": notice.at.to_string(),
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
