-- The catalogue: images, their versions, the builds that made them, and the documents of both.

CREATE TABLE images (
    id               bigint PRIMARY KEY,
    name             text NOT NULL UNIQUE,
    description      text NOT NULL,
    base_image_id    bigint REFERENCES images,
    depth            integer NOT NULL CHECK (depth >= 0),                  -- 0: no base
    main_package_id  bigint REFERENCES packages,
    own_packages     bigint[] NOT NULL,
    tenant_namespace text NOT NULL,                                        -- the owner; 'catalogue' is shared
    created_at       timestamptz NOT NULL,
    end_of_life_at   timestamptz,
    current_version  integer                                               -- the newest published one
);
CREATE INDEX images_base ON images (base_image_id) WHERE base_image_id IS NOT NULL;

-- Which images are made with a package: what images.own_packages say of them and of their bases, for
-- those who look for a package.
CREATE TABLE image_packages (
    package_id       bigint NOT NULL REFERENCES packages,
    image_id         bigint NOT NULL REFERENCES images,
    tenant_namespace text NOT NULL,
    PRIMARY KEY (package_id, image_id) INCLUDE (tenant_namespace)
);
CREATE INDEX image_packages_tenant ON image_packages (tenant_namespace, package_id);

CREATE TABLE build_events (
    id               bigint PRIMARY KEY,
    image_id         bigint NOT NULL REFERENCES images,
    tenant_namespace text NOT NULL,
    trigger          text NOT NULL CHECK (trigger IN
                       ('cve_fix', 'manual', 'upstream', 'base_change', 'cron', 'bootstrap')),
    cause            jsonb NOT NULL,
    status           text NOT NULL CHECK (status IN
                       ('pending', 'running', 'finishing', 'completed', 'unchanged', 'superseded', 'merged', 'failed')),
    requested_at     timestamptz NOT NULL,
    started_at       timestamptz,                                          -- the first attempt
    flaked_at        timestamptz[] NOT NULL DEFAULT '{}',                  -- attempts that flaked, in order
    restarted_at     timestamptz[] NOT NULL DEFAULT '{}',                  -- the attempt after each of them
    finished_at      timestamptz,
    attempts         integer NOT NULL DEFAULT 0,
    builder          text,
    merged_into      bigint,
    failure          text,
    version          integer,                                              -- published, or found unchanged
    log_sha256       text,
    CHECK (started_at IS NULL OR started_at >= requested_at),
    CHECK (finished_at IS NULL OR finished_at >= requested_at),
    CHECK (cardinality(restarted_at) <= cardinality(flaked_at))
);
CREATE INDEX build_events_image ON build_events (image_id, requested_at, id);
CREATE INDEX build_events_status ON build_events (status, requested_at, id);
CREATE INDEX build_events_trigger ON build_events (trigger, requested_at, id);
CREATE INDEX build_events_requested ON build_events (requested_at, id);
CREATE INDEX build_events_failed ON build_events (finished_at) WHERE status = 'failed';

-- Written by the build job, all of it, when the documents are stored.
CREATE TABLE image_versions (
    image_id         bigint NOT NULL REFERENCES images,
    version          integer NOT NULL CHECK (version > 0),
    build_id         bigint NOT NULL UNIQUE REFERENCES build_events,
    tenant_namespace text NOT NULL,
    digest           text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    tags             text[] NOT NULL,
    base_image_id    bigint,
    base_version     integer,
    package_ids      bigint[] NOT NULL,                                    -- aligned with releases
    releases         integer[] NOT NULL,
    components       bigint[] NOT NULL,                                    -- the same as one number: package_id * 2^20 + release
    published_at     timestamptz NOT NULL,
    superseded_at    timestamptz,
    -- With what tells which version was current, so that the index alone answers.
    PRIMARY KEY (image_id, version) INCLUDE (published_at, tenant_namespace),
    FOREIGN KEY (base_image_id, base_version) REFERENCES image_versions (image_id, version),
    CHECK (cardinality(package_ids) = cardinality(releases))
);
CREATE INDEX image_versions_first ON image_versions (published_at) WHERE version = 1;
-- Which version of each image is current, and was: of all images at once.
CREATE INDEX image_versions_now ON image_versions (image_id)
    INCLUDE (version, published_at, tenant_namespace) WHERE superseded_at IS NULL;
CREATE INDEX image_versions_then ON image_versions
    ((CASE WHEN superseded_at IS NULL THEN 'infinity' ELSE superseded_at END))
    INCLUDE (image_id, version, published_at, superseded_at, tenant_namespace);
CREATE INDEX image_versions_digest ON image_versions (digest);
CREATE INDEX image_versions_base ON image_versions (base_image_id, base_version) WHERE base_image_id IS NOT NULL;

-- Which tags an image has, each since the first version that it was given to: what
-- image_versions.tags say, for those who look for a tag, by the image's name.
CREATE TABLE image_tags (
    image_id         bigint NOT NULL REFERENCES images,
    tag              text NOT NULL,
    tenant_namespace text NOT NULL,
    since            timestamptz NOT NULL,
    name             text NOT NULL,
    PRIMARY KEY (tag, name) INCLUDE (image_id, since, tenant_namespace)
);
CREATE INDEX image_tags_tenant ON image_tags (tenant_namespace, tag);

-- Every stored object that belongs to a build: kind, address, size.
CREATE TABLE artifacts (
    build_id         bigint NOT NULL REFERENCES build_events,
    kind             text NOT NULL,
    tenant_namespace text NOT NULL,
    media_type       text NOT NULL,
    sha256           text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes            bigint NOT NULL CHECK (bytes >= 0),
    object_key       text NOT NULL,
    PRIMARY KEY (build_id, kind)
);
CREATE INDEX artifacts_sha256 ON artifacts (sha256);

CREATE TABLE sbom_records (
    image_id         bigint NOT NULL,
    version          integer NOT NULL,
    format           text NOT NULL CHECK (format IN ('spdx', 'cyclonedx')),
    spec_version     text NOT NULL,
    tenant_namespace text NOT NULL,
    uri              text NOT NULL,                                        -- s3://<bucket>/<key>
    sha256           text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes            bigint NOT NULL,
    components       integer NOT NULL CHECK (components >= 0),
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (image_id, version, format),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version)
);

-- Signed statements about versions: written by the job that signs, placed in the transparency log
-- by the conductor in the order of the key, bundled with the proof by the attest job.
CREATE TABLE attestations (
    seq              bigint NOT NULL,                                      -- the fact that brought it about
    image_id         bigint NOT NULL,
    version          integer NOT NULL,
    predicate_type   text NOT NULL,
    tenant_namespace text NOT NULL,
    created_at       timestamptz NOT NULL,
    document_sha256  text CHECK (document_sha256 ~ '^[0-9a-f]{64}$'),      -- what it states; null: the subject alone
    envelope_sha256  bytea NOT NULL CHECK (length(envelope_sha256) = 32),
    payload_sha256   bytea NOT NULL CHECK (length(payload_sha256) = 32),
    signature        bytea NOT NULL,                                       -- ASN.1 DER
    leaf_hash        bytea NOT NULL CHECK (length(leaf_hash) = 32),
    log_index        bigint UNIQUE,                                        -- null: not in the log yet
    tree_size        bigint CHECK (tree_size > log_index),                 -- of the checkpoint in the bundle
    uri              text,                                                 -- s3://<bucket>/<key> of the bundle
    sha256           text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes            bigint,
    PRIMARY KEY (seq, image_id, version, predicate_type),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version),
    CHECK ((log_index IS NULL) = (tree_size IS NULL)),
    CHECK ((uri IS NULL) = (sha256 IS NULL) AND (uri IS NULL) = (bytes IS NULL)),
    CHECK (uri IS NULL OR log_index IS NOT NULL)
);
CREATE INDEX attestations_version ON attestations (image_id, version, predicate_type, seq);
CREATE INDEX attestations_image ON attestations (image_id, seq, version, predicate_type COLLATE "C");
CREATE INDEX attestations_waiting ON attestations (seq) WHERE log_index IS NULL;
CREATE INDEX attestations_sha256 ON attestations (sha256);
CREATE INDEX attestations_document ON attestations (document_sha256);
CREATE INDEX attestations_payload ON attestations (payload_sha256);

-- Bundles that an attacker has put in the place of signed ones, each from its instant on. What was
-- there before stays with the attestation: it is what an earlier instant shows.
CREATE TABLE attestation_replacements (
    log_index        bigint NOT NULL REFERENCES attestations (log_index),
    seq              bigint NOT NULL,                                      -- the fact that tells of it
    tenant_namespace text NOT NULL,
    replaced_at      timestamptz NOT NULL,
    document_sha256  text NOT NULL CHECK (document_sha256 ~ '^[0-9a-f]{64}$'), -- what it states
    uri              text NOT NULL,                                        -- s3://<bucket>/<key> of the bundle
    sha256           text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes            bigint NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (log_index, seq)
);
CREATE INDEX attestation_replacements_sha256 ON attestation_replacements (sha256);
CREATE INDEX attestation_replacements_document ON attestation_replacements (document_sha256);

-- The SLSA build level of a version as its evidence gave it; the newest up to an instant holds.
CREATE TABLE slsa_assessments (
    image_id         bigint NOT NULL,
    version          integer NOT NULL,
    seq              bigint NOT NULL,                                      -- the fact that asked for it
    tenant_namespace text NOT NULL,
    assessed_at      timestamptz NOT NULL,
    slsa_level       integer NOT NULL CHECK (slsa_level BETWEEN 0 AND 3),
    checks           jsonb NOT NULL,                                       -- each check, whether it held, what was found
    PRIMARY KEY (image_id, version, seq),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version)
);

-- Vacuumed sooner than others, as are all large tables that change: an index answers alone only for
-- pages that a vacuum has seen.
CREATE TABLE cve_findings (
    image_id         bigint NOT NULL,
    version          integer NOT NULL,
    advisory_id      bigint NOT NULL REFERENCES advisories,
    package_id       bigint NOT NULL REFERENCES packages,
    tenant_namespace text NOT NULL,
    severity         text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    score            numeric(3, 1) NOT NULL,
    detected_at      timestamptz NOT NULL,
    resolved_at      timestamptz,                                          -- a version without it was published
    resolved_version integer,
    not_affected_at  timestamptz,                                          -- judged a false positive
    justification    text,
    -- With what is counted and asked of a version's findings, so that the index alone answers.
    PRIMARY KEY (image_id, version, advisory_id, package_id)
        INCLUDE (severity, tenant_namespace, detected_at, resolved_at, not_affected_at),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version),
    CHECK ((resolved_at IS NULL) = (resolved_version IS NULL)),
    CHECK ((not_affected_at IS NULL) = (justification IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0,
        -- What is asked of most is what was found last; the index alone answers once it is vacuumed.
        autovacuum_vacuum_insert_threshold = 5000);
-- What an advisory's exposure and its remediation need is in the index itself.
CREATE INDEX cve_findings_advisory ON cve_findings (advisory_id, image_id, version)
    INCLUDE (package_id, severity, tenant_namespace, detected_at, resolved_at, not_affected_at);
-- Lists of findings go by the instant of detection.
CREATE INDEX cve_findings_detected ON cve_findings
    (detected_at, image_id, version, advisory_id, package_id);
CREATE INDEX cve_findings_image ON cve_findings
    (image_id, detected_at, version, advisory_id, package_id);
-- What a version resolves is what its VEX document says of it.
CREATE INDEX cve_findings_fixed ON cve_findings (image_id, resolved_version)
    WHERE resolved_version IS NOT NULL;
CREATE INDEX cve_findings_resolved ON cve_findings (resolved_at) WHERE resolved_at IS NOT NULL;
-- By severity, and how a finding stands: the three hold each finding once. (When it ended is the last
-- column, so that what had not ended by then is passed over in the index.)
CREATE INDEX cve_findings_open ON cve_findings
    (severity, detected_at, image_id, version, advisory_id, package_id)
    WHERE resolved_at IS NULL AND not_affected_at IS NULL;
CREATE INDEX cve_findings_ended ON cve_findings
    (severity, detected_at, image_id, version, advisory_id, package_id, resolved_at)
    WHERE resolved_at IS NOT NULL AND not_affected_at IS NULL;
CREATE INDEX cve_findings_judged ON cve_findings
    (severity, detected_at, image_id, version, advisory_id, package_id, not_affected_at)
    WHERE not_affected_at IS NOT NULL;
CREATE INDEX cve_findings_of_advisory ON cve_findings
    (advisory_id, detected_at, image_id, version, package_id);
CREATE INDEX cve_findings_of_package ON cve_findings
    (package_id, detected_at, image_id, version, advisory_id);

-- How many advisories are open on a version from an instant on, by severity, as changes: what
-- cve_findings say, for those who count. (An advisory is open from its first finding until it is judged
-- a false positive. A newer version ends nothing here: the findings are on this one still.)
CREATE TABLE finding_counts (
    image_id         bigint NOT NULL,
    version          integer NOT NULL,
    at               timestamptz NOT NULL,
    tenant_namespace text NOT NULL,
    critical         integer NOT NULL,
    high             integer NOT NULL,
    medium           integer NOT NULL,
    low              integer NOT NULL,
    PRIMARY KEY (image_id, version, at) INCLUDE (tenant_namespace, critical, high, medium, low),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_insert_threshold = 5000);

-- Judgements of false positives, one for an image and advisory: VEX follows from them.
CREATE TABLE triages (
    image_id      bigint NOT NULL REFERENCES images,
    advisory_id   bigint NOT NULL REFERENCES advisories,
    at            timestamptz NOT NULL,
    justification text NOT NULL,
    PRIMARY KEY (image_id, advisory_id)
);
CREATE INDEX triages_at ON triages (at);

-- Which findings are wrong, judged by then or not: the answer key of exports. Nothing in the world
-- reads it, and nobody sees it over the API. Outside the digest.
CREATE TABLE false_positives (
    image_id    bigint NOT NULL REFERENCES images,
    advisory_id bigint NOT NULL REFERENCES advisories,
    PRIMARY KEY (image_id, advisory_id)
);
