-- Timers that stop in ($1, $2], by what changed then: findings resolved, findings judged, versions
-- adopted. One that stops late is breached in passing; one that was breached is resolved. (OFFSET 0
-- keeps the planner from turning a join around.)
WITH judged AS MATERIALIZED (
    SELECT image_id, advisory_id, at FROM triages WHERE at > $1 AND at <= $2
),
resolved AS MATERIALIZED (
    SELECT DISTINCT image_id, advisory_id, resolved_at AS at FROM cve_findings
    WHERE resolved_at > $1 AND resolved_at <= $2
),
moments AS (
    SELECT c.image_id, c.advisory_id, c.at, j.at AS judged_at
    FROM (SELECT * FROM resolved UNION SELECT * FROM judged) c
    LEFT JOIN triages j ON j.image_id = c.image_id AND j.advisory_id = c.advisory_id
                       AND j.at <= c.at
    WHERE EXISTS (SELECT FROM sla_timers t
                  WHERE t.image_id = c.image_id AND t.advisory_id = c.advisory_id
                    AND t.stopped_at IS NULL AND t.clock = 'provider' OFFSET 0)
),
-- The provider is done at the first instant at which none is left of the findings made by then.
cleared AS MATERIALIZED (
    SELECT m.image_id, m.advisory_id, m.at, m.judged_at
    FROM moments m
    WHERE m.judged_at IS NOT NULL
       OR NOT EXISTS (SELECT FROM cve_findings f
                      WHERE f.advisory_id = m.advisory_id AND f.image_id = m.image_id
                        AND f.detected_at <= m.at
                        AND (f.resolved_at IS NULL OR f.resolved_at > m.at))
),
-- The customer is done with the first version adopted that is not known to be affected ...
begun AS MATERIALIZED (
    SELECT customer_id, image_id, version, valid_from FROM customer_image_usage
    WHERE valid_from > $1 AND valid_from <= $2 AND valid_from > used_since
),
adopted AS MATERIALIZED (
    SELECT u.customer_id, u.image_id, t.advisory_id, t.episode, u.valid_from AS at
    FROM begun u
    CROSS JOIN LATERAL (SELECT advisory_id, episode FROM sla_timers
                        WHERE customer_id = u.customer_id AND image_id = u.image_id
                          AND clock = 'customer' AND stopped_at IS NULL AND opened_at < u.valid_from
                        OFFSET 0) t
    WHERE NOT EXISTS (SELECT FROM cve_findings f
                      WHERE f.image_id = u.image_id AND f.version = u.version
                        AND f.advisory_id = t.advisory_id AND f.detected_at <= u.valid_from
                      OFFSET 0)
),
-- A customer that no longer uses the image is done with it, and the provider with the customer.
left_at AS MATERIALIZED (
    SELECT customer_id, image_id, valid_to AS at FROM customer_image_usage u
    WHERE valid_to > $1 AND valid_to <= $2
      AND NOT EXISTS (SELECT FROM customer_image_usage n
                      WHERE n.customer_id = u.customer_id AND n.image_id = u.image_id
                        AND n.valid_from = u.valid_to AND n.used_since < n.valid_from
                      OFFSET 0)
),
stops AS MATERIALIZED (
    SELECT DISTINCT ON (customer_id, image_id, advisory_id, clock, episode) *
    FROM (
        SELECT t.customer_id, c.image_id, c.advisory_id, 'provider' AS clock, t.episode,
               c.at,
               CASE WHEN c.at = c.judged_at THEN 'not_affected' ELSE 'fixed' END AS reason
        FROM cleared c
        CROSS JOIN LATERAL (SELECT customer_id, episode FROM sla_timers
                            WHERE image_id = c.image_id AND advisory_id = c.advisory_id
                              AND clock = 'provider' AND stopped_at IS NULL AND opened_at < c.at
                            OFFSET 0) t
        UNION ALL
        SELECT customer_id, image_id, advisory_id, 'customer', episode, at, 'adopted' FROM adopted
        UNION ALL
        SELECT l.customer_id, l.image_id, t.advisory_id, t.clock, t.episode, l.at, 'ended'
        FROM left_at l
        CROSS JOIN LATERAL (SELECT advisory_id, clock, episode FROM sla_timers
                            WHERE customer_id = l.customer_id AND image_id = l.image_id
                              AND stopped_at IS NULL AND opened_at < l.at
                            OFFSET 0) t
        UNION ALL
        -- ... or when somebody judged that no version is.
        SELECT t.customer_id, j.image_id, j.advisory_id, 'customer', t.episode, j.at, 'not_affected'
        FROM judged j
        CROSS JOIN LATERAL (SELECT customer_id, episode FROM sla_timers
                            WHERE image_id = j.image_id AND advisory_id = j.advisory_id
                              AND clock = 'customer' AND stopped_at IS NULL
                            OFFSET 0) t
    ) s
    ORDER BY customer_id, image_id, advisory_id, clock, episode, at, reason DESC
),
stopped AS (
    UPDATE sla_timers t
    SET stopped_at = s.at,
        stop_reason = s.reason,
        -- A clock that would have started after the stop never ran.
        started_at = CASE WHEN t.started_at < s.at THEN t.started_at END,
        warn_at = CASE WHEN t.started_at < s.at THEN t.warn_at END,
        due_at = CASE WHEN t.started_at < s.at THEN t.due_at END,
        breached_at = CASE WHEN t.breached_at IS NULL AND NOT t.excluded AND NOT t.undecided
                                AND t.due_at < s.at THEN $2
                           ELSE t.breached_at END
    FROM stops s
    WHERE t.customer_id = s.customer_id AND t.image_id = s.image_id
      AND t.advisory_id = s.advisory_id AND t.clock = s.clock AND t.episode = s.episode
    RETURNING t.*
),
late AS (
    INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, episode, tenant_namespace,
                                severity, due_at, recorded_at, resolved_at, resolution_recorded_at)
    SELECT customer_id, image_id, advisory_id, clock, episode, tenant_namespace, severity, due_at,
           breached_at, stopped_at, $2
    FROM stopped WHERE breached_at = $2
    ON CONFLICT DO NOTHING
)
UPDATE sla_violations v
SET resolved_at = s.stopped_at, resolution_recorded_at = $2
FROM stopped s
WHERE s.breached_at < $2 AND v.customer_id = s.customer_id AND v.image_id = s.image_id
  AND v.advisory_id = s.advisory_id AND v.clock = s.clock AND v.episode = s.episode
