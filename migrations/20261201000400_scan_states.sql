-- When a version was scanned last, and when all versions in use were: what no scan has looked at is
-- unknown, not clean. The facts are on the timeline; these find them there.

-- A pass over all versions in use is about no image; another scan is about one.
CREATE INDEX timeline_scans ON timeline (image_id, at) WHERE kind = 'scanned';
-- (A scheduled pass that found a single version in use is on the timeline as about its image.)
CREATE INDEX timeline_scan_passes ON timeline (at)
    WHERE kind = 'scanned' AND (image_id IS NULL OR data ->> 'trigger' = 'scheduled');

-- The last scan of a version by an instant whose results are stored; null: there is none yet. A
-- version is scanned when it is pushed, and by the later scans as long as it is in use: until it is
-- superseded and the last of all customers has left it. (So it looks at the uses of all tenants, and
-- tells an instant alone. A scan on push is of the version that was pushed, not of those before.)
CREATE FUNCTION scanned_at(image bigint, number integer, published timestamptz,
                           superseded timestamptz, instant timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    RETURN (
        SELECT max(s.at)
        FROM (SELECT least(instant, w.materialized_through) AS through,
                     CASE WHEN superseded IS NULL OR superseded > instant THEN 'infinity'
                          ELSE greatest(superseded, (
                              SELECT max(coalesce(u.valid_to, 'infinity'))
                              FROM customer_image_usage u
                              WHERE u.image_id = image AND u.version = number
                                AND u.valid_from <= instant)) END AS until
              FROM world w) used
        CROSS JOIN LATERAL (
            (SELECT t.at FROM timeline t
             WHERE t.kind = 'scanned' AND t.image_id = image
               AND t.at BETWEEN published AND used.through AND t.at < used.until
               AND (t.data ->> 'trigger' <> 'push' OR t.at = published)
             ORDER BY t.at DESC LIMIT 1)
            UNION ALL
            (SELECT t.at FROM timeline t
             WHERE t.kind = 'scanned' AND t.image_id IS NULL
               AND t.at BETWEEN published AND used.through AND t.at < used.until
             ORDER BY t.at DESC LIMIT 1)) s);

-- The last pass over all versions in use by an instant whose results are stored: an advisory that
-- scanners could see by then has been looked for on everything that was in use since. (What is
-- published later is scanned when it is pushed.)
CREATE FUNCTION scan_pass_at(instant timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    RETURN (
        SELECT t.at FROM timeline t
        WHERE t.kind = 'scanned' AND (t.image_id IS NULL OR t.data ->> 'trigger' = 'scheduled')
          AND t.at <= least(instant, (SELECT w.materialized_through FROM world w))
        ORDER BY t.at DESC LIMIT 1);
