-- Service levels of kernel version 2 (docs/model.md): exposures are episodes, warnings count the days
-- of the promise, and whether an advisory is a mass event is decided once. Rows of kernel version 1
-- stay as they are: there, no second episode was owed.

ALTER TABLE sla_policies ADD COLUMN on_reexposure text NOT NULL DEFAULT 'ignore'
    CHECK (on_reexposure IN ('continue', 'restart', 'ignore'));

ALTER TABLE sla_violations DROP CONSTRAINT sla_violations_customer_id_image_id_advisory_id_clock_fkey;
ALTER TABLE sla_violations DROP CONSTRAINT sla_violations_pkey;
ALTER TABLE sla_timers DROP CONSTRAINT sla_timers_pkey;

ALTER TABLE sla_timers
    ADD COLUMN episode   integer NOT NULL DEFAULT 1 CHECK (episode > 0),
    ADD COLUMN undecided boolean NOT NULL DEFAULT false,                   -- whether it is a mass event
    ADD PRIMARY KEY (customer_id, image_id, advisory_id, clock, episode)
        INCLUDE (tenant_namespace, opened_at, excluded, started_at, warn_at, due_at, stopped_at);
ALTER TABLE sla_violations
    ADD COLUMN episode   integer NOT NULL DEFAULT 1 CHECK (episode > 0),
    ADD PRIMARY KEY (customer_id, image_id, advisory_id, clock, episode),
    ADD FOREIGN KEY (customer_id, image_id, advisory_id, clock, episode)
        REFERENCES sla_timers (customer_id, image_id, advisory_id, clock, episode);

-- Nothing is said of a timer before it is decided whether its advisory is a mass event.
DROP INDEX sla_timers_due;
CREATE INDEX sla_timers_due ON sla_timers (due_at)
    WHERE stopped_at IS NULL AND breached_at IS NULL AND NOT excluded AND NOT undecided;
DROP INDEX sla_timers_warn;
CREATE INDEX sla_timers_warn ON sla_timers (warn_at)
    WHERE stopped_at IS NULL AND warned_at IS NULL AND NOT excluded AND NOT undecided;
CREATE INDEX sla_timers_undecided ON sla_timers (advisory_id) WHERE undecided;
CREATE INDEX sla_timers_excluded ON sla_timers (advisory_id, policy_id) WHERE excluded;

-- Whether a policy's clause about mass events excludes an advisory, and from what that follows.
CREATE TABLE mass_event_decisions (
    advisory_id bigint NOT NULL REFERENCES advisories,
    policy_id   bigint NOT NULL REFERENCES sla_policies,
    decided_at  timestamptz NOT NULL,                                      -- the evaluation
    images_hit  integer NOT NULL,                                          -- on which it had been found
    images      integer NOT NULL,                                          -- that had a version
    excluded    boolean NOT NULL,
    PRIMARY KEY (advisory_id, policy_id)
);
CREATE INDEX mass_event_decisions_decided ON mass_event_decisions (decided_at);
-- (How many images there are counts those of all tenants.)
GRANT SELECT ON mass_event_decisions TO wavetank_platform;
GRANT SELECT (advisory_id, policy_id, decided_at, excluded) ON mass_event_decisions TO wavetank_tenant;

ALTER TABLE build_events DROP CONSTRAINT build_events_trigger_check;
ALTER TABLE build_events ADD CONSTRAINT build_events_trigger_check CHECK (trigger IN
    ('cve_fix', 'manual', 'upstream', 'base_change', 'cron', 'retry', 'bootstrap'));

-- The first instant, not before it starts, at which a promise has used up so many thousandths of its
-- days: of 24 hours each, or from Monday to Friday (UTC). Counted forward, weekend by weekend.
CREATE FUNCTION sla_warn(started timestamptz, days integer, calendar text, warn_permille integer)
    RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    day_ms   CONSTANT bigint := 86400000;
    at       bigint := sim_ms(started);
    budget   bigint := days * day_ms * warn_permille / 1000;
    into_week bigint;                                                      -- since Monday 00:00
    weeks    bigint;
BEGIN
    IF calendar = 'calendar' OR budget = 0 THEN
        RETURN sim_instant(at + budget);
    ELSIF calendar <> 'business' THEN
        RAISE EXCEPTION 'unknown calendar %', calendar;
    END IF;
    weeks := (budget - 1) / (5 * day_ms);                                  -- whole ones before the last
    at := at + weeks * 7 * day_ms;
    budget := budget - weeks * 5 * day_ms;
    into_week := ((at - 4 * day_ms) % (7 * day_ms) + 7 * day_ms) % (7 * day_ms);
    IF into_week >= 5 * day_ms THEN                                        -- stands until Monday
        at := at + 7 * day_ms - into_week;
        into_week := 0;
    END IF;
    IF into_week + budget > 5 * day_ms THEN                                -- over the weekend
        at := at + 2 * day_ms;
    END IF;
    RETURN sim_instant(at + budget);
END
$$;
DROP FUNCTION sla_warn(timestamptz, timestamptz, integer);
