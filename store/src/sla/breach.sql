-- Timers that still run past their deadline at $1.
WITH breached AS (
    UPDATE sla_timers SET breached_at = $1
    WHERE due_at <= $1 AND stopped_at IS NULL AND breached_at IS NULL AND NOT excluded
    RETURNING customer_id, image_id, advisory_id, clock, tenant_namespace, severity, due_at
)
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
                            due_at, recorded_at)
SELECT customer_id, image_id, advisory_id, clock, tenant_namespace, severity, due_at, $1
FROM breached
ON CONFLICT DO NOTHING
