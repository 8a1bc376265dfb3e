-- Timers that stop in ($1, $2], by what changed then: findings resolved, findings judged, versions
-- adopted. One that stops late is breached in passing; one that was breached is resolved.
WITH judged AS (
    SELECT image_id, advisory_id, at FROM triages WHERE at > $1 AND at <= $2
),
settled AS (
    SELECT DISTINCT c.image_id, c.advisory_id
    FROM (SELECT image_id, advisory_id FROM cve_findings
          WHERE resolved_at > $1 AND resolved_at <= $2 AND detected_at <= $2
          UNION ALL
          SELECT image_id, advisory_id FROM judged) c
    WHERE EXISTS (SELECT FROM sla_timers t
                  WHERE t.image_id = c.image_id AND t.advisory_id = c.advisory_id
                    AND t.stopped_at IS NULL AND t.clock = 'provider')
),
-- The provider is done when no finding is left of all that were ever made on the image.
provided AS (
    SELECT s.image_id, s.advisory_id, max(least(f.resolved_at, j.at)) AS at, max(j.at) AS judged_at
    FROM settled s
    JOIN cve_findings f ON f.advisory_id = s.advisory_id AND f.image_id = s.image_id
                       AND f.detected_at <= $2
    LEFT JOIN triages j ON j.image_id = s.image_id AND j.advisory_id = s.advisory_id AND j.at <= $2
    GROUP BY s.image_id, s.advisory_id
    HAVING bool_and(coalesce(least(f.resolved_at, j.at) <= $2, false))
),
-- The customer is done with the first clean version that runs, if a clean one still runs at $2.
moved AS (
    SELECT t.customer_id, t.image_id, t.advisory_id,
           (SELECT min(u.valid_from) FROM customer_image_usage u
            WHERE u.customer_id = t.customer_id AND u.image_id = t.image_id
              AND u.valid_from > greatest($1, t.opened_at) AND u.valid_from <= $2
              AND NOT EXISTS (SELECT FROM cve_findings f
                              WHERE f.image_id = u.image_id AND f.version = u.version
                                AND f.advisory_id = t.advisory_id AND f.detected_at <= $2)) AS left_at,
           EXISTS (SELECT FROM customer_image_usage u
                   WHERE u.customer_id = t.customer_id AND u.image_id = t.image_id
                     AND u.valid_from <= $2 AND (u.valid_to IS NULL OR u.valid_to > $2)
                     AND NOT EXISTS (SELECT FROM cve_findings f
                                     WHERE f.image_id = u.image_id AND f.version = u.version
                                       AND f.advisory_id = t.advisory_id AND f.detected_at <= $2))
               AS clean
    FROM (SELECT DISTINCT customer_id, image_id FROM customer_image_usage
          WHERE valid_from > $1 AND valid_from <= $2 AND valid_from > used_since) m
    JOIN sla_timers t ON t.customer_id = m.customer_id AND t.image_id = m.image_id
                     AND t.clock = 'customer' AND t.stopped_at IS NULL
),
adopted AS (
    SELECT t.customer_id, t.image_id, t.advisory_id, least(m.left_at, j.at) AS at, j.at AS judged_at
    FROM (SELECT customer_id, image_id, advisory_id FROM moved WHERE clean AND left_at IS NOT NULL
          UNION
          SELECT t.customer_id, t.image_id, t.advisory_id FROM judged j
          JOIN sla_timers t ON t.image_id = j.image_id AND t.advisory_id = j.advisory_id
                           AND t.clock = 'customer' AND t.stopped_at IS NULL) t
    LEFT JOIN moved m ON m.customer_id = t.customer_id AND m.image_id = t.image_id
                     AND m.advisory_id = t.advisory_id
    LEFT JOIN judged j ON j.image_id = t.image_id AND j.advisory_id = t.advisory_id
),
stops AS (
    SELECT t.customer_id, t.image_id, t.advisory_id, t.clock, p.at,
           CASE WHEN p.at = p.judged_at THEN 'not_affected' ELSE 'fixed' END AS reason
    FROM provided p
    JOIN sla_timers t ON t.image_id = p.image_id AND t.advisory_id = p.advisory_id
                     AND t.clock = 'provider' AND t.stopped_at IS NULL
    UNION ALL
    SELECT customer_id, image_id, advisory_id, 'customer', at,
           CASE WHEN at = judged_at THEN 'not_affected' ELSE 'adopted' END
    FROM adopted
),
stopped AS (
    UPDATE sla_timers t
    SET stopped_at = s.at,
        stop_reason = s.reason,
        -- A clock that would have started after the stop never ran.
        started_at = CASE WHEN t.started_at < s.at THEN t.started_at END,
        warn_at = CASE WHEN t.started_at < s.at THEN t.warn_at END,
        due_at = CASE WHEN t.started_at < s.at THEN t.due_at END,
        breached_at = CASE WHEN t.breached_at IS NULL AND NOT t.excluded AND t.due_at < s.at THEN $2
                           ELSE t.breached_at END
    FROM stops s
    WHERE t.customer_id = s.customer_id AND t.image_id = s.image_id
      AND t.advisory_id = s.advisory_id AND t.clock = s.clock
    RETURNING t.*
),
late AS (
    INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace,
                                severity, due_at, recorded_at, resolved_at, resolution_recorded_at)
    SELECT customer_id, image_id, advisory_id, clock, tenant_namespace, severity, due_at,
           breached_at, stopped_at, $2
    FROM stopped WHERE breached_at = $2
    ON CONFLICT DO NOTHING
)
UPDATE sla_violations v
SET resolved_at = s.stopped_at, resolution_recorded_at = $2
FROM stopped s
WHERE s.breached_at < $2 AND v.customer_id = s.customer_id AND v.image_id = s.image_id
  AND v.advisory_id = s.advisory_id AND v.clock = s.clock
