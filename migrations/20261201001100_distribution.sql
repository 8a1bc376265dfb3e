-- As whose packages scanners see those of the world (documents/src/distribution.rs). It follows from the
-- scenario, which the digest covers; worlds from before had a distribution of their own.
ALTER TABLE world ADD COLUMN distribution text NOT NULL DEFAULT 'wavetank'
    CHECK (distribution IN ('alpine', 'wolfi', 'wavetank'));
ALTER TABLE world ALTER COLUMN distribution DROP DEFAULT;
