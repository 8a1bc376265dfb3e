-- Timers that begin to exist in ($1, $2]: whose exposure began then, the first episode that is not
-- there yet of each. Everything starts from what was
-- found and what came into use then, so what happened before costs nothing. (OFFSET 0 keeps the
-- planner from turning a join around.)
WITH made AS MATERIALIZED (
    SELECT image_id, version, advisory_id, severity, detected_at, resolved_at
    FROM cve_findings WHERE detected_at > $1 AND detected_at <= $2
),
begun AS MATERIALIZED (
    SELECT customer_id, image_id, version, valid_from, valid_to, used_since
    FROM customer_image_usage WHERE valid_from > $1 AND valid_from <= $2
),
exposure AS (
    -- The customer clock: a finding on the very version that runs. A new finding ...
    SELECT u.customer_id, f.image_id, f.advisory_id, 'customer' AS clock, f.severity,
           greatest(f.detected_at, u.valid_from) AS opened_at, u.valid_from AS since
    FROM made f
    CROSS JOIN LATERAL (SELECT customer_id, valid_from FROM customer_image_usage
                        WHERE image_id = f.image_id AND version = f.version AND valid_from <= $2
                          AND (valid_to IS NULL OR valid_to > greatest(f.detected_at, valid_from))
                        OFFSET 0) u
    UNION ALL
    -- ... or a new use of a version with an old finding.
    SELECT u.customer_id, u.image_id, f.advisory_id, 'customer', f.severity, u.valid_from, u.valid_from
    FROM begun u
    CROSS JOIN LATERAL (SELECT advisory_id, severity FROM cve_findings
                        WHERE image_id = u.image_id AND version = u.version AND detected_at <= $1
                        OFFSET 0) f
    WHERE u.valid_to IS NULL OR u.valid_to > u.valid_from
    UNION ALL
    -- The provider clock: a finding on any version, for everybody who uses the image. A new
    -- finding ...
    SELECT u.customer_id, f.image_id, f.advisory_id, 'provider', f.severity,
           greatest(f.detected_at, u.used_since), u.used_since
    FROM made f
    CROSS JOIN LATERAL (SELECT customer_id, used_since FROM customer_image_usage
                        WHERE image_id = f.image_id AND valid_from = used_since AND used_since <= $2
                        OFFSET 0) u
    WHERE (f.resolved_at IS NULL OR f.resolved_at > greatest(f.detected_at, u.used_since))
      -- (A use may have ended before.)
      AND EXISTS (SELECT FROM customer_image_usage w
                  WHERE w.customer_id = u.customer_id AND w.image_id = f.image_id
                    AND w.used_since = u.used_since
                    AND w.valid_from <= greatest(f.detected_at, u.used_since)
                    AND (w.valid_to IS NULL OR w.valid_to > greatest(f.detected_at, u.used_since))
                  OFFSET 0)
    UNION ALL
    -- ... or a new customer of an image with an open one.
    SELECT u.customer_id, u.image_id, f.advisory_id, 'provider', f.severity, u.used_since, u.used_since
    FROM begun u
    CROSS JOIN LATERAL (SELECT advisory_id, severity FROM cve_findings
                        WHERE image_id = u.image_id AND detected_at <= $1
                          AND (resolved_at IS NULL OR resolved_at > u.used_since)
                        OFFSET 0) f
    WHERE u.valid_from = u.used_since
),
-- An exposure that began while the timer of an earlier one still ran belongs to it; after that it is
-- an episode of its own. What began first is one for all packages and versions.
fresh AS MATERIALIZED (
    SELECT DISTINCT ON (e.customer_id, e.image_id, e.advisory_id, e.clock) e.*,
           coalesce(b.episode, 0) + 1 AS episode, b.counts_from AS counted_from
    FROM exposure e
    LEFT JOIN LATERAL (SELECT t.episode, t.opened_at, t.stopped_at, t.counts_from FROM sla_timers t
                       WHERE t.customer_id = e.customer_id AND t.image_id = e.image_id
                         AND t.advisory_id = e.advisory_id AND t.clock = e.clock
                       ORDER BY t.episode DESC LIMIT 1) b ON true
    WHERE (b.episode IS NULL OR b.stopped_at <= e.opened_at AND b.opened_at < e.opened_at)
      AND NOT EXISTS (SELECT FROM triages j
                      WHERE j.image_id = e.image_id AND j.advisory_id = e.advisory_id
                        AND j.at <= e.opened_at OFFSET 0)
    ORDER BY e.customer_id, e.image_id, e.advisory_id, e.clock, e.opened_at
),
owed AS MATERIALIZED (
    SELECT f.*, c.tenant_namespace, c.policy_id, p.clock_start, p.calendar, p.warn_permille,
           p.exclude_over_permille, p.on_reexposure, sla_days(p, f.severity) AS days,
           p.clock_start = 'fix_available' OR p.pause_without_fix AS needs_fix,
           CASE WHEN a.fix_available_at <= $2 THEN a.fix_available_at END AS fixed_at,
           a.published_at
    FROM fresh f
    JOIN customers c ON c.id = f.customer_id
    JOIN sla_policies p ON p.id = c.policy_id
    JOIN advisories a ON a.id = f.advisory_id
    WHERE sla_days(p, f.severity) IS NOT NULL
      AND (f.episode = 1 OR p.on_reexposure <> 'ignore')
),
-- Each step below materialized, so that an instant is computed once a row.
placed AS MATERIALIZED (
    SELECT o.*, coalesce(d.excluded, false) AS excluded,
           o.exclude_over_permille IS NOT NULL AND d.excluded IS NULL AS undecided,
           CASE
               WHEN o.episode > 1 AND o.on_reexposure = 'continue' THEN o.counted_from
               WHEN o.clock_start = 'fix_available' THEN o.base
               WHEN o.clock_start = 'published' THEN greatest(o.base, o.published_at)
               -- (Of findings that the retention has removed, the first is remembered.)
               ELSE greatest(o.base, least(
                   (SELECT min(f.detected_at) FROM cve_findings f
                    WHERE f.advisory_id = o.advisory_id AND f.image_id = o.image_id),
                   (SELECT f.detected_at FROM first_findings f
                    WHERE f.image_id = o.image_id AND f.advisory_id = o.advisory_id)))
           END AS counts_from
    FROM (SELECT *, CASE WHEN episode = 1 THEN since ELSE opened_at END AS base FROM owed) o
    LEFT JOIN mass_event_decisions d ON d.advisory_id = o.advisory_id AND d.policy_id = o.policy_id
),
started AS MATERIALIZED (
    SELECT p.*, CASE WHEN NOT p.needs_fix THEN p.counts_from
                     WHEN p.fixed_at IS NOT NULL THEN greatest(p.counts_from, p.fixed_at)
                END AS started_at
    FROM placed p
)
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, episode, tenant_namespace,
                        policy_id, severity, opened_at, excluded, undecided, counts_from, started_at,
                        warn_at, due_at)
SELECT customer_id, image_id, advisory_id, clock, episode, tenant_namespace, policy_id, severity,
       opened_at, excluded, undecided, counts_from, started_at,
       sla_warn(started_at, days, calendar, warn_permille), sla_due(started_at, days, calendar)
FROM started
ON CONFLICT DO NOTHING
