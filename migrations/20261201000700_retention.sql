-- How a world that runs for ever stays small: what its retention has removed (store/src/retention.rs).
-- All of it follows from what the digest covers, and lies outside it.

-- How long history is kept, in simulated milliseconds; null: for ever.
ALTER TABLE world ADD COLUMN keep_ms bigint CHECK (keep_ms >= 86400000);

-- Each run of the retention, and what it removed.
CREATE TABLE retention_runs (
    at             timestamptz PRIMARY KEY,                                -- the simulated instant of the run
    history_from   timestamptz NOT NULL CHECK (history_from <= at),        -- what ended up to here is gone
    removed        jsonb NOT NULL,                                         -- rows by table
    removed_rows   bigint NOT NULL CHECK (removed_rows >= 0),              -- in all of them
    objects        bigint NOT NULL CHECK (objects >= 0),                   -- that no kept row names any more
    document_bytes bigint NOT NULL CHECK (document_bytes >= 0),            -- of those whose size rows told
    done_wall      timestamptz                                             -- the objects are gone too
);

-- Leaves of the Merkle logs whose rows are gone: with them every root and proof stays what it was.
CREATE TABLE expired_leaves (
    log       text NOT NULL CHECK (log IN ('transparency', 'audit')),
    log_index bigint NOT NULL,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (log, log_index)
);

-- Objects that no row names any more: to be deleted, and then remembered for as long as history is
-- kept, so that who asks for one is told that it was there.
CREATE TABLE expired_objects (
    object_key       text PRIMARY KEY,
    tenant_namespace text NOT NULL,
    expired_at       timestamptz NOT NULL,                                 -- the run that removed its rows
    deleted_wall     timestamptz
);
CREATE INDEX expired_objects_waiting ON expired_objects (object_key) WHERE deleted_wall IS NULL;
CREATE INDEX expired_objects_tenant ON expired_objects (tenant_namespace, object_key);

-- When an advisory was first found on an image, of findings that are gone: deadlines may count from it.
CREATE TABLE first_findings (
    image_id    bigint NOT NULL REFERENCES images,
    advisory_id bigint NOT NULL REFERENCES advisories,
    detected_at timestamptz NOT NULL,
    PRIMARY KEY (image_id, advisory_id)
);

-- Notifications that history no longer keeps and that webhook endpoints have yet to be told, or may be
-- told again. Only the dispatcher reads them.
CREATE TABLE owed_notifications (
    LIKE notifications INCLUDING CONSTRAINTS,
    PRIMARY KEY (id)
);
CREATE INDEX owed_notifications_tenant ON owed_notifications (tenant_namespace, id);

DO $$
DECLARE
    name text;
    own CONSTANT text :=
        'tenant_namespace = (SELECT nullif(current_setting(''wavetank.tenant'', true), ''''))';
    readable CONSTANT text :=
        'tenant_namespace = ANY ((SELECT string_to_array('
        'nullif(current_setting(''wavetank.tenant'', true), '''') || '',catalogue'', '',''))::text[])';
BEGIN
    FOREACH name IN ARRAY ARRAY['expired_objects', 'owed_notifications'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true)', name);
        EXECUTE format('CREATE POLICY platform ON %I TO wavetank_platform USING (true)', name);
        EXECUTE format('CREATE POLICY tenant_select ON %I FOR SELECT TO wavetank_tenant
                        USING (%s)', name, readable);
        EXECUTE format('CREATE POLICY tenant_insert ON %I FOR INSERT TO wavetank_tenant
                        WITH CHECK (%s)', name, own);
        EXECUTE format('CREATE POLICY tenant_update ON %I FOR UPDATE TO wavetank_tenant
                        USING (%s)', name, own);
        EXECUTE format('CREATE POLICY tenant_delete ON %I FOR DELETE TO wavetank_tenant
                        USING (%s)', name, own);
    END LOOP;
END
$$;
GRANT SELECT ON expired_objects, expired_leaves TO wavetank_tenant, wavetank_platform;
GRANT SELECT ON retention_runs TO wavetank_platform;
GRANT SELECT (at, history_from) ON retention_runs TO wavetank_tenant; -- how much others had is not theirs
