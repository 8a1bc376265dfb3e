-- What commands from outside bring into a world: whose they are, and uses that end.

-- Whom a command is about; what concerns the whole platform is the catalogue's.
ALTER TABLE commands ADD COLUMN tenant_namespace text NOT NULL DEFAULT 'catalogue';
CREATE INDEX commands_tenant ON commands (tenant_namespace, seq);
-- An external build is completed once; a completion that the world refused leaves room for another.
CREATE UNIQUE INDEX commands_completion ON commands (((command ->> 'build')::bigint))
    WHERE command ->> 'command' = 'complete_build' AND rejected IS NULL;
-- Incidents, the latest first, and those that wait before them (store/src/read/incidents.rs).
CREATE INDEX commands_incidents ON commands (applied_at, seq)
    WHERE command ->> 'command' IN ('disclose_advisory', 'builder_outage', 'tamper_attestation',
                                    'distrust_builder');

-- A judgement belongs to whom the image belongs (it follows from the image: outside the digest).
ALTER TABLE triages ADD COLUMN tenant_namespace text NOT NULL DEFAULT 'catalogue';

-- A customer that no longer uses an image is owed nothing more on it.
ALTER TABLE sla_timers DROP CONSTRAINT sla_timers_stop_reason_check;
ALTER TABLE sla_timers ADD CONSTRAINT sla_timers_stop_reason_check
    CHECK (stop_reason IN ('fixed', 'not_affected', 'adopted', 'ended'));
CREATE INDEX customer_image_usage_to ON customer_image_usage (valid_to) WHERE valid_to IS NOT NULL;
