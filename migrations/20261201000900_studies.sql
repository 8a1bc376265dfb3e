-- Studies that are asked for over the API (jobs/src/studies.rs). They are no part of a world: they need
-- none, outlive it, and lie outside its digest, its retention and its replacement. So all their instants
-- are of the wall clock.

CREATE TABLE studies (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    title          text NOT NULL,
    status         text NOT NULL DEFAULT 'queued'
                   CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    study          text NOT NULL,                                          -- as it was written
    scenarios      json NOT NULL,                                          -- [{name, text}] as they were loaded
    seed           bigint NOT NULL,                                        -- 64 bits
    kernel_version text,                                                   -- of the kernel that plays it; null: not begun
    done           bigint NOT NULL DEFAULT 0 CHECK (done >= 0),            -- replications that count
    expected       bigint NOT NULL CHECK (expected >= 0),                  -- about how many there will be
    requested_by   text NOT NULL,
    obstacle       text,                                                   -- what it waits for, that somebody should see to
    error          text,                                                   -- why it failed
    summary        json,                                                   -- the answers, and the arms in short
    created_wall   timestamptz NOT NULL DEFAULT now(),
    started_wall   timestamptz,
    ended_wall     timestamptz,
    deleted_wall   timestamptz,                                            -- its documents are still to be deleted
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_wall IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((status = 'completed') = (summary IS NOT NULL))
);
CREATE INDEX studies_open ON studies (id) WHERE ended_wall IS NULL OR deleted_wall IS NOT NULL;
CREATE INDEX studies_listed ON studies (id) WHERE deleted_wall IS NULL;
CREATE INDEX studies_status ON studies (status, id) WHERE deleted_wall IS NULL;

-- Documents of studies that have completed.
CREATE TABLE study_documents (
    study_id   bigint NOT NULL REFERENCES studies ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('result', 'report', 'replications')),
    object_key text NOT NULL,
    sha256     text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),            -- of the document, unpacked
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (study_id, kind)
);

-- The batches of studies that run, in the order in which they count. They are deleted when it ends.
CREATE TABLE study_parts (
    study_id      bigint NOT NULL REFERENCES studies ON DELETE CASCADE,
    round         integer NOT NULL CHECK (round >= 0),
    place         integer NOT NULL CHECK (place >= 0),                     -- within the round
    batch         text NOT NULL,                                           -- what is to be played, as JSON
    outcome       bytea,                                                   -- what came of it; null: not played yet
    begun         integer NOT NULL DEFAULT 0,                              -- attempts that began and were not given up
    task          text,                                                    -- the latest delivery in apalis.jobs
    enqueued_wall timestamptz,                                             -- when that was made
    PRIMARY KEY (study_id, round, place)
);
CREATE INDEX study_parts_open ON study_parts (study_id, round, place) WHERE outcome IS NULL;
CREATE INDEX study_parts_task ON study_parts (task) WHERE outcome IS NULL;
ALTER TABLE study_parts ALTER COLUMN outcome SET STORAGE EXTERNAL;         -- it is compressed already

-- Studies are the platform's: its keys start and read them, tenants' do not (docs/security.md).
GRANT SELECT, INSERT ON studies TO wavetank_platform;
GRANT UPDATE (status, ended_wall, deleted_wall) ON studies TO wavetank_platform;
GRANT SELECT ON study_documents TO wavetank_platform;
