//! Two tenants that have everything a tenant can have, each with names, numbers and hashes that
//! occur nowhere else, so that any leak is recognized.
use crate::support::{Api, count_findings};
use documents::Digest;
use sqlx::AssertSqlSafe;
use store::objects::{NewObject, ObjectStore, content_key};

/// A tenant.
pub(crate) struct Tenant {
    /// Its namespace: no word of it stands in anything of the catalogue.
    pub(crate) name: &'static str,
    /// Its rows are numbered from here.
    pub(crate) number: i64,
    /// The first of its entries in the transparency log.
    log_index: i64,
    /// The number of the advisory and of the package that only its image has.
    thing: i64,
}

/// The one whose rows others ask for.
pub(crate) const ACME: Tenant = Tenant { name: "acme-7", number: 770_010, log_index: 6, thing: 71 };
/// The one that asks.
pub(crate) const GLOBEX: Tenant =
    Tenant { name: "globex-8", number: 770_510, log_index: 2, thing: 81 };
/// One that is not there: what is asked with its names is asked about nothing. Its advisory and
/// its package are, and no image has them.
pub(crate) const NOBODY: Tenant =
    Tenant { name: "nobd-9", number: 770_910, log_index: 96, thing: 91 };

/// What a tenant's build and its version have in the object store.
const DOCUMENTS: [&str; 8] =
    ["log", "spdx", "cyclonedx", "provenance", "bundle", "scan", "forged bundle", "forged"];

impl Tenant {
    pub(crate) fn image(&self) -> String {
        format!("{}.web", self.name)
    }

    pub(crate) fn base(&self) -> String {
        format!("{}.base", self.name)
    }

    /// SHA-256 of one of its documents.
    pub(crate) fn sha256(&self, what: &str) -> String {
        Digest::of(format!("{} {what}", self.name).as_bytes()).hex()
    }

    /// The addresses of all its documents.
    pub(crate) fn addresses(&self) -> Vec<String> {
        DOCUMENTS.iter().map(|what| self.sha256(what)).collect()
    }

    pub(crate) fn digest(&self, what: &str) -> String {
        format!("sha256:{}", self.sha256(what))
    }

    /// One of its numbers: of its first, second, ... row of a kind.
    pub(crate) fn nth(&self, row: i64) -> String {
        (self.number + row).to_string()
    }

    pub(crate) fn log_index(&self) -> String {
        self.log_index.to_string()
    }

    pub(crate) fn cve(&self) -> String {
        format!("CVE-2026-00000{}", self.thing)
    }

    pub(crate) fn package(&self) -> String {
        format!("lib-{}", self.thing)
    }

    /// What nobody else may ever read.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut all = self.addresses();
        all.extend(["manifest", "payload"].map(|what| self.sha256(what)));
        // (Of a number all but the last digit, of the name its first word.)
        all.push((self.number / 10).to_string());
        all.push(self.name.split('-').next().unwrap().to_owned());
        all
    }

    /// Puts it into the world.
    pub(crate) async fn add(&self, api: &Api) {
        sqlx::raw_sql(AssertSqlSafe(self.rows(ROWS))).execute(&api.pool).await.unwrap();
        let mut conn = api.pool.acquire().await.unwrap();
        let images = [self.number + 1, self.number + 2];
        store::catalogue::image_packages(&mut conn, &images).await.unwrap();
        count_findings(&api.pool).await;
        self.put_documents(&api.objects).await;
    }

    async fn put_documents(&self, objects: &ObjectStore) {
        let document = |what: &&str| NewObject {
            key: content_key(&self.sha256(what)),
            bytes: format!("{} {what}", self.name).into(),
            media_type: "text/plain",
            packed: false,
        };
        objects.put_all(DOCUMENTS.iter().map(document).collect()).await.unwrap();
    }

    fn rows(&self, text: &str) -> String {
        let numbers = (0..10).map(|row| (format!("{{n{row}}}"), self.nth(row)));
        let indexes =
            (0..4).map(|entry| (format!("{{log{entry}}}"), (self.log_index + entry).to_string()));
        let names = [("{t}", self.name.to_owned()), ("{thing}", self.thing.to_string())];
        let names = names.map(|(name, value)| (name.to_owned(), value));
        let hashes = ["manifest", "payload", "base"].iter().chain(&DOCUMENTS);
        let hashes = hashes.map(|what| (format!("{{{what}}}"), self.sha256(what)));
        let all = numbers.chain(indexes).chain(names).chain(hashes);
        all.fold(text.to_owned(), |text, (name, value)| text.replace(&name, &value))
    }
}

/// What everybody sees of them, and where the world stands.
pub(crate) async fn add_catalogue(api: &Api) {
    for tenant in [ACME, GLOBEX, NOBODY] {
        let rows = tenant.rows(CATALOGUE);
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&api.pool).await.unwrap();
    }
    // An evaluation has seen the timers: before one has, nobody is shown any.
    let rows = "UPDATE world SET released_seq = 771000, materialized_seq = 771000;
                INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                VALUES (771000, '2026-01-12T05:00Z', 'sla_checked', 'catalogue', '{}');
                INSERT INTO sla_policies (id, name, critical_days, calendar, clock_start,
                                          pause_without_fix, warn_permille)
                VALUES (77, 'one-for-all', 7, 'calendar', 'detected', false, 800);";
    sqlx::raw_sql(rows).execute(&api.pool).await.unwrap();
}

const CATALOGUE: &str = r#"
INSERT INTO packages VALUES ({thing}, 'lib-{thing}', 'MIT', 'Example', 'A library', false);
INSERT INTO package_releases VALUES
  ({thing}, 0, '1.0.0-r0', '2026-01-01T00:00Z', 1000, repeat('7', 64));
INSERT INTO advisories VALUES
  ({thing}, 'CVE-2026-00000{thing}', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8,
   'critical', false, '2026-01-12T00:30Z', '2026-01-12T00:40Z', NULL);
INSERT INTO advisory_packages VALUES ({thing}, {thing}, 0, '1.0.0-r0', NULL, NULL, NULL);
"#;

const ROWS: &str = r#"
INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier, policy_id)
VALUES ({n1}, '{t}', 'Customer {t}', 'Contact {t}', 'a@{t}.example', 'tier {t}', 77);
INSERT INTO images (id, name, description, base_image_id, depth, main_package_id, own_packages,
                    tenant_namespace, created_at, current_version) VALUES
  ({n2}, '{t}.base', 'Base of {t}', 0, 1, {thing}, '{{thing}}', '{t}', '2026-01-12T00:00Z', 1),
  ({n1}, '{t}.web', 'Web of {t}', {n2}, 2, {thing}, '{2,{thing}}', '{t}', '2026-01-12T00:00Z', 2);
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          started_at, finished_at, attempts, builder, failure, version, log_sha256)
VALUES
  ({n1}, {n1}, '{t}', 'manual', '{"trigger": "manual", "requested_by": "{t}"}', 'completed',
   '2026-01-12T01:30Z', '2026-01-12T01:30Z', '2026-01-12T01:40Z', 1, 'builder-{t}', NULL, 2,
   '{log}'),
  ({n2}, {n2}, '{t}', 'cron', '{"trigger": "cron"}', 'completed', '2026-01-12T01:00Z',
   '2026-01-12T01:00Z', '2026-01-12T01:10Z', 1, 'builder-{t}', NULL, 1, '{log}'),
  ({n4}, {n1}, '{t}', 'cron', '{"trigger": "cron"}', 'completed', '2026-01-12T01:10Z',
   '2026-01-12T01:10Z', '2026-01-12T01:15Z', 1, 'builder-{t}', NULL, 1, '{log}'),
  ({n5}, {n1}, '{t}', 'cron', '{"trigger": "cron"}', 'failed', '2026-01-12T02:00Z',
   '2026-01-12T02:00Z', '2026-01-12T02:10Z', 1, 'builder-{t}', 'it is {t}', NULL, '{log}');
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at)
VALUES ({n3}, {n1}, '{t}', 'manual', '{"trigger": "manual", "external": true}', 'pending',
        '2026-01-12T05:30Z');
INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
                            base_image_id, base_version, package_ids, releases, components,
                            published_at, superseded_at) VALUES
  ({n2}, 1, {n2}, '{t}', 'sha256:{base}', '{latest,tag-{t}}', 0, 1, '{0,{thing}}', '{0,0}',
   ARRAY[0, {thing}::bigint << 20], '2026-01-12T01:10Z', NULL),
  ({n1}, 1, {n4}, '{t}', 'sha256:{payload}', '{latest,tag-{t}}', {n2}, 1, '{0,2}', '{0,0}',
   '{0,2097152}', '2026-01-12T01:15Z', '2026-01-12T01:40Z'),
  ({n1}, 2, {n1}, '{t}', 'sha256:{manifest}', '{latest,tag-{t}}', {n2}, 1, '{0,2,{thing}}',
   '{0,0,0}', ARRAY[0, 2097152, {thing}::bigint << 20], '2026-01-12T01:40Z', NULL);
INSERT INTO image_tags SELECT v.image_id, tag, '{t}', min(v.published_at), i.name
FROM image_versions v JOIN images i ON i.id = v.image_id, unnest(v.tags) AS tag
WHERE v.tenant_namespace = '{t}' GROUP BY 1, 2, 5;
INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key)
SELECT {n1}, kind, '{t}', 'text/plain', sha256, 10, 'blobs/sha256/' || sha256
FROM (VALUES ('log', '{log}'), ('spdx', '{spdx}'), ('cyclonedx', '{cyclonedx}'),
             ('provenance', '{provenance}')) AS made (kind, sha256);
INSERT INTO sbom_records (image_id, version, format, spec_version, tenant_namespace, object_key, sha256,
                          bytes, components, created_at) VALUES
  ({n1}, 2, 'spdx', '2.3', '{t}', 's3://{t}/x', '{spdx}', 10, 3, '2026-01-12T01:40Z'),
  ({n1}, 2, 'cyclonedx', '1.6', '{t}', 's3://{t}/y', '{cyclonedx}', 10, 3, '2026-01-12T01:40Z');
INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace, created_at,
                          document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash,
                          log_index, tree_size, object_key, sha256, bytes)
SELECT {n1}, {n1}, 2, predicate, '{t}', '2026-01-12T01:40Z', stated, h, decode('{payload}', 'hex'),
       h, sha256((predicate || '{t}')::bytea), place, place + 1, 's3://{t}/z', bundle, 10
FROM (VALUES ('https://slsa.dev/provenance/v1', '{provenance}', '{bundle}', {log0}),
             ('https://in-toto.io/attestation/vulns/v0.1', '{scan}', '{forged bundle}', {log1}),
             ('https://openvex.dev/ns', '{forged}', '{base}', {log2}))
     AS stated (predicate, stated, bundle, place),
     (SELECT decode('{payload}', 'hex') AS h) AS hash;
INSERT INTO attestation_replacements (log_index, seq, tenant_namespace, replaced_at,
                                      document_sha256, object_key, sha256, bytes)
VALUES ({log0}, {n9}, '{t}', '2026-01-12T04:00Z', '{forged}', 's3://{t}/q', '{forged bundle}', 10);
INSERT INTO slsa_assessments (image_id, version, seq, tenant_namespace, assessed_at, slsa_level,
                              checks)
VALUES ({n1}, 2, {n1}, '{t}', '2026-01-12T01:40Z', 2,
        '[{"check": "builder", "passed": true, "detail": "of {t}"}]');
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at) VALUES
  ({n1}, 2, {thing}, {thing}, '{t}', 'critical', 9.8, '2026-01-12T02:00Z'),
  ({n1}, 2, 0, 2, '{t}', 'critical', 9.8, '2026-01-12T02:00Z');
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at, not_affected_at, justification) VALUES
  ({n1}, 2, 1, {thing}, '{t}', 'low', 2.5, '2026-01-12T02:00Z', '2026-01-12T03:00Z',
   'component_not_present');
INSERT INTO triages (image_id, advisory_id, at, justification, tenant_namespace)
VALUES ({n1}, 1, '2026-01-12T03:00Z', 'component_not_present', '{t}');
INSERT INTO customer_image_usage (customer_id, image_id, version, valid_from, valid_to, used_since,
    tenant_namespace, mode, environment, cluster, replicas, internet_exposed) VALUES
  ({n1}, {n1}, 2, '2026-01-12T02:00Z', NULL, '2026-01-12T02:00Z', '{t}', 'follow', 'production',
   'cluster-{t}', 3, true),
  ({n1}, 1, 1, '2026-01-12T02:00Z', NULL, '2026-01-12T02:00Z', '{t}', 'pin', 'production',
   'cluster-{t}', 3, true);
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
    severity, opened_at, excluded, counts_from, started_at, warn_at, due_at, breached_at)
SELECT {n1}, image, advisory, 'customer', '{t}', 77, 'critical', '2026-01-12T02:00Z', false,
       '2026-01-12T02:00Z', '2026-01-12T02:00Z', '2026-01-12T03:00Z', '2026-01-12T04:00Z',
       '2026-01-12T04:30Z'
FROM (VALUES ({n1}::bigint, {thing}::bigint), (1, 0)) AS owed (image, advisory);
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
    due_at, recorded_at)
SELECT customer_id, image_id, advisory_id, clock, tenant_namespace, severity, due_at, breached_at
FROM sla_timers WHERE tenant_namespace = '{t}';
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body)
VALUES ({n1}, '{t}', {n1}, 'sla_breached', '2026-01-12T04:30Z', 1, 'Subject {t}', '{"to": "{t}"}');
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, advisory_id, customer_id,
                      data) VALUES
  ({n1}, '2026-01-12T04:30Z', 'scanned', '{t}', {n1}, {n1}, {thing}, {n1},
   '{"trigger": "requested", "versions": 1, "findings": 1, "new": 1, "of": "{t}"}'),
  ({n2}, '2026-01-12T04:30Z', 'build_requested', '{t}', {n1}, {n3}, NULL, {n1}, '{"by": "{t}"}');
INSERT INTO commands (seq, command, tenant_namespace, applied_at) VALUES
  ({n1}, '{"command": "end_use", "customer": {n1}, "image": {n1}}', '{t}', NULL),
  ({n2}, '{"command": "tamper_attestation", "image": {n1}}', '{t}', '2026-01-12T04:00Z');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash)
VALUES ({n1}, '2026-01-12T04:30Z', 'robot-{t}', 'act.{t}', 'image/{n1}', '{t}', '{"by": "{t}"}',
        decode(repeat('00', 32), 'hex'));
INSERT INTO webhook_endpoints (id, tenant_namespace, url, description, secret, digest_seconds,
                               told_through, created_by)
VALUES ('whe_{n1}', '{t}', 'https://hook.{t}.example/', 'To {t}', 'whsec_{t}', 1, 0, 'test');
INSERT INTO webhook_deliveries (id, endpoint_id, tenant_namespace, kind, notification_ids,
                                collecting, state, next_wall, last_error)
VALUES ('msg_{n1}', 'whe_{n1}', '{t}', 'notifications', '{{n1}}', false, 'dead', now(), 'At {t}');
INSERT INTO webhook_sources (id, tenant_namespace, name, secret, created_by)
VALUES ('whs_{n1}', '{t}', 'forge of {t}', 'secret of {t}', 'test');
INSERT INTO webhook_receipts (source_id, delivery, tenant_namespace, body_sha256)
VALUES ('whs_{n1}', 'delivery-{t}', '{t}', decode('{payload}', 'hex'));
INSERT INTO actions (actor, role, tenant_namespace, operation, object, outcome, request_id)
VALUES ('robot-{t}', 'editor', '{t}', 'buildImage', '/v1/builds/{n1}', 'done', 'request-{t}');
"#;
