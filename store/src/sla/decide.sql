-- Whether advisories that were first found in ($1 - 24 h, $2 - 24 h] are mass events, by the policies
-- that exclude those: more than a share of all images hit, by what has been found at $2. The timers
-- that had to wait for it are warned about or breached now, unless they are excluded.
WITH found AS MATERIALIZED (
    SELECT DISTINCT f.advisory_id FROM cve_findings f
    WHERE f.detected_at > $1 - interval '24 hours' AND f.detected_at <= $2 - interval '24 hours'
      AND EXISTS (SELECT FROM sla_policies p WHERE p.exclude_over_permille IS NOT NULL)
      AND NOT EXISTS (SELECT FROM mass_event_decisions d WHERE d.advisory_id = f.advisory_id OFFSET 0)
),
counted AS MATERIALIZED (
    SELECT a.advisory_id,
           (SELECT count(DISTINCT f.image_id) FROM cve_findings f
            WHERE f.advisory_id = a.advisory_id AND f.detected_at <= $2) AS images_hit,
           (SELECT count(*) FROM image_versions v
            WHERE v.version = 1 AND v.published_at <= $2) AS images
    FROM found a
    WHERE NOT EXISTS (SELECT FROM cve_findings f
                      WHERE f.advisory_id = a.advisory_id
                        AND f.detected_at <= $1 - interval '24 hours' OFFSET 0)
),
decided AS (
    INSERT INTO mass_event_decisions (advisory_id, policy_id, decided_at, images_hit, images, excluded)
    SELECT c.advisory_id, p.id, $2, c.images_hit, c.images,
           c.images_hit * 1000 > p.exclude_over_permille * c.images
    FROM counted c CROSS JOIN sla_policies p
    WHERE p.exclude_over_permille IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING advisory_id, policy_id, excluded
),
told AS (
    UPDATE sla_timers t
    SET excluded = d.excluded,
        undecided = false,
        warned_at = CASE WHEN NOT d.excluded AND t.stopped_at IS NULL
                              AND t.warn_at <= $2 AND t.due_at > $2 THEN $2 END,
        breached_at = CASE WHEN NOT d.excluded AND t.due_at <= $2
                                AND (t.stopped_at IS NULL OR t.stopped_at > t.due_at) THEN $2 END
    FROM decided d
    WHERE t.advisory_id = d.advisory_id AND t.policy_id = d.policy_id AND t.undecided
    RETURNING t.*
)
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, episode, tenant_namespace,
                            severity, due_at, recorded_at, resolved_at, resolution_recorded_at)
SELECT customer_id, image_id, advisory_id, clock, episode, tenant_namespace, severity, due_at, $2,
       stopped_at, CASE WHEN stopped_at IS NOT NULL THEN $2 END
FROM told WHERE breached_at = $2
ON CONFLICT DO NOTHING
