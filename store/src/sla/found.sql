-- What the evaluation of ($1, $2] found, read back by the instants it wrote: the same for a
-- repeated evaluation as for the first.
SELECT 'opened' AS list, customer_id, image_id, advisory_id, clock
FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2
UNION ALL
SELECT 'excluded', customer_id, image_id, advisory_id, clock
FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2 AND excluded
UNION ALL
SELECT 'stopped', customer_id, image_id, advisory_id, clock
FROM sla_timers WHERE stopped_at > $1 AND stopped_at <= $2
UNION ALL
SELECT 'at_risk', customer_id, image_id, advisory_id, clock FROM sla_timers WHERE warned_at = $2
UNION ALL
SELECT 'breached', customer_id, image_id, advisory_id, clock FROM sla_violations WHERE recorded_at = $2
UNION ALL
SELECT 'resolved', customer_id, image_id, advisory_id, clock
FROM sla_violations WHERE resolution_recorded_at = $2
