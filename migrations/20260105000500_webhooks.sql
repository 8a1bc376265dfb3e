-- Webhooks, both ways: where notifications are sent, what becomes of each, and who may tell of
-- pushes upstream. All of it lies outside the digest: addresses, secrets and wall clocks are no
-- part of the world.
--
-- tenant_namespace null: the platform's own, which no tenant sees. Its endpoints are told what
-- concerns the shared catalogue.

CREATE TABLE webhook_endpoints (
    id               text PRIMARY KEY DEFAULT 'whe_' || replace(gen_random_uuid()::text, '-', ''),
    tenant_namespace text CHECK (tenant_namespace <> 'catalogue'),
    url              text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    description      text NOT NULL CHECK (length(description) <= 200),
    secret           text NOT NULL CHECK (secret ~ '^whsec_'),             -- signing needs it as it is
    kinds            text[],                                               -- null: all
    min_severity     text CHECK (min_severity IN ('low', 'medium', 'high', 'critical')),
    digest_seconds   integer NOT NULL CHECK (digest_seconds BETWEEN 1 AND 86400),
    -- The last notification that was looked at: an endpoint is told what comes after its making.
    told_through     bigint NOT NULL,
    created_by       text NOT NULL,
    created_wall     timestamptz NOT NULL DEFAULT now(),
    disabled_wall    timestamptz,
    disabled_reason  text CHECK (disabled_reason IN ('asked', 'gone')),
    CHECK ((disabled_wall IS NULL) = (disabled_reason IS NULL))
);
CREATE INDEX webhook_endpoints_tenant ON webhook_endpoints (tenant_namespace, id);

CREATE TABLE webhook_deliveries (
    seq              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id               text NOT NULL UNIQUE DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    endpoint_id      text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    tenant_namespace text,
    kind             text NOT NULL CHECK (kind IN ('notifications', 'test')),
    notification_ids bigint[] NOT NULL,                                    -- in order
    collecting       boolean NOT NULL,                                     -- a digest that may still grow
    state            text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead', 'discarded')),
    attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Pending: not before this. For one that collects, the end of its window; while an attempt
    -- runs, the instant at which somebody else may take it over.
    next_wall        timestamptz NOT NULL,
    last_status      integer,                                              -- the HTTP status; null: no answer
    last_error       text,
    created_wall     timestamptz NOT NULL DEFAULT now(),
    attempted_wall   timestamptz,
    delivered_wall   timestamptz,
    CHECK ((state = 'delivered') = (delivered_wall IS NOT NULL)),
    CHECK ((kind = 'test') = (cardinality(notification_ids) = 0)),
    CHECK (NOT collecting OR (state = 'pending' AND attempts = 0))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_wall) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, seq);
CREATE INDEX webhook_deliveries_tenant ON webhook_deliveries (tenant_namespace, seq);
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (seq) WHERE state = 'dead';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (created_wall) WHERE state <> 'pending';
-- One an endpoint at the most.
CREATE UNIQUE INDEX webhook_deliveries_open ON webhook_deliveries (endpoint_id)
    WHERE collecting;

-- How severe a notification is, 4 (critical) to 1 (low): the worst thing that it lists. Null: it
-- has no severity. One that lists only a part of what it counts may hold anything: 4.
CREATE FUNCTION notification_severity(kind text, body jsonb) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN kind = 'build_failed' THEN NULL
        WHEN kind = 'critical_cve' THEN 4
        WHEN (body ->> 'count')::bigint > jsonb_array_length(body -> 'items') THEN 4
        ELSE (SELECT max(array_position(ARRAY['low', 'medium', 'high', 'critical'],
                                        item ->> 'severity'))
              FROM jsonb_array_elements(body -> 'items') item)
    END;

-- Who may tell of pushes upstream: a forge with a secret of its own.
CREATE TABLE webhook_sources (
    id               text PRIMARY KEY DEFAULT 'whs_' || replace(gen_random_uuid()::text, '-', ''),
    tenant_namespace text CHECK (tenant_namespace <> 'catalogue'),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    secret           text NOT NULL,                                        -- checking needs it as it is
    created_by       text NOT NULL,
    created_wall     timestamptz NOT NULL DEFAULT now(),
    last_used_wall   timestamptz,
    revoked_wall     timestamptz
);
CREATE INDEX webhook_sources_tenant ON webhook_sources (tenant_namespace, id);

-- What was taken from a source, so that nothing is taken twice: neither a delivery under its name
-- nor, for the name is not signed, the same body under another.
CREATE TABLE webhook_receipts (
    source_id        text NOT NULL REFERENCES webhook_sources ON DELETE CASCADE,
    delivery         text NOT NULL,
    tenant_namespace text,
    body_sha256      bytea NOT NULL CHECK (length(body_sha256) = 32),
    received_wall    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_id, delivery),
    UNIQUE (source_id, body_sha256)
);
CREATE INDEX webhook_receipts_tenant ON webhook_receipts (tenant_namespace, source_id);
