-- Timers that still run at $2 and used up the policy's warning share in ($1, $2], or that opened in
-- it with the share used up already. One whose deadline has passed too is breached, which says it.
WITH due AS MATERIALIZED (
    SELECT customer_id, image_id, advisory_id, clock, episode FROM sla_timers
    WHERE warn_at > $1 AND warn_at <= $2 AND due_at > $2
      AND stopped_at IS NULL AND warned_at IS NULL AND NOT excluded AND NOT undecided
    UNION ALL
    SELECT customer_id, image_id, advisory_id, clock, episode
    FROM (SELECT * FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2 OFFSET 0) fresh
    WHERE warn_at <= $1 AND due_at > $2
      AND stopped_at IS NULL AND warned_at IS NULL AND NOT excluded AND NOT undecided
)
UPDATE sla_timers t SET warned_at = $2
FROM due d
WHERE t.customer_id = d.customer_id AND t.image_id = d.image_id
  AND t.advisory_id = d.advisory_id AND t.clock = d.clock AND t.episode = d.episode
  -- (Repeated after the decision about its mass event, this must not say what had to wait for it.)
  AND NOT EXISTS (SELECT FROM mass_event_decisions m
                  WHERE m.advisory_id = t.advisory_id AND m.policy_id = t.policy_id
                    AND m.decided_at > $2 OFFSET 0)
