-- Rows name objects by their keys alone. An address with a bucket in it made the digest of a world
-- depend on what its operator had called the bucket.
ALTER TABLE sbom_records RENAME COLUMN uri TO object_key;
ALTER TABLE attestations RENAME COLUMN uri TO object_key;
ALTER TABLE attestation_replacements RENAME COLUMN uri TO object_key;
UPDATE sbom_records SET object_key = regexp_replace(object_key, '^s3://[^/]*/', '')
    WHERE object_key LIKE 's3://%';
UPDATE attestations SET object_key = regexp_replace(object_key, '^s3://[^/]*/', '')
    WHERE object_key LIKE 's3://%';
UPDATE attestation_replacements SET object_key = regexp_replace(object_key, '^s3://[^/]*/', '')
    WHERE object_key LIKE 's3://%';

-- Names are compared by their bytes: lists and their pages are in one order, whatever locale the
-- database was made with.
ALTER TABLE images ALTER COLUMN name TYPE text COLLATE "C";
ALTER TABLE packages ALTER COLUMN name TYPE text COLLATE "C";
ALTER TABLE sla_policies ALTER COLUMN name TYPE text COLLATE "C";
ALTER TABLE image_tags ALTER COLUMN tag TYPE text COLLATE "C";
ALTER TABLE image_tags ALTER COLUMN name TYPE text COLLATE "C";
-- (A column that row-level security compares keeps its type: its lists name the collation.)
CREATE UNIQUE INDEX customers_namespace ON customers (tenant_namespace COLLATE "C");
