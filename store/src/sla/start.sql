-- Timers that stood still for want of a fix start when it is there: in ($1, $2].
UPDATE sla_timers t
SET started_at = s.started_at,
    due_at = s.due_at,
    warn_at = sla_warn(s.started_at, s.due_at, s.warn_permille)
FROM (
    SELECT w.customer_id, w.image_id, w.advisory_id, w.clock, p.warn_permille,
           greatest(w.counts_from, a.fix_available_at) AS started_at,
           sla_due(greatest(w.counts_from, a.fix_available_at), sla_days(p, w.severity), p.calendar)
               AS due_at
    FROM advisories a
    JOIN sla_timers w ON w.advisory_id = a.id AND w.started_at IS NULL AND w.stopped_at IS NULL
    JOIN sla_policies p ON p.id = w.policy_id
    WHERE a.fix_available_at > $1 AND a.fix_available_at <= $2
) s
WHERE t.customer_id = s.customer_id AND t.image_id = s.image_id
  AND t.advisory_id = s.advisory_id AND t.clock = s.clock
