-- Timers that stood still for want of a fix start when it is there: in ($1, $2].
WITH fixed AS MATERIALIZED (
    SELECT id, fix_available_at FROM advisories
    WHERE fix_available_at > $1 AND fix_available_at <= $2
),
starting AS MATERIALIZED (
    SELECT w.customer_id, w.image_id, w.advisory_id, w.clock, w.episode, p.warn_permille, p.calendar,
           sla_days(p, w.severity) AS days, greatest(w.counts_from, f.fix_available_at) AS started_at
    FROM fixed f
    CROSS JOIN LATERAL (SELECT * FROM sla_timers
                        WHERE advisory_id = f.id AND started_at IS NULL AND stopped_at IS NULL
                        OFFSET 0) w
    JOIN sla_policies p ON p.id = w.policy_id
)
UPDATE sla_timers t
SET started_at = s.started_at,
    due_at = sla_due(s.started_at, s.days, s.calendar),
    warn_at = sla_warn(s.started_at, s.days, s.calendar, s.warn_permille)
FROM starting s
WHERE t.customer_id = s.customer_id AND t.image_id = s.image_id
  AND t.advisory_id = s.advisory_id AND t.clock = s.clock AND t.episode = s.episode
