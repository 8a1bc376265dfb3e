//! What history no longer keeps is told all the same, if it is still owed.
use super::{advance, endpoint, notify};
use crate::support::Api;
use sim::time::{SimDuration, SimTime};
use sqlx::{AssertSqlSafe, PgPool};
use store::webhooks::queue;

async fn count(pool: &PgPool, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
}

/// A run of the retention at the beginning of that day of January 2026, which keeps one day.
async fn forget(pool: &PgPool, day: i64) {
    let at = SimTime(1_767_225_600_000 + (day - 1) * 86_400_000);
    let evaluated = "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                     VALUES ($1, to_timestamp($2 / 1000), 'sla_checked', 'catalogue', '{}')";
    sqlx::query(evaluated).bind(1_000 + day).bind(at.0).execute(pool).await.unwrap();
    let term = sqlx::query_scalar("SELECT term FROM world").fetch_one(pool).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    store::retention::run(&mut tx, term, at, SimDuration::days(1)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn notifications_outlive_the_retention_until_they_are_told() {
    let api = Api::start("hooks_retention").await;
    let mut conn = api.session().await;
    endpoint(&api.pool, "http://127.0.0.1:9/", |_| {}).await;
    notify(&api.pool, 101, "acme", "sla_at_risk", "high").await;
    notify(&api.pool, 102, "globex", "sla_at_risk", "high").await;
    advance(&api.pool, 200).await;
    forget(&api.pool, 15).await;
    assert_eq!(count(&api.pool, "notifications").await, 0, "history is one day");
    // Nobody wants to be told of the other tenant's.
    assert_eq!(count(&api.pool, "owed_notifications").await, 1);
    assert_eq!(queue::fan_out(&mut conn, 10, 100).await.unwrap(), 1);
    forget(&api.pool, 16).await;
    let told = queue::notifications(&mut conn, &[101, 102]).await.unwrap();
    assert_eq!(told.iter().map(|notice| notice.id).collect::<Vec<_>>(), [101]);
    assert_eq!(queue::counts(&mut conn, &[101]).await.unwrap(), [("sla_at_risk".to_owned(), 1, 1)]);
    // Once it is delivered it may go.
    let done = "UPDATE webhook_deliveries SET state = 'delivered', collecting = false,
                delivered_wall = now()";
    sqlx::query(done).execute(&api.pool).await.unwrap();
    forget(&api.pool, 17).await;
    assert_eq!(count(&api.pool, "owed_notifications").await, 0);
}
