//! Row-level security keeps tenants apart: what the schema must say for every table.
use crate::support::Api;
use sqlx::PgPool;

/// The roles that the API takes.
const ROLES: &str = "('wavetank_tenant', 'wavetank_platform')";

/// Tables with a tenant that have no index which begins with it, and what leads to their rows.
const FOUND_OTHERWISE: &[(&str, &str)] = &[
    ("artifacts", "by build, and by SHA-256"),
    ("attestation_replacements", "by place in the log, and by SHA-256"),
    ("attestations", "by version of an image, by place in the log, and by SHA-256"),
    ("build_events", "in their order: most are the catalogue's, which every tenant sees"),
    ("cve_findings", "in their order: most are the catalogue's, which every tenant sees"),
    ("finding_counts", "by version of an image"),
    ("image_versions", "by image, and by digest"),
    ("images", "in their order: most are the catalogue's, which every tenant sees"),
    ("sbom_records", "by version of an image"),
    ("sla_timers", "by two indexes of the tenant: of those that run, of those that have stopped"),
    ("slsa_assessments", "by version of an image"),
    ("triages", "by image"),
];

/// Tables without a tenant that tenants read whole: nothing in them is one's own.
const SHARED: &[(&str, &str)] = &[
    ("_sqlx_migrations", "which schema it is"),
    ("advisories", "the catalogue"),
    ("advisory_packages", "the catalogue"),
    ("clock", "how fast the world goes"),
    ("expired_leaves", "hashes of leaves, which tiles publish"),
    ("logs", "sizes and roots, which checkpoints publish"),
    ("mass_event_decisions", "what was decided, without how many images there are"),
    ("package_releases", "the catalogue"),
    ("packages", "the catalogue"),
    ("retention_runs", "only from when on history is whole"),
    ("sla_policies", "what the platform offers"),
    ("trusted_builders", "whom the platform trusts"),
    ("world", "where the world stands"),
];

async fn names(pool: &PgPool, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

fn first(listed: &[(&str, &str)]) -> Vec<String> {
    listed.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[tokio::test]
async fn every_table_with_a_tenant_has_row_level_security() {
    let api = Api::start("tenancy_guard").await;
    let unguarded = names(
        &api.pool,
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_namespace'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p
                         WHERE p.polrelid = c.oid)
                        = '{owner,platform,tenant_delete,tenant_insert,tenant_select,tenant_update}')",
    )
    .await;
    assert_eq!(unguarded, [""; 0], "tables without row-level security");
    // What the policies say, the same for all tables.
    let said: Vec<(String, String, String, String, String)> = sqlx::query_as(
        "SELECT DISTINCT policyname::text, permissive || ' ' || cmd,
                array_to_string(array_remove(roles, tableowner), ',') , coalesce(qual, ''),
                coalesce(with_check, '')
         FROM pg_policies JOIN pg_tables USING (schemaname, tablename) ORDER BY 1",
    )
    .fetch_all(&api.pool)
    .await
    .unwrap();
    let outline: Vec<_> = said
        .iter()
        .map(|(name, how, to, shown, _)| {
            (name.as_str(), how.as_str(), to.as_str(), shown == "true")
        })
        .collect();
    assert_eq!(
        outline,
        [
            ("owner", "PERMISSIVE ALL", "", true),
            ("platform", "PERMISSIVE ALL", "wavetank_platform", true),
            ("tenant_delete", "PERMISSIVE DELETE", "wavetank_tenant", false),
            ("tenant_insert", "PERMISSIVE INSERT", "wavetank_tenant", false),
            ("tenant_select", "PERMISSIVE SELECT", "wavetank_tenant", false),
            ("tenant_update", "PERMISSIVE UPDATE", "wavetank_tenant", false),
        ]
    );
    let setting = "NULLIF(current_setting('wavetank.tenant'::text, true), ''::text)";
    for (name, _, _, shown, taken) in said.iter().filter(|(name, ..)| name.starts_with("tenant_")) {
        let condition = if name == "tenant_insert" { taken } else { shown };
        assert!(condition.starts_with("(tenant_namespace = "), "{name}: {condition}");
        assert!(condition.contains(setting), "{name}: {condition}");
        let also_catalogue = condition.contains("catalogue");
        assert_eq!(also_catalogue, name == "tenant_select", "{name}: {condition}");
        for wider in [" OR ", "<>", "IS NULL", "~", "true)) OR"] {
            assert!(!condition.contains(wider), "{name}: {condition}");
        }
        // What an update leaves is checked by the same condition as what it may touch.
        assert!(name == "tenant_insert" || taken.is_empty(), "{name}: {taken}");
    }
}

#[tokio::test]
async fn the_database_roles_of_the_api_have_no_other_rights() {
    let api = Api::start("tenancy_roles").await;
    let powers: Vec<(String, bool)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT rolname::text, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
                OR rolreplication OR rolcanlogin
                OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
                OR EXISTS (SELECT FROM pg_shdepend d WHERE d.refobjid = r.oid AND d.deptype = 'o')
         FROM pg_roles r WHERE rolname IN {ROLES} ORDER BY 1"
    )))
    .fetch_all(&api.pool)
    .await
    .unwrap();
    let none = ["wavetank_platform", "wavetank_tenant"].map(|role| (role.to_owned(), false));
    assert_eq!(
        powers, none,
        "a role of the API has a power, a membership, or something of its own"
    );
    // What runs or reads with its owner's rights goes around the policies.
    let around = names(
        &api.pool,
        "SELECT p.proname::text FROM pg_proc p
         WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
         UNION ALL SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY 1",
    )
    .await;
    assert_eq!(
        around,
        ["next_command_seq", "next_image_id", "scan_pass_at", "scanned_at"],
        "functions with the rights of their owner"
    );
    let shared = names(
        &api.pool,
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND has_any_column_privilege('wavetank_tenant', c.oid, 'SELECT')
           AND NOT EXISTS (SELECT FROM pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attname = 'tenant_namespace')
         ORDER BY 1",
    )
    .await;
    assert_eq!(shared, first(SHARED), "tables that tenants read whole");
}

#[tokio::test]
async fn every_table_with_a_tenant_has_an_index_led_by_it() {
    let api = Api::start("tenancy_indexes").await;
    let bare = names(
        &api.pool,
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_namespace'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_index i
                           WHERE i.indrelid = c.oid AND i.indkey[0] = t.attnum
                             AND i.indisvalid AND i.indpred IS NULL)
         ORDER BY 1",
    )
    .await;
    assert_eq!(bare, first(FOUND_OTHERWISE), "tables without an index by tenant");
}
