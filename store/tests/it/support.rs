//! A fresh database and a fresh bucket for each test.
pub mod foreign_s3;
pub mod pooler;
pub mod services;

use sim::time::SimTime;
use sqlx::PgPool;
use store::db::{self, Durability};
use store::objects::ObjectStore;

/// An instant from its text.
pub fn at(text: &str) -> SimTime {
    SimTime::from_datetime(text.parse().expect("an instant"))
}

async fn connect(url: &str, size: u32) -> PgPool {
    let options = url.parse().expect("a URL");
    db::connect(options, size, Durability::Relaxed).await.expect("a pool")
}

/// A pool on a fresh database that holds our schema.
pub async fn database() -> PgPool {
    let services = services::services();
    let template = services
        .template("store", "", |url| async move {
            let pool = connect(&url, 1).await;
            db::migrate(&pool).await.expect("the schema");
            pool.close().await;
        })
        .await;
    connect(&services.database(&template).await, 8).await
}

/// A fresh bucket.
pub async fn bucket() -> ObjectStore {
    services::services().bucket().await
}
