//! Deliveries that fail: retried under the same id, dead in the end, or left by a dead dispatcher.
use super::{OPEN, advance, dispatch, endpoint, make_due, notify, state, until};
use crate::support::Api;
use crate::support::receiver::Receiver;
use std::time::Duration;
use store::webhooks::{deliveries, endpoints, queue};

#[tokio::test]
async fn a_failed_delivery_is_retried_under_the_same_id_and_finally_dead() {
    let api = Api::start("webhooks_retry").await;
    let receiver = Receiver::start().await;
    receiver.answer_with(&[500, 302, 200]);
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let _dispatching = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 101).await;
    until(&api.pool, &ours, "the first attempt fails", |all| {
        all.first().is_some_and(|d| d.2.is_some())
    })
    .await;
    let later = "SELECT next_wall > attempted_wall FROM webhook_deliveries";
    let later: bool = sqlx::query_scalar(later).fetch_one(&api.pool).await.unwrap();
    assert!(later, "the second attempt is due at once");
    make_due(&api.pool, &ours).await;
    until(&api.pool, &ours, "the second attempt is redirected", |all| {
        all[0].2.as_deref() == Some("it answered 302; redirects are not followed")
    })
    .await;
    make_due(&api.pool, &ours).await;
    until(&api.pool, &ours, "the third attempt succeeds", |all| all[0].0 == "delivered").await;
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    let ids: Vec<_> = received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(received.iter().all(|r| r.body == received[0].body));

    receiver.answer_with(&[503]);
    notify(&api.pool, 102, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 102).await;
    until(&api.pool, &ours, "a second delivery", |all| all.len() == 2).await;
    sqlx::query("UPDATE webhook_deliveries SET attempts = 11, collecting = false, next_wall = now() WHERE state = 'pending'")
        .execute(&api.pool)
        .await
        .unwrap();
    until(&api.pool, &ours, "the last attempt fails", |all| all[1].0 == "dead").await;
    assert_eq!(state(&api.pool, &ours).await[1].2.as_deref(), Some("it answered 503"));
}

/// Within one transaction the clock of the database stands still: the pauses can be seen exactly.
#[tokio::test]
async fn the_pause_doubles_with_each_failed_attempt() {
    let api = Api::start("webhooks_pause").await;
    let ours = endpoint(&api.pool, "https://hooks.example.com/", |_| ()).await;
    let mut tx = api.pool.begin().await.unwrap();
    deliveries::insert_test(&mut tx, &ours.row.id, None).await.unwrap();
    for least in [3.75, 7.5, 15.0, 30.0] {
        let due = "UPDATE webhook_deliveries SET next_wall = now()";
        sqlx::query(due).execute(&mut *tx).await.unwrap();
        let taken = queue::claim(&mut tx, 1, Duration::from_secs(30)).await.unwrap();
        let failed = queue::Outcome { status: Some(500), error: Some("it answered 500".into()) };
        queue::record(&mut tx, &taken[0], &failed).await.unwrap();
        let pause: f64 = sqlx::query_scalar(
            "SELECT extract(epoch FROM next_wall - attempted_wall)::float8
             FROM webhook_deliveries",
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        assert!((least..=least / 0.75 * 1.25).contains(&pause), "a pause of {pause} s");
    }
}

#[tokio::test]
async fn an_endpoint_that_answers_gone_is_disabled() {
    let api = Api::start("webhooks_gone").await;
    let receiver = Receiver::start().await;
    receiver.answer_with(&[410]);
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let _dispatching = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 101).await;
    until(&api.pool, &ours, "the delivery is dead", |all| {
        all.first().is_some_and(|d| d.0 == "dead")
    })
    .await;
    let mut conn = api.pool.acquire().await.unwrap();
    let read = endpoints::get(&mut conn, &ours.row.id).await.unwrap().unwrap();
    assert_eq!(read.disabled_reason.as_deref(), Some("gone"));
    // Another endpoint of the tenant gets what comes later; this one does not.
    let other = Receiver::start().await;
    endpoint(&api.pool, &other.url("/"), |_| ()).await;
    notify(&api.pool, 102, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 102).await;
    other.receives(1).await;
    assert_eq!((receiver.received().len(), state(&api.pool, &ours).await.len()), (1, 1));
    assert_eq!(state(&api.pool, &ours).await[0].0, "dead");
}

#[tokio::test]
async fn a_dispatcher_that_dies_loses_no_delivery() {
    let api = Api::start("webhooks_crash").await;
    let receiver = Receiver::start().await;
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let mut conn = api.pool.acquire().await.unwrap();
    deliveries::insert_test(&mut conn, &ours.row.id, None).await.unwrap();
    // Taken by a dispatcher that is never heard of again.
    let taken = queue::claim(&mut conn, 10, Duration::from_secs(3_600)).await.unwrap();
    assert_eq!(taken.len(), 1);
    let _dispatching = dispatch(&api.pool, OPEN);
    // While the lease lasts, no other has it: only what is due later is sent.
    deliveries::insert_test(&mut conn, &ours.row.id, None).await.unwrap();
    drop(conn);
    let received = receiver.receives(1).await;
    assert_ne!(received[0].header("webhook-id"), taken[0].id);
    let over = "UPDATE webhook_deliveries SET next_wall = now() WHERE id = $1";
    sqlx::query(over).bind(&taken[0].id).execute(&api.pool).await.unwrap();
    let received = receiver.receives(2).await;
    assert_eq!(received[1].header("webhook-id"), taken[0].id);
    until(&api.pool, &ours, "both are delivered", |all| all.iter().all(|d| d.0 == "delivered"))
        .await;
    // The first one comes back: its outcome is ignored.
    let outcome = queue::Outcome { status: None, error: Some("late".to_owned()) };
    let mut conn = api.pool.acquire().await.unwrap();
    let said = queue::record(&mut conn, &taken[0], &outcome).await.unwrap();
    assert_eq!(said, None);
}
