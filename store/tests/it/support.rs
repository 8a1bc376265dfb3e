//! A fresh database and a fresh bucket for each test.
pub mod foreign_s3;
pub mod services;

use sim::time::SimTime;
use sqlx::PgPool;
use store::db::{self, Durability};
use store::objects::ObjectStore;

/// An instant from its text.
pub fn at(text: &str) -> SimTime {
    SimTime::from_datetime(text.parse().expect("an instant"))
}

/// A pool on a fresh database that holds our schema.
pub async fn database() -> PgPool {
    let services = services::services();
    let connect = async |url: String, size| {
        db::connect(url.parse().expect("a URL"), size, Durability::Relaxed).await.expect("a pool")
    };
    let template = services
        .template("store", "", |url| async move {
            let pool = connect(url, 1).await;
            db::migrate(&pool).await.expect("the schema");
            pool.close().await;
        })
        .await;
    connect(services.database(&template).await, 8).await
}

/// A fresh bucket.
pub async fn bucket() -> ObjectStore {
    services::services().bucket().await
}
