-- The record of the world: what it is made from, how far it is, what was asked of it, what happened.
-- Instants are simulated unless the column's name ends in _wall; those are outside the digest.

CREATE TABLE world (
    id                   boolean PRIMARY KEY DEFAULT true CHECK (id),      -- one row: one database, one world
    name                 text NOT NULL,
    scenario             text NOT NULL,                                   -- the file, byte for byte
    scenario_sha256      text NOT NULL CHECK (scenario_sha256 ~ '^[0-9a-f]{64}$'),
    seed                 bigint NOT NULL,                                 -- the bits of an unsigned 64-bit seed
    kernel_version       text NOT NULL,
    starts_at            timestamptz NOT NULL,
    ends_at              timestamptz NOT NULL,                            -- end of the scenario; a live world goes on
    released_through     timestamptz NOT NULL,                            -- jobs up to here are in the ledger
    released_seq         bigint NOT NULL CHECK (released_seq >= 0),       -- the last fact among them
    released_fingerprint text NOT NULL,                                   -- hash over all facts up to released_seq
    materialized_through timestamptz NOT NULL,                            -- every job up to here is done
    materialized_seq     bigint NOT NULL CHECK (materialized_seq >= 0),   -- the last fact among those
    term                 bigint NOT NULL DEFAULT 0,                       -- counts conductors: an old one writes no more
    signer_key           text NOT NULL,                                   -- PEM of the public key that documents are signed with
    generation           bigint NOT NULL DEFAULT 0,                       -- the load that made it; 0: it was here first
    CHECK (starts_at <= materialized_through AND materialized_through <= released_through),
    CHECK (materialized_seq <= released_seq)
);

-- How fast the world should go: wishes of people, outside the digest.
CREATE TABLE clock (
    id           boolean PRIMARY KEY DEFAULT true CHECK (id),
    mode         text NOT NULL CHECK (mode IN ('paused', 'live', 'fast')),
    factor       double precision NOT NULL CHECK (factor > 0 AND factor <= 1e9), -- simulated over wall seconds
    run_until    timestamptz,                                              -- pause when this instant is reached
    then_mode    text NOT NULL DEFAULT 'paused' CHECK (then_mode IN ('paused', 'live')),
    held_reason  text,                                                     -- why a defect holds the clock
    changed_wall timestamptz NOT NULL DEFAULT now()
);

-- Other worlds to take the place of this one, in order: wishes of people, outside the digest.
CREATE TABLE world_loads (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scenario       text NOT NULL,                                          -- the file, byte for byte
    name           text NOT NULL,
    seed           bigint NOT NULL,                                        -- the bits of an unsigned 64-bit seed
    mode           text NOT NULL CHECK (mode IN ('paused', 'live', 'fast')), -- how its clock begins
    requested_by   text NOT NULL,                                          -- the API key's id
    requested_wall timestamptz NOT NULL DEFAULT now(),
    replaced_wall  timestamptz,                                            -- the rows of the old world are gone
    done_wall      timestamptz,                                            -- its objects too; or it failed
    error          text,
    CHECK (done_wall IS NULL OR replaced_wall IS NOT NULL OR error IS NOT NULL)
);
CREATE UNIQUE INDEX world_loads_waiting ON world_loads ((true)) WHERE done_wall IS NULL; -- one at a time

CREATE TABLE commands (
    seq           bigint PRIMARY KEY CHECK (seq > 0),
    command       jsonb NOT NULL,
    applied_at    timestamptz,                                             -- the simulated instant of submission
    rejected      text,                                                    -- why the kernel refused it
    received_wall timestamptz NOT NULL DEFAULT now(),
    CHECK (rejected IS NULL OR applied_at IS NOT NULL)
);
CREATE INDEX commands_waiting ON commands (seq) WHERE applied_at IS NULL;

CREATE TABLE timeline (
    seq              bigint PRIMARY KEY CHECK (seq > 0),
    at               timestamptz NOT NULL,
    kind             text NOT NULL,
    tenant_namespace text NOT NULL,
    image_id         bigint,
    build_id         bigint,
    advisory_id      bigint,
    customer_id      bigint,
    data             jsonb NOT NULL
);
CREATE INDEX timeline_at ON timeline (at, seq);
CREATE INDEX timeline_image ON timeline (image_id, seq) WHERE image_id IS NOT NULL;
CREATE INDEX timeline_tenant ON timeline (tenant_namespace, seq);
CREATE INDEX timeline_kind ON timeline (kind, seq);
CREATE INDEX timeline_tenant_kind ON timeline (tenant_namespace, kind, seq);
CREATE INDEX timeline_advisory ON timeline (advisory_id, seq) WHERE advisory_id IS NOT NULL;
-- What was known of SLA timers at an instant is what the last evaluation by then had seen.
CREATE INDEX timeline_sla_checked ON timeline (at) WHERE kind = 'sla_checked';

-- The ledger is the truth about work; the queue is its delivery. Outside the digest.
CREATE TABLE ledger (
    id            bigint PRIMARY KEY,                                      -- from the first fact's seq and the chunk
    queue         text NOT NULL CHECK (queue IN ('build', 'scan', 'attest', 'sla_check', 'notify')),
    phase         integer NOT NULL,                                        -- within the queue: depth of a build
    at            timestamptz NOT NULL,
    payload       json NOT NULL,                                           -- text: only ever read whole
    state         text NOT NULL CHECK (state IN ('owed', 'done', 'dead')),
    attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error         text,
    lost          integer NOT NULL DEFAULT 0,                              -- deliveries that nobody finished
    retry_wall    timestamptz,                                             -- failed: deliver again then
    task          text,                                                    -- the latest delivery in apalis.jobs
    enqueued_wall timestamptz,                                             -- when that was made; null: not yet
    done_wall     timestamptz,
    discarded_wall timestamptz,                                            -- done only because somebody gave it up
    CHECK (discarded_wall IS NULL OR state = 'done')
);
CREATE INDEX ledger_open ON ledger (id) WHERE state <> 'done';
CREATE INDEX ledger_done ON ledger (done_wall) WHERE state = 'done';
CREATE INDEX ledger_discarded ON ledger (id) WHERE discarded_wall IS NOT NULL;

CREATE TABLE packages (
    id          bigint PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    license     text NOT NULL,
    supplier    text NOT NULL,
    description text NOT NULL,
    end_of_life boolean NOT NULL
);

CREATE TABLE package_releases (
    package_id  bigint NOT NULL REFERENCES packages,
    release     integer NOT NULL CHECK (release >= 0),
    version     text NOT NULL,
    released_at timestamptz NOT NULL,
    size_bytes  bigint NOT NULL CHECK (size_bytes > 0),
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (package_id, release),
    UNIQUE (package_id, version)
);

CREATE TABLE advisories (
    id               bigint PRIMARY KEY,
    cve              text NOT NULL UNIQUE CHECK (cve ~ '^CVE-[0-9]{4}-[0-9]{7}$'),
    vector           text NOT NULL,
    score            numeric(3, 1) NOT NULL CHECK (score BETWEEN 0 AND 10),
    severity         text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    known_exploited  boolean NOT NULL,
    published_at     timestamptz NOT NULL,
    detectable_at    timestamptz NOT NULL CHECK (detectable_at >= published_at),
    fix_available_at timestamptz CHECK (fix_available_at >= published_at)   -- upstream; null: not yet
);
CREATE INDEX advisories_published ON advisories (published_at, id);
CREATE INDEX advisories_detectable ON advisories (detectable_at);
CREATE INDEX advisories_fix ON advisories (fix_available_at) WHERE fix_available_at IS NOT NULL;
CREATE INDEX advisories_exploited ON advisories (published_at, id) WHERE known_exploited;

CREATE TABLE advisory_packages (
    advisory_id        bigint NOT NULL REFERENCES advisories,
    package_id         bigint NOT NULL REFERENCES packages,
    introduced_release integer NOT NULL,
    introduced_version text NOT NULL,
    fixed_release      integer,
    fixed_version      text,
    fixed_at           timestamptz,                                        -- when the distribution released it
    PRIMARY KEY (advisory_id, package_id),
    FOREIGN KEY (package_id, introduced_release) REFERENCES package_releases (package_id, release),
    FOREIGN KEY (package_id, fixed_release) REFERENCES package_releases (package_id, release),
    CHECK ((fixed_release IS NULL) = (fixed_at IS NULL)),
    CHECK ((fixed_release IS NULL) = (fixed_version IS NULL))
);
CREATE INDEX advisory_packages_package ON advisory_packages (package_id, advisory_id)
    INCLUDE (introduced_release, fixed_release);

-- Who did what. Each row is a leaf of the audit log's Merkle tree, in the order of ids.
CREATE TABLE audit_logs (
    id               bigint PRIMARY KEY,
    at               timestamptz NOT NULL,
    actor            text NOT NULL,
    action           text NOT NULL,
    object           text NOT NULL,
    tenant_namespace text NOT NULL,
    detail           jsonb NOT NULL,
    leaf_hash        bytea NOT NULL CHECK (length(leaf_hash) = 32),
    log_index        bigint UNIQUE
);
CREATE INDEX audit_logs_tenant ON audit_logs (tenant_namespace, id);
CREATE INDEX audit_logs_actor ON audit_logs (actor, id);
CREATE INDEX audit_logs_action ON audit_logs (action, id);
CREATE INDEX audit_logs_object ON audit_logs (object, id);
CREATE INDEX audit_logs_waiting ON audit_logs (id) WHERE log_index IS NULL;

-- The two Merkle logs: what their newest checkpoints say. Their tiles are in the object store.
CREATE TABLE logs (
    name           text PRIMARY KEY CHECK (name IN ('transparency', 'audit')),
    origin         text NOT NULL,
    size           bigint NOT NULL CHECK (size >= 0),
    root           bytea NOT NULL CHECK (length(root) = 32),
    published_size bigint NOT NULL CHECK (published_size <= size)          -- tiles up to here are in the object store
);

-- What a signer may vouch for about a builder, and when that was so.
CREATE TABLE trusted_builders (
    builder    text NOT NULL,
    key_id     text NOT NULL CHECK (key_id ~ '^[0-9a-f]{64}$'),            -- SHA-256 of the signer's key
    slsa_level integer NOT NULL CHECK (slsa_level BETWEEN 0 AND 3),
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz CHECK (valid_to >= valid_from),
    ended_seq  bigint,                                                     -- the fact that ended it
    PRIMARY KEY (builder, key_id, valid_from),
    CHECK ((valid_to IS NULL) = (ended_seq IS NULL))
);
