-- Customers, what they run, what is owed to them, and what they were told.

CREATE TABLE sla_policies (
    id                    bigint PRIMARY KEY,
    name                  text NOT NULL UNIQUE,
    critical_days         integer,
    high_days             integer,
    medium_days           integer,
    low_days              integer,
    calendar              text NOT NULL CHECK (calendar IN ('calendar', 'business')),
    clock_start           text NOT NULL CHECK (clock_start IN ('fix_available', 'detected', 'published')),
    pause_without_fix     boolean NOT NULL,
    exclude_over_permille integer,                                         -- share of all images, in thousandths
    warn_permille         integer NOT NULL CHECK (warn_permille BETWEEN 0 AND 1000)
);

CREATE TABLE customers (
    id               bigint PRIMARY KEY,
    tenant_namespace text NOT NULL UNIQUE,
    name             text NOT NULL,
    contact_name     text NOT NULL,
    contact_email    text NOT NULL,
    sla_tier         text NOT NULL,
    policy_id        bigint NOT NULL REFERENCES sla_policies
);

CREATE TABLE customer_image_usage (
    customer_id       bigint NOT NULL REFERENCES customers,
    image_id          bigint NOT NULL,
    version           integer NOT NULL,
    valid_from        timestamptz NOT NULL,
    valid_to          timestamptz CHECK (valid_to >= valid_from),
    used_since        timestamptz NOT NULL,                                -- first use of any version of the image
    tenant_namespace  text NOT NULL,
    mode              text NOT NULL CHECK (mode IN ('follow', 'pin')),
    environment       text NOT NULL,
    cluster           text NOT NULL,
    replicas          integer NOT NULL CHECK (replicas > 0),
    internet_exposed  boolean NOT NULL,
    PRIMARY KEY (customer_id, image_id, valid_from),
    FOREIGN KEY (image_id, version) REFERENCES image_versions (image_id, version)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX customer_image_usage_version ON customer_image_usage (image_id, version, valid_from)
    INCLUDE (valid_to, tenant_namespace);
CREATE INDEX customer_image_usage_from ON customer_image_usage (valid_from);
CREATE INDEX customer_image_usage_first ON customer_image_usage (image_id, used_since) WHERE valid_from = used_since;
-- What was run at an instant of the past: the index itself tells what had ended or not begun. (CASE:
-- under row security a coalesce is not looked up in an index.)
CREATE INDEX customer_image_usage_image_then ON customer_image_usage
    (image_id, (CASE WHEN valid_to IS NULL THEN 'infinity' ELSE valid_to END), valid_from);
CREATE INDEX customer_image_usage_customer_then ON customer_image_usage
    (customer_id, (CASE WHEN valid_to IS NULL THEN 'infinity' ELSE valid_to END), valid_from);
-- What is run now is little among all; what lists count of it is in the indexes themselves.
CREATE INDEX customer_image_usage_image_now ON customer_image_usage (image_id, customer_id)
    INCLUDE (version, valid_from, tenant_namespace) WHERE valid_to IS NULL;
CREATE INDEX customer_image_usage_customer_now ON customer_image_usage (customer_id, image_id)
    INCLUDE (version, valid_from, internet_exposed, tenant_namespace) WHERE valid_to IS NULL;
CREATE INDEX customer_image_usage_tenant ON customer_image_usage (tenant_namespace, image_id);

CREATE TABLE sla_timers (
    customer_id      bigint NOT NULL REFERENCES customers,
    image_id         bigint NOT NULL REFERENCES images,
    advisory_id      bigint NOT NULL REFERENCES advisories,
    clock            text NOT NULL CHECK (clock IN ('provider', 'customer')),
    tenant_namespace text NOT NULL,
    policy_id        bigint NOT NULL REFERENCES sla_policies,
    severity         text NOT NULL,
    opened_at        timestamptz NOT NULL,                                 -- the exposure began to count
    excluded         boolean NOT NULL,                                     -- the policy's mass-event clause
    counts_from      timestamptz NOT NULL,                                 -- the earliest start, but for a fix
    started_at       timestamptz,                                          -- null: stands still, no fix exists
    warn_at          timestamptz,
    due_at           timestamptz,
    stopped_at       timestamptz,
    stop_reason      text CHECK (stop_reason IN ('fixed', 'not_affected', 'adopted')),
    warned_at        timestamptz,                                          -- the evaluation that saw it at risk
    breached_at      timestamptz,                                          -- the evaluation that saw it breached
    -- With what an exposure tells of its timers, so that the index alone answers.
    PRIMARY KEY (customer_id, image_id, advisory_id, clock)
        INCLUDE (tenant_namespace, opened_at, excluded, started_at, warn_at, due_at, stopped_at),
    CHECK ((stopped_at IS NULL) = (stop_reason IS NULL)),
    CHECK ((started_at IS NULL) = (due_at IS NULL)),
    CHECK ((started_at IS NULL) = (warn_at IS NULL)),
    CHECK (stopped_at >= opened_at)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_insert_threshold = 5000);
-- An evaluation looks only at what is running and not yet said; each index holds just that.
CREATE INDEX sla_timers_due ON sla_timers (due_at)
    WHERE stopped_at IS NULL AND breached_at IS NULL AND NOT excluded;
CREATE INDEX sla_timers_warn ON sla_timers (warn_at)
    WHERE stopped_at IS NULL AND warned_at IS NULL AND NOT excluded;
CREATE INDEX sla_timers_paused ON sla_timers (advisory_id) WHERE started_at IS NULL AND stopped_at IS NULL;
-- The nearest deadline of each advisory of an image is the first entry.
CREATE INDEX sla_timers_image ON sla_timers (image_id, advisory_id, clock, excluded, due_at);
-- What is owed, the most urgent first: of all tenants, of a severity, and of one tenant.
CREATE INDEX sla_timers_open ON sla_timers
    (coalesce(due_at, 'infinity'), customer_id, image_id, advisory_id, clock) WHERE stopped_at IS NULL;
CREATE INDEX sla_timers_severity ON sla_timers
    (severity, coalesce(due_at, 'infinity'), customer_id, image_id, advisory_id, clock)
    WHERE stopped_at IS NULL;
CREATE INDEX sla_timers_tenant ON sla_timers
    (tenant_namespace, coalesce(due_at, 'infinity'), customer_id, image_id, advisory_id, clock)
    WHERE stopped_at IS NULL;
-- And what was owed before: of those that have stopped since, in time and late. (When they stopped
-- is the last column, so that those that had stopped by then are passed over in the index.)
CREATE INDEX sla_timers_was_due ON sla_timers
    (due_at, customer_id, image_id, advisory_id, clock, stopped_at)
    WHERE stopped_at IS NOT NULL;
CREATE INDEX sla_timers_severity_was_due ON sla_timers
    (severity, due_at, customer_id, image_id, advisory_id, clock, stopped_at)
    WHERE stopped_at IS NOT NULL;
CREATE INDEX sla_timers_tenant_was_due ON sla_timers
    (tenant_namespace, due_at, customer_id, image_id, advisory_id, clock, stopped_at)
    WHERE stopped_at IS NOT NULL;
CREATE INDEX sla_timers_was_late ON sla_timers
    (due_at, customer_id, image_id, advisory_id, clock, stopped_at)
    WHERE stopped_at > due_at;
-- And what it found is read back by the instants at which it did: of all, and for a customer's
-- notification.
CREATE INDEX sla_timers_opened ON sla_timers (opened_at);
CREATE INDEX sla_timers_critical ON sla_timers (customer_id, opened_at)
    WHERE clock = 'customer' AND severity = 'critical';
CREATE INDEX sla_timers_stopped ON sla_timers (stopped_at, customer_id, image_id, advisory_id, clock)
    WHERE stopped_at IS NOT NULL;
CREATE INDEX sla_timers_warned ON sla_timers (warned_at, customer_id) WHERE warned_at IS NOT NULL;
CREATE INDEX sla_timers_tenant_stopped ON sla_timers
    (tenant_namespace, stopped_at, customer_id, image_id, advisory_id, clock)
    WHERE stopped_at IS NOT NULL;

CREATE TABLE sla_violations (
    customer_id      bigint NOT NULL,
    image_id         bigint NOT NULL,
    advisory_id      bigint NOT NULL,
    clock            text NOT NULL CHECK (clock IN ('provider', 'customer')),
    tenant_namespace text NOT NULL,
    severity         text NOT NULL,
    due_at           timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL CHECK (recorded_at >= due_at),   -- the evaluation that saw it
    resolved_at      timestamptz,
    resolution_recorded_at timestamptz,                                   -- the evaluation that saw it resolved
    PRIMARY KEY (customer_id, image_id, advisory_id, clock),
    FOREIGN KEY (customer_id, image_id, advisory_id, clock)
        REFERENCES sla_timers (customer_id, image_id, advisory_id, clock)
);
CREATE INDEX sla_violations_tenant ON sla_violations
    (tenant_namespace, recorded_at, customer_id, image_id, advisory_id, clock);
CREATE INDEX sla_violations_open ON sla_violations
    (recorded_at, customer_id, image_id, advisory_id, clock) WHERE resolved_at IS NULL;
CREATE INDEX sla_violations_recorded ON sla_violations
    (recorded_at, customer_id, image_id, advisory_id, clock);
CREATE INDEX sla_violations_severity ON sla_violations
    (severity, recorded_at, customer_id, image_id, advisory_id, clock);
CREATE INDEX sla_violations_resolution ON sla_violations (resolution_recorded_at, customer_id)
    WHERE resolution_recorded_at IS NOT NULL;

CREATE TABLE notifications (
    id               bigint PRIMARY KEY,                                   -- the fact's seq
    tenant_namespace text NOT NULL,
    customer_id      bigint REFERENCES customers,
    kind             text NOT NULL CHECK (kind IN
                       ('build_failed', 'critical_cve', 'sla_at_risk', 'sla_breached', 'sla_resolved')),
    at               timestamptz NOT NULL,
    items            integer NOT NULL CHECK (items > 0),
    subject          text NOT NULL,
    body             jsonb NOT NULL
);
CREATE INDEX notifications_tenant ON notifications (tenant_namespace, id);
CREATE INDEX notifications_kind ON notifications (kind, id);
CREATE INDEX notifications_tenant_kind ON notifications (tenant_namespace, kind, id);
