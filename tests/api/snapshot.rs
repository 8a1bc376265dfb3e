//! A snapshot of the database, one hash a table: it shows what a request has changed, or that it
//! changed nothing. The tables are listed by the database itself.
use sqlx::{AssertSqlSafe, PgPool};

/// A hash over the rows of every table; of those that belong to tenants, over one tenant's.
pub(crate) async fn hashes(pool: &PgPool, tenant: Option<&str>) -> Vec<(String, Option<String>)> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, format('SELECT md5(string_agg(r::text, ''|'' ORDER BY r::text))
                                         FROM %I r', c.relname)
                || CASE WHEN $1 IS NOT NULL
                         AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                                                 AND a.attname = 'tenant_namespace')
                        THEN format(' WHERE tenant_namespace = %L', $1) ELSE '' END
         FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
         ORDER BY 1",
    )
    .bind(tenant)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut all = Vec::new();
    for (table, sql) in tables {
        let hash = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap();
        all.push((table, hash));
    }
    all
}
