-- Timers that still run at $2 and used up the policy's warning share in ($1, $2], or that opened in
-- it with the share used up already.
WITH due AS MATERIALIZED (
    SELECT customer_id, image_id, advisory_id, clock FROM sla_timers
    WHERE warn_at > $1 AND warn_at <= $2
      AND stopped_at IS NULL AND warned_at IS NULL AND NOT excluded
    UNION ALL
    SELECT customer_id, image_id, advisory_id, clock
    FROM (SELECT * FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2 OFFSET 0) fresh
    WHERE warn_at <= $1 AND stopped_at IS NULL AND warned_at IS NULL AND NOT excluded
)
UPDATE sla_timers t SET warned_at = $2
FROM due d
WHERE t.customer_id = d.customer_id AND t.image_id = d.image_id
  AND t.advisory_id = d.advisory_id AND t.clock = d.clock
