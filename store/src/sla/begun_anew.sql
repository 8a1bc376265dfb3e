-- Whether an exposure whose timer stopped in ($1, $2] may have begun anew in it: the customer has moved
-- since, or a scan has found the advisory on the image.
SELECT EXISTS (
    SELECT FROM sla_timers t
    WHERE t.stopped_at > $1 AND t.stopped_at <= $2
      AND (EXISTS (SELECT FROM customer_image_usage u
                   WHERE u.customer_id = t.customer_id AND u.image_id = t.image_id
                     AND u.valid_from > t.stopped_at AND u.valid_from <= $2)
           OR EXISTS (SELECT FROM cve_findings f
                      WHERE f.advisory_id = t.advisory_id AND f.image_id = t.image_id
                        AND f.detected_at >= t.stopped_at AND f.detected_at <= $2)))
