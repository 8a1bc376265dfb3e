//! A small world, written row by row: what each answer must be can be seen here.
//!
//! It began on 12 January 2026 at 00:00; all is done up to 05:00 and released up to 06:00. What was
//! there at 00:00 was scanned then, and all that was in use at 01:00 and 03:00; so version 2 of nginx,
//! published at 02:30, waited half an hour for a scan.
use bytes::Bytes;
use documents::checkpoint::Checkpoint;
use documents::world_keys::WorldKeys;
use sim::time::SimTime;
use sqlx::{AssertSqlSafe, PgPool};
use store::logs::Log;
use store::objects::{NewObject, ObjectStore, content_key};
use store::world::Origin;

/// What the world says that it was made from.
const SCENARIO: &str = "name: small\ntitle: A small world\nstart: 2026-01-12T00:00:00Z\n\
                        duration: 1d\nimages:\n  - {name: base, packages: 5}\n";

/// The build that made version 2 of nginx, requested at 02:00, running from 02:10 to 02:30.
pub(crate) const NGINX_BUILD: i64 = 4;
/// The digest of version 1 of the base.
pub(crate) const BASE_DIGEST: &str =
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The log of that build.
pub(crate) const LOG: &str = "fetch nginx-1.27.1-r0\nbuild ok\n";
/// Its SHA-256.
pub(crate) const LOG_SHA256: &str =
    "75a529a554ce7bdaaab32413f84f29552a1147e0a682fca77966f20e7d55c530";
/// Of the SPDX document of version 2 of nginx.
pub(crate) const SPDX_SHA256: &str =
    "5555555555555555555555555555555555555555555555555555555555555555";
/// Of its provenance.
pub(crate) const PROVENANCE_SHA256: &str =
    "6666666666666666666666666666666666666666666666666666666666666666";

/// A document that is stored compressed: provenance of build 1.
pub(crate) const PACKED: &str = "{\"stored\": \"compressed\"}";

const START_MS: i64 = 1_768_176_000_000;

/// Writes the rows of the world.
pub(crate) async fn world(pool: &PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let origin = Origin {
        name: "small".to_owned(),
        scenario: SCENARIO.to_owned(),
        scenario_sha256: "1".repeat(64),
        seed: u64::MAX,
        kernel_version: sim::KERNEL_VERSION.to_owned(),
        starts_at: SimTime(START_MS),
        ends_at: SimTime(START_MS + 7 * 86_400_000),
        signer_key: String::new(),
        distribution: "alpine".to_owned(),
    };
    store::world::create(&mut conn, &origin, "0", None).await.unwrap();
    let packed = packed_sha256();
    let rows = ROWS.replace("LOG_SHA256", LOG_SHA256).replace("{BASE}", BASE_DIGEST);
    let rows = rows.replace("{PACKED}", &packed);
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut *conn).await.unwrap();
    store::catalogue::image_packages(&mut conn, &[0, 1, 2, 3]).await.unwrap();
    count_findings(pool).await;
}

/// Puts the objects of the world.
pub(crate) async fn objects(objects: &ObjectStore) {
    objects.put_content(Bytes::from(LOG), "text/plain").await.unwrap();
    let object = NewObject {
        key: content_key(&packed_sha256()),
        bytes: documents::gzip::compress_fast(PACKED.as_bytes()).into(),
        media_type: "application/json",
        packed: true,
    };
    objects.put_all(vec![object]).await.unwrap();
}

/// Counts the findings that were written row by row.
pub(crate) async fn count_findings(pool: &PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (from, through) = (SimTime(START_MS), SimTime(START_MS + 7 * 86_400_000));
    store::finalize::count_findings(&mut conn, from, through).await.unwrap();
}

/// A checkpoint of that size as the world's log signs it.
pub(crate) fn signed_note(log: Log, size: u64) -> String {
    let keys = WorldKeys::of(&"1".repeat(64), u64::MAX, None).unwrap();
    let (verifier, key) = match log {
        Log::Transparency => (&keys.identity.log_verifier, &keys.log_checkpoint),
        Log::Audit => (&keys.identity.audit_verifier, &keys.audit_checkpoint),
    };
    let origin = verifier.name().to_owned();
    Checkpoint { origin, size, root: [0; 32] }.sign_ed25519(verifier.name(), key)
}

/// The SHA-256 of [`PACKED`].
pub(crate) fn packed_sha256() -> String {
    documents::Digest::of(PACKED.as_bytes()).hex()
}

const ROWS: &str = r#"
UPDATE world SET released_through = '2026-01-12T06:00Z', materialized_through = '2026-01-12T05:00Z',
                 released_seq = 100, materialized_seq = 90;
INSERT INTO packages (id, name, license, supplier, description, end_of_life) VALUES
  (0, 'musl', 'MIT', 'Example', 'The C library', false),
  (1, 'zlib', 'Zlib', 'Example', 'Compression', false),
  (2, 'nginx', 'BSD-2-Clause', 'Example', 'A web server', false),
  (3, 'redis', 'BSD-3-Clause', 'Example', 'A store', false);
INSERT INTO package_releases (package_id, release, version, released_at, size_bytes, sha256)
SELECT p, r, '1.' || r || '.0-r0', '2026-01-01T00:00Z', 1000, repeat('7', 64)
FROM generate_series(0, 3) p, generate_series(0, 1) r;
INSERT INTO advisories (id, cve, vector, score, severity, known_exploited, published_at,
                        detectable_at, fix_available_at) VALUES
  (0, 'CVE-2026-0000001', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'critical', false,
   '2026-01-12T00:30Z', '2026-01-12T00:40Z', '2026-01-12T01:30Z'),
  (1, 'CVE-2026-0000002', 'CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N', 2.5, 'low', false,
   '2026-01-12T00:30Z', '2026-01-12T00:40Z', NULL);
INSERT INTO images (id, name, description, base_image_id, depth, main_package_id, own_packages,
                    tenant_namespace, created_at, end_of_life_at, current_version) VALUES
  (0, 'base-os', 'The base', NULL, 0, 0, '{0}', 'catalogue', '2026-01-12T00:00Z', NULL, 1),
  (1, 'nginx', 'A web server', 0, 1, 2, '{2,1}', 'catalogue', '2026-01-12T00:00Z', NULL, 2),
  (2, 'redis', 'A store', 0, 1, 3, '{3}', 'catalogue', '2026-01-12T00:00Z', '2026-01-12T04:00Z', 1),
  (3, 'late', 'Added later', 0, 1, 1, '{1}', 'catalogue', '2026-01-12T03:00Z', NULL, NULL);
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          started_at, finished_at, attempts, builder, version, log_sha256) VALUES
  (1, 0, 'catalogue', 'bootstrap', '{"trigger": "bootstrap"}', 'completed', '2026-01-12T00:00Z',
   '2026-01-12T00:00Z', '2026-01-12T00:00Z', 1, NULL, 1, 'LOG_SHA256'),
  (2, 1, 'catalogue', 'bootstrap', '{"trigger": "bootstrap"}', 'completed', '2026-01-12T00:00Z',
   '2026-01-12T00:00Z', '2026-01-12T00:00Z', 1, NULL, 1, 'LOG_SHA256'),
  (3, 2, 'catalogue', 'bootstrap', '{"trigger": "bootstrap"}', 'completed', '2026-01-12T00:00Z',
   '2026-01-12T00:00Z', '2026-01-12T00:00Z', 1, NULL, 1, 'LOG_SHA256'),
  (4, 1, 'catalogue', 'cve_fix',
   '{"trigger": "cve_fix", "advisory": 0, "release": {"package": 2, "release": 1}}', 'completed',
   '2026-01-12T02:00Z', '2026-01-12T02:10Z', '2026-01-12T02:30Z', 1, 'builder-0', 2, 'LOG_SHA256'),
  (5, 3, 'catalogue', 'cron', '{"trigger": "cron"}', 'finishing', '2026-01-12T05:10Z',
   '2026-01-12T05:20Z', '2026-01-12T05:40Z', 1, 'builder-1', NULL, NULL),
  (6, 2, 'catalogue', 'base_change',
   '{"trigger": "base_change", "base": {"image": 0, "version": 1}}', 'running',
   '2026-01-12T05:30Z', '2026-01-12T05:50Z', NULL, 1, 'builder-0', NULL, NULL);
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          finished_at, merged_into) VALUES
  (7, 2, 'catalogue', 'cron', '{"trigger": "cron"}', 'merged', '2026-01-12T05:35Z',
   '2026-01-12T05:35Z', 6);
INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
                            base_image_id, base_version, package_ids, releases, components,
                            published_at, superseded_at) VALUES
  (0, 1, 1, 'catalogue', '{BASE}', '{latest,1}', NULL, NULL, '{0}', '{0}', '{0}',
   '2026-01-12T00:00Z', NULL),
  (1, 1, 2, 'catalogue', 'sha256:' || repeat('b', 64), '{latest,1.0.0,1.0,1}', 0, 1, '{0,1,2}',
   '{0,0,0}', '{0}', '2026-01-12T00:00Z', '2026-01-12T02:30Z'),
  (2, 1, 3, 'catalogue', 'sha256:' || repeat('c', 64), '{latest}', 0, 1, '{0,3}', '{0,0}', '{0}',
   '2026-01-12T00:00Z', NULL),
  (1, 2, 4, 'catalogue', 'sha256:' || repeat('d', 64), '{latest,1.1.0,1.1,1}', 0, 1, '{0,1,2}',
   '{0,0,1}', '{0}', '2026-01-12T02:30Z', NULL);
INSERT INTO image_tags SELECT v.image_id, tag, 'catalogue', min(v.published_at), i.name
FROM image_versions v JOIN images i ON i.id = v.image_id, unnest(v.tags) AS tag GROUP BY 1, 2, 5;
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data) VALUES
  (1, '2026-01-12T00:00Z', 'scanned', 'catalogue', 0,
   '{"trigger": "push", "versions": 1, "findings": 0, "new": 0}'),
  (2, '2026-01-12T00:00Z', 'scanned', 'catalogue', 1,
   '{"trigger": "push", "versions": 1, "findings": 0, "new": 0}'),
  (3, '2026-01-12T00:00Z', 'scanned', 'catalogue', 2,
   '{"trigger": "push", "versions": 1, "findings": 0, "new": 0}'),
  (12, '2026-01-12T01:00Z', 'scanned', 'catalogue', NULL,
   '{"trigger": "scheduled", "versions": 3, "findings": 2, "new": 2}'),
  (69, '2026-01-12T03:00Z', 'scanned', 'catalogue', NULL,
   '{"trigger": "scheduled", "versions": 4, "findings": 3, "new": 1}');
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at, resolved_at, resolved_version) VALUES
  (1, 1, 0, 2, 'catalogue', 'critical', 9.8, '2026-01-12T01:00Z', '2026-01-12T02:30Z', 2);
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at, not_affected_at, justification) VALUES
  (1, 1, 1, 1, 'catalogue', 'low', 2.5, '2026-01-12T01:00Z', '2026-01-12T04:00Z',
   'component_not_present'),
  (1, 2, 1, 1, 'catalogue', 'low', 2.5, '2026-01-12T03:00Z', '2026-01-12T04:00Z',
   'component_not_present');
INSERT INTO sbom_records (image_id, version, format, spec_version, tenant_namespace, object_key, sha256,
                          bytes, components, created_at) VALUES
  (1, 2, 'spdx', '2.3', 'catalogue', 'blobs/y', repeat('5', 64), 100, 3, '2026-01-12T02:30Z'),
  (1, 2, 'cyclonedx', '1.6', 'catalogue', 'blobs/z', repeat('4', 64), 90, 3, '2026-01-12T02:30Z');
INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace, created_at,
                          document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash,
                          log_index, tree_size, object_key, sha256, bytes)
SELECT 40, 1, 2, 'https://slsa.dev/provenance/v1', 'catalogue', '2026-01-12T02:30Z',
       repeat('6', 64), h, h, h, h, 1, 2, 'blobs/p', repeat('9', 64), 80
FROM (SELECT decode(repeat('00', 32), 'hex') AS h) AS hash;
INSERT INTO slsa_assessments (image_id, version, seq, tenant_namespace, assessed_at, slsa_level,
                              checks) VALUES
  (1, 2, 40, 'catalogue', '2026-01-12T02:30Z', 3,
   '[{"check": "builder", "passed": true, "detail": "builder-0 is granted level 3"}]'),
  (1, 2, 60, 'catalogue', '2026-01-12T04:00Z', 1,
   '[{"check": "signature", "passed": false, "detail": "no trusted key signed this statement"}]');
INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key)
SELECT b, 'log', 'catalogue', 'text/plain', 'LOG_SHA256', 31, 'blobs/sha256/LOG_SHA256'
FROM generate_series(1, 4) b;
INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key) VALUES
  (1, 'provenance', 'catalogue', 'application/json', '{PACKED}', 24, 'blobs/sha256/{PACKED}'),
  (4, 'spdx', 'catalogue', 'application/spdx+json', repeat('5', 64), 100, 'blobs/sha256/' || repeat('5', 64));
"#;
