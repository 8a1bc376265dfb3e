-- Objects of worlds that were replaced, until they are deleted. The new world may write an object
-- that the old one had: it takes the key out of here first.
CREATE TABLE obsolete_objects (
    key        text COLLATE "C" PRIMARY KEY,
    taken_wall timestamptz                                                -- a request to delete it is under way since
);
-- Whoever answers how far that is.
GRANT SELECT ON obsolete_objects TO wavetank_platform;

-- The old world's objects are recorded when the load is done, and deleted while the new one runs.
ALTER TABLE world_loads ADD COLUMN deleted_wall timestamptz;              -- the objects of the old world are gone
UPDATE world_loads SET deleted_wall = done_wall WHERE done_wall IS NOT NULL AND error IS NULL;
