-- What the evaluation of ($1, $2] found, read back by the instants it wrote: the same for a
-- repeated evaluation as for the first.
SELECT 'opened' AS list, customer_id, image_id, advisory_id, clock, episode
FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2
UNION ALL
-- Excluded: of those opened what had been decided before, and of all what was decided now.
SELECT 'excluded', t.customer_id, t.image_id, t.advisory_id, t.clock, t.episode
FROM (SELECT * FROM sla_timers WHERE opened_at > $1 AND opened_at <= $2 AND excluded OFFSET 0) t
CROSS JOIN LATERAL (SELECT decided_at FROM mass_event_decisions
                    WHERE advisory_id = t.advisory_id AND policy_id = t.policy_id OFFSET 0) d
WHERE d.decided_at <= $1
UNION ALL
SELECT 'excluded', t.customer_id, t.image_id, t.advisory_id, t.clock, t.episode
FROM (SELECT advisory_id, policy_id FROM mass_event_decisions
      WHERE decided_at = $2 AND excluded OFFSET 0) d
CROSS JOIN LATERAL (SELECT * FROM sla_timers
                    WHERE advisory_id = d.advisory_id AND policy_id = d.policy_id AND excluded
                    OFFSET 0) t
WHERE t.opened_at <= $2
UNION ALL
SELECT 'stopped', customer_id, image_id, advisory_id, clock, episode
FROM sla_timers WHERE stopped_at > $1 AND stopped_at <= $2
UNION ALL
SELECT 'at_risk', customer_id, image_id, advisory_id, clock, episode
FROM sla_timers WHERE warned_at = $2
UNION ALL
SELECT 'breached', customer_id, image_id, advisory_id, clock, episode
FROM sla_violations WHERE recorded_at = $2
UNION ALL
SELECT 'resolved', customer_id, image_id, advisory_id, clock, episode
FROM sla_violations WHERE resolution_recorded_at = $2
