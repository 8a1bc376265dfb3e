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
-- The provider is done at the first instant at which none is left of the findings made by then.
cleared AS (
    SELECT c.image_id, c.advisory_id, c.at, j.at AS judged_at
    FROM (SELECT DISTINCT s.image_id, s.advisory_id, least(f.resolved_at, j.at) AS at
          FROM settled s
          JOIN cve_findings f ON f.advisory_id = s.advisory_id AND f.image_id = s.image_id
          LEFT JOIN triages j ON j.image_id = s.image_id AND j.advisory_id = s.advisory_id) c
    LEFT JOIN triages j ON j.image_id = c.image_id AND j.advisory_id = c.advisory_id
                       AND j.at <= c.at
    WHERE c.at > $1 AND c.at <= $2
      AND (j.at IS NOT NULL
           OR NOT EXISTS (SELECT FROM cve_findings f
                          WHERE f.advisory_id = c.advisory_id AND f.image_id = c.image_id
                            AND f.detected_at <= c.at
                            AND (f.resolved_at IS NULL OR f.resolved_at > c.at)))
),
-- The customer is done with the first version adopted that is not known to be affected ...
adopted AS (
    SELECT t.customer_id, t.image_id, t.advisory_id, u.valid_from AS at
    FROM customer_image_usage u
    JOIN sla_timers t ON t.customer_id = u.customer_id AND t.image_id = u.image_id
                     AND t.clock = 'customer' AND t.stopped_at IS NULL
                     AND t.opened_at < u.valid_from
    WHERE u.valid_from > $1 AND u.valid_from <= $2
      AND NOT EXISTS (SELECT FROM cve_findings f
                      WHERE f.image_id = u.image_id AND f.version = u.version
                        AND f.advisory_id = t.advisory_id AND f.detected_at <= u.valid_from)
),
stops AS (
    SELECT DISTINCT ON (customer_id, image_id, advisory_id, clock) *
    FROM (
        SELECT t.customer_id, t.image_id, t.advisory_id, t.clock, c.at,
               CASE WHEN c.at = c.judged_at THEN 'not_affected' ELSE 'fixed' END AS reason
        FROM cleared c
        JOIN sla_timers t ON t.image_id = c.image_id AND t.advisory_id = c.advisory_id
                         AND t.clock = 'provider' AND t.stopped_at IS NULL
                         AND t.opened_at < c.at
        UNION ALL
        SELECT customer_id, image_id, advisory_id, 'customer', at, 'adopted' FROM adopted
        UNION ALL
        -- ... or when somebody judged that no version is.
        SELECT t.customer_id, t.image_id, t.advisory_id, t.clock, j.at, 'not_affected'
        FROM judged j
        JOIN sla_timers t ON t.image_id = j.image_id AND t.advisory_id = j.advisory_id
                         AND t.clock = 'customer' AND t.stopped_at IS NULL
    ) s
    ORDER BY customer_id, image_id, advisory_id, clock, at, reason DESC
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
