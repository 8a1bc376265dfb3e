-- What the API's roles may do with webhooks (20260105000500_webhooks.sql), after row security is on.
-- Neither role can read what messages are signed with: the API writes it once, and only the
-- dispatcher, which owns the tables, uses it. The secrets of sources are read by the platform's
-- role, which checks signatures.
DO $$
DECLARE
    columns text;
BEGIN
    REVOKE SELECT ON webhook_endpoints, webhook_sources FROM wavetank_tenant, wavetank_platform;
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
    WHERE attrelid = 'webhook_endpoints'::regclass AND attnum > 0 AND attname <> 'secret';
    EXECUTE format('GRANT SELECT (%s) ON webhook_endpoints TO wavetank_tenant, wavetank_platform',
                   columns);
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
    WHERE attrelid = 'webhook_sources'::regclass AND attnum > 0 AND attname <> 'secret';
    EXECUTE format('GRANT SELECT (%s) ON webhook_sources TO wavetank_tenant', columns);
END
$$;
GRANT SELECT ON webhook_sources TO wavetank_platform;
GRANT INSERT, UPDATE, DELETE ON webhook_endpoints TO wavetank_tenant, wavetank_platform;
GRANT INSERT, UPDATE ON webhook_deliveries, webhook_sources TO wavetank_tenant, wavetank_platform;
GRANT INSERT ON webhook_receipts TO wavetank_tenant, wavetank_platform;
