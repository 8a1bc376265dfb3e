//! Which columns the digest covers. A test compares this with the schema, so that a new column is
//! either covered or left out on purpose.

/// A table in the digest.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that count, in order.
    pub columns: &'static str,
    /// The primary key; text by bytes, whatever the database's collation.
    pub order: &'static str,
}

/// Tables and columns that are left out beside those that end in `_wall`: how far and how fast
/// the world was driven, its name, the scenario's text (its hash counts), deliveries, what the
/// retention remembers of rows that it removed (that they are gone counts), and studies, which are no
/// part of any world.
pub const EXCLUDED: &[&str] = &[
    "_sqlx_migrations",
    "actions",
    "api_keys",
    "clock",
    "expired_leaves",
    "expired_objects",
    "false_positives",
    "finding_counts",
    "first_findings",
    "idempotency_keys",
    "image_packages",
    "image_tags",
    "ledger",
    "logs.published_size",
    "obsolete_objects",
    "owed_notifications",
    "retention_runs",
    "studies",
    "study_documents",
    "study_parts",
    "triages.tenant_namespace",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhook_receipts",
    "webhook_sources",
    "world.distribution",
    "world.generation",
    "world.id",
    "world.keep_ms",
    "world.name",
    "world.scenario",
    "world.released_through",
    "world.released_seq",
    "world.released_fingerprint",
    "world.materialized_seq",
    "world.term",
    "world_loads",
];

/// The tables in the digest, in a fixed order.
pub const TABLES: [Table; 27] = [
    Table {
        name: "world",
        columns: "scenario_sha256, seed, kernel_version, starts_at, ends_at, \
                  materialized_through, signer_key",
        order: "id",
    },
    Table {
        name: "commands",
        columns: "seq, command, applied_at, rejected, tenant_namespace",
        order: "seq",
    },
    Table {
        name: "timeline",
        columns: "seq, at, kind, tenant_namespace, image_id, build_id, advisory_id, \
                  customer_id, data",
        order: "seq",
    },
    Table {
        name: "packages",
        columns: "id, name, license, supplier, description, end_of_life",
        order: "id",
    },
    Table {
        name: "package_releases",
        columns: "package_id, release, version, released_at, size_bytes, sha256",
        order: "package_id, release",
    },
    Table {
        name: "advisories",
        columns: "id, cve, vector, score, severity, known_exploited, published_at, \
                  detectable_at, fix_available_at",
        order: "id",
    },
    Table {
        name: "advisory_packages",
        columns: "advisory_id, package_id, introduced_release, introduced_version, \
                  fixed_release, fixed_version, fixed_at",
        order: "advisory_id, package_id",
    },
    Table {
        name: "audit_logs",
        columns: "id, at, actor, action, object, tenant_namespace, detail, leaf_hash, \
                  log_index",
        order: "id",
    },
    Table { name: "logs", columns: "name, origin, size, root", order: "name COLLATE \"C\"" },
    Table {
        name: "trusted_builders",
        columns: "builder, key_id, slsa_level, valid_from, valid_to, ended_seq",
        order: "builder COLLATE \"C\", key_id COLLATE \"C\", valid_from",
    },
    Table {
        name: "images",
        columns: "id, name, description, base_image_id, depth, main_package_id, \
                  own_packages, tenant_namespace, created_at, end_of_life_at, \
                  current_version",
        order: "id",
    },
    Table {
        name: "build_events",
        columns: "id, image_id, tenant_namespace, trigger, cause, status, requested_at, \
                  started_at, flaked_at, restarted_at, finished_at, attempts, builder, \
                  merged_into, failure, version, log_sha256",
        order: "id",
    },
    Table {
        name: "image_versions",
        columns: "image_id, version, build_id, tenant_namespace, digest, tags, \
                  base_image_id, base_version, package_ids, releases, components, \
                  published_at, superseded_at",
        order: "image_id, version",
    },
    Table {
        name: "artifacts",
        columns: "build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key",
        order: "build_id, kind COLLATE \"C\"",
    },
    Table {
        name: "sbom_records",
        columns: "image_id, version, format, spec_version, tenant_namespace, object_key, sha256, \
                  bytes, components, created_at",
        order: "image_id, version, format COLLATE \"C\"",
    },
    Table {
        name: "attestations",
        columns: "seq, image_id, version, predicate_type, tenant_namespace, created_at, \
                  document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash, \
                  log_index, tree_size, object_key, sha256, bytes",
        order: "seq, image_id, version, predicate_type COLLATE \"C\"",
    },
    Table {
        name: "attestation_replacements",
        columns: "log_index, seq, tenant_namespace, replaced_at, document_sha256, object_key, sha256, \
                  bytes",
        order: "log_index, seq",
    },
    Table {
        name: "slsa_assessments",
        columns: "image_id, version, seq, tenant_namespace, assessed_at, slsa_level, checks",
        order: "image_id, version, seq",
    },
    Table {
        name: "cve_findings",
        columns: "image_id, version, advisory_id, package_id, tenant_namespace, severity, \
                  score, detected_at, resolved_at, resolved_version, not_affected_at, \
                  justification",
        order: "image_id, version, advisory_id, package_id",
    },
    Table {
        name: "triages",
        columns: "image_id, advisory_id, at, justification",
        order: "image_id, advisory_id",
    },
    Table {
        name: "sla_policies",
        columns: "id, name, critical_days, high_days, medium_days, low_days, calendar, \
                  clock_start, pause_without_fix, exclude_over_permille, warn_permille, \
                  on_reexposure",
        order: "id",
    },
    Table {
        name: "customers",
        columns: "id, tenant_namespace, name, contact_name, contact_email, sla_tier, \
                  policy_id",
        order: "id",
    },
    Table {
        name: "customer_image_usage",
        columns: "customer_id, image_id, version, valid_from, valid_to, used_since, \
                  tenant_namespace, mode, environment, cluster, replicas, internet_exposed",
        order: "customer_id, image_id, valid_from",
    },
    Table {
        name: "sla_timers",
        columns: "customer_id, image_id, advisory_id, clock, episode, tenant_namespace, policy_id, \
                  severity, opened_at, excluded, undecided, counts_from, started_at, warn_at, due_at, \
                  stopped_at, stop_reason, warned_at, breached_at",
        order: "customer_id, image_id, advisory_id, clock COLLATE \"C\", episode",
    },
    Table {
        name: "mass_event_decisions",
        columns: "advisory_id, policy_id, decided_at, images_hit, images, excluded",
        order: "advisory_id, policy_id",
    },
    Table {
        name: "sla_violations",
        columns: "customer_id, image_id, advisory_id, clock, episode, tenant_namespace, severity, \
                  due_at, recorded_at, resolved_at, resolution_recorded_at",
        order: "customer_id, image_id, advisory_id, clock COLLATE \"C\", episode",
    },
    Table {
        name: "notifications",
        columns: "id, tenant_namespace, customer_id, kind, at, items, subject, body",
        order: "id",
    },
];
