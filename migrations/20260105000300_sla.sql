-- The arithmetic of SLA deadlines, in one place: the evaluations and the API both read it here.
-- Everything is integer milliseconds; no session setting (time zone) can change a result.

CREATE FUNCTION sim_ms(at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (extract(epoch FROM at) * 1000)::bigint;

CREATE FUNCTION sim_instant(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN timestamptz '1970-01-01 00:00:00Z' + ms * interval '1 millisecond';

-- When a clock that started then, with so many days, is due. 'calendar': days of 24 hours.
-- 'business': the first instant at which that many days' worth of Monday to Friday (UTC) have
-- passed; a week is counted from Monday 1970-01-05, 4 days after the epoch.
CREATE FUNCTION sla_due(started timestamptz, days integer, calendar text) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    day_ms  CONSTANT bigint := 86400000;
    start   CONSTANT bigint := sim_ms(started) - 4 * day_ms;
    weeks   bigint;
    rest    bigint;
    target  bigint;
BEGIN
    IF calendar = 'calendar' THEN
        RETURN sim_instant(sim_ms(started) + days * day_ms);
    ELSIF calendar <> 'business' THEN
        RAISE EXCEPTION 'unknown calendar %', calendar;
    END IF;
    weeks := floor(start::numeric / (7 * day_ms));
    rest := start - weeks * 7 * day_ms;
    target := weeks * 5 * day_ms + least(rest, 5 * day_ms) + days * day_ms;
    weeks := floor(target::numeric / (5 * day_ms));
    rest := target - weeks * 5 * day_ms;
    IF rest = 0 THEN                                   -- the end of a Friday, not the Monday after
        weeks := weeks - 1;
        rest := 5 * day_ms;
    END IF;
    RETURN sim_instant(greatest(weeks * 7 * day_ms + rest, start) + 4 * day_ms);
END
$$;

-- When a timer is at risk: so many thousandths of the way to its deadline, cut to milliseconds.
CREATE FUNCTION sla_warn(started timestamptz, due timestamptz, warn_permille integer)
    RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN sim_instant(sim_ms(started) + (sim_ms(due) - sim_ms(started)) * warn_permille / 1000);

-- The days that a policy grants a severity; null: no deadline.
CREATE FUNCTION sla_days(policy sla_policies, severity text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE severity
        WHEN 'critical' THEN policy.critical_days
        WHEN 'high' THEN policy.high_days
        WHEN 'medium' THEN policy.medium_days
        WHEN 'low' THEN policy.low_days
    END;
