-- Who may see and do what. It runs after all tables are there.
--
-- The program that conducts and works owns the tables. The API works in one of two other roles,
-- each only for the length of a transaction:
--   wavetank_tenant    sees the shared catalogue and the tenant named by the setting
--                      wavetank.tenant; without that setting, nothing
--   wavetank_platform  sees every tenant: for keys that belong to the platform itself
-- Neither owns anything, and both may write only what is granted below. All in this file lies
-- outside the digest.

-- Keys of people and programs. The secret's 256 bits are random, so one SHA-256 is enough.
CREATE TABLE api_keys (
    id               text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role             text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer', 'orchestrator')),
    tenant_namespace text CHECK (tenant_namespace <> 'catalogue'),         -- null: of the platform
    secret_sha256    bytea NOT NULL CHECK (length(secret_sha256) = 32),
    created_by       text NOT NULL,
    created_wall     timestamptz NOT NULL DEFAULT now(),
    expires_wall     timestamptz,
    last_used_wall   timestamptz,
    revoked_wall     timestamptz,
    CHECK (role <> 'admin' OR tenant_namespace IS NULL)
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_namespace, id);

-- What callers of the API did, or were refused. Written in the transaction of the deed.
CREATE TABLE actions (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_wall    timestamptz NOT NULL DEFAULT now(),
    at               timestamptz,                                          -- where the world stood
    actor            text NOT NULL,                                        -- the key's id, or who else
    role             text NOT NULL,
    tenant_namespace text,                                                 -- null: of the platform
    operation        text NOT NULL,
    object           text NOT NULL,
    outcome          text NOT NULL CHECK (outcome IN ('done', 'refused')),
    code             text,                                                 -- why it was refused
    request_id       text NOT NULL,
    CHECK ((outcome = 'refused') = (code IS NOT NULL))
);
CREATE INDEX actions_tenant ON actions (tenant_namespace, id);
CREATE INDEX actions_actor ON actions (actor, id);
CREATE INDEX actions_operation ON actions (operation, id);
CREATE INDEX actions_refused ON actions (id) WHERE outcome = 'refused';

-- Answers to requests with an Idempotency-Key, to be given again to whoever asks again.
CREATE TABLE idempotency_keys (
    api_key      text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),         -- method, path and body
    status       integer NOT NULL,
    location     text,
    body         text NOT NULL,
    created_wall timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (api_key, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_wall);

-- Roles belong to the whole server, so another database may have made them, even at this moment.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['wavetank_tenant', 'wavetank_platform'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'this user may not create the role %', role
                    USING HINT = format('Let an administrator run: CREATE ROLE %I NOLOGIN; '
                                        'GRANT %I TO %I;', role, role, current_user);
        END;
        IF NOT pg_has_role(current_user, role, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role);
        END IF;
    END LOOP;
END
$$;

-- Every table with a tenant_namespace, whoever reads it.
DO $$
DECLARE
    name text;
    own CONSTANT text :=
        'tenant_namespace = (SELECT nullif(current_setting(''wavetank.tenant'', true), ''''))';
    readable CONSTANT text :=
        'tenant_namespace = ANY ((SELECT string_to_array('
        'nullif(current_setting(''wavetank.tenant'', true), '''') || '',catalogue'', '',''))::text[])';
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_namespace'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
        ORDER BY c.relname
    LOOP
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
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO wavetank_tenant, wavetank_platform',
                   current_schema());
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO wavetank_tenant, wavetank_platform',
                   current_schema());
END
$$;

-- Secrets' hashes, answers of others, and the work behind the scenes are not for tenants.
REVOKE ALL ON api_keys, idempotency_keys, ledger, world_loads FROM wavetank_tenant;
-- The truth about findings is for exports alone.
REVOKE ALL ON false_positives FROM wavetank_tenant, wavetank_platform;
GRANT INSERT ON world_loads TO wavetank_platform;
GRANT INSERT ON commands, images, image_packages, build_events, actions TO wavetank_tenant, wavetank_platform;
GRANT INSERT ON idempotency_keys TO wavetank_tenant, wavetank_platform;
GRANT INSERT, UPDATE ON api_keys TO wavetank_platform;
GRANT UPDATE ON clock, ledger TO wavetank_platform;

-- The number of the next command counts the commands of all tenants.
CREATE FUNCTION next_command_seq() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    RETURN (SELECT coalesce(max(seq), 0) + 1 FROM commands);

-- The ordinal of the next image counts the images of all tenants.
CREATE FUNCTION next_image_id() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    RETURN (SELECT coalesce(max(id) + 1, 0) FROM images);
