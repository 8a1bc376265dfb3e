//! Poolers that divide sessions among clients are refused; PostgreSQL itself is not.
use crate::support::pooler::{Mode, pooler};
use crate::support::services::services;
use sqlx::{Connection, PgConnection};
use store::error::Error;
use store::sessions;

#[tokio::test]
async fn a_pooler_is_refused_with_the_reason() {
    let services = services();
    let url = services.url(&services.new_database("pooled", None).await);
    sessions::check(url.parse().unwrap()).await.unwrap();
    for (mode, reason) in [
        (Mode::Longest, "different sessions"),
        (Mode::Last, "share one session"),
        (Mode::Session, "settings of a session are lost"),
    ] {
        let Some(pooled) = pooler(&url, mode).await else {
            println!("SKIPPED: the server of the tests asks for a password");
            return;
        };
        let refused = sessions::check(pooled.parse().unwrap()).await.unwrap_err();
        assert!(matches!(refused, Error::Pooler { .. }), "{mode:?}: {refused}");
        let told = refused.to_string();
        assert!(told.contains(reason) && told.contains(" hint: name PostgreSQL itself"), "{told}");
        // It is a database for whoever needs no session.
        let mut conn = PgConnection::connect(&pooled).await.unwrap();
        sqlx::raw_sql("SELECT 1").execute(&mut conn).await.unwrap();
    }
}
