-- Two secrets of a webhook endpoint may hold at once, so that its owner can put a new one in the
-- place of the old one without losing a message.
--
-- The API's roles cannot read what messages are signed with (20260105000910_webhook_grants.sql):
-- a trigger keeps the old secret, and only whoever owns the tables can read it.

ALTER TABLE webhook_endpoints
    ADD COLUMN previous_secret            text CHECK (previous_secret ~ '^whsec_'),
    -- Until then messages are signed with both.
    ADD COLUMN previous_secret_until_wall timestamptz,
    ADD CHECK ((previous_secret IS NULL) = (previous_secret_until_wall IS NULL));

CREATE FUNCTION keep_previous_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.previous_secret :=
        CASE WHEN NEW.previous_secret_until_wall IS NOT NULL THEN OLD.secret END;
    RETURN NEW;
END
$$;

CREATE TRIGGER webhook_endpoints_secret BEFORE UPDATE OF secret ON webhook_endpoints
    FOR EACH ROW EXECUTE FUNCTION keep_previous_secret();

GRANT SELECT (previous_secret_until_wall) ON webhook_endpoints
    TO wavetank_tenant, wavetank_platform;
