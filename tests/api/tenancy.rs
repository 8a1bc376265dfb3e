//! Tenant isolation: in the database, and on every route.
mod isolation;
mod probes;
mod row_security;
pub(crate) mod tenants;

use crate::support::{Answer, Api};
use api::auth::Role;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tenants::{ACME, GLOBEX, add_catalogue};

async fn world(name: &str) -> Api {
    let api = Api::start(name).await;
    add_catalogue(&api).await;
    ACME.add(&api).await;
    GLOBEX.add(&api).await;
    api
}

/// How many rows of a table a role sees.
async fn count(conn: &mut PgConnection, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

#[tokio::test]
async fn the_database_shows_a_tenant_only_its_rows() {
    let api = world("tenancy_rows").await;
    let mut session = api.session().await;
    let all = count(&mut session, "images").await;
    // (Each tenant has two images.)
    for (tenant, hidden) in [(ACME.name, 2), ("nobody-0", 4)] {
        let mut tx = session.begin().await.unwrap();
        let become_tenant =
            format!("SET LOCAL ROLE wavetank_tenant; SET LOCAL wavetank.tenant = '{tenant}'");
        sqlx::raw_sql(AssertSqlSafe(become_tenant)).execute(&mut *tx).await.unwrap();
        assert_eq!(count(&mut tx, "images").await, all - hidden, "{tenant}");
        for table in ["sla_timers", "sla_violations", "notifications"] {
            let theirs = format!("{table} WHERE customer_id = {}", ACME.nth(1));
            assert_eq!(count(&mut tx, &theirs).await > 0, hidden == 2, "{table} as {tenant}");
        }
        for forbidden in [
            "SELECT * FROM api_keys",
            "SELECT * FROM ledger",
            "SELECT secret FROM webhook_endpoints",
            "SELECT secret FROM webhook_sources",
            "DELETE FROM webhook_deliveries",
            "UPDATE clock SET factor = 1",
            "UPDATE images SET name = 'x'",
            "DELETE FROM notifications",
            "INSERT INTO images (id, name, description, depth, own_packages, tenant_namespace,
                                 created_at)
             VALUES (9, 'theirs', '', 0, '{}', 'catalogue', now())",
        ] {
            let mut inner = tx.begin().await.unwrap();
            let refused = sqlx::query(AssertSqlSafe(forbidden)).execute(&mut *inner).await;
            let code = refused.unwrap_err();
            let code = code.as_database_error().unwrap().code().unwrap().into_owned();
            assert_eq!(code, "42501", "{forbidden}");
        }
    }
    // Without a tenant, nothing.
    let mut tx = session.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE wavetank_tenant").execute(&mut *tx).await.unwrap();
    assert_eq!(count(&mut tx, "images").await, 0);
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn a_tenants_lists_and_totals_exclude_other_tenants() {
    let api = world("tenancy_lists").await;
    let globex = api.sign_in(Role::Viewer, Some(GLOBEX.name)).await;
    let acme = api.sign_in(Role::Viewer, Some(ACME.name)).await;
    let names = |answer: Answer| -> Vec<String> {
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let path = "/v1/images?q=.web";
    assert_eq!(names(api.get_as(&acme, path).await), [ACME.image()]);
    assert_eq!(names(api.get_as(&globex, path).await), [GLOBEX.image()]);
    assert_eq!(api.get_as(&globex, path).await.json()["total"]["count"], 1);
    let path = format!("/v1/artifacts/{}", ACME.sha256("log"));
    assert_eq!(api.get_as(&acme, &path).await.text, "acme-7 log");
    api.get_as(&globex, &path).await.problem(404, "artifact_not_found");
    // A tenant's actions are its own too.
    let editor = api.sign_in(Role::Editor, Some(ACME.name)).await;
    api.post_as(&editor, "/v1/images", json!({"name": "nothing"}))
        .await
        .problem(422, "unknown_image");
    for (who, expected) in [(&acme, 2), (&globex, 1)] {
        let actions = api.get_as(who, "/v1/actions").await.json();
        assert_eq!(actions["items"].as_array().unwrap().len(), expected, "{actions:#}");
    }
}
