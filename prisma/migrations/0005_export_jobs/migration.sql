-- An export is made by whoever holds its lease; the attempt tells the holder from those before it and is
-- part of the file's name.
ALTER TABLE exports ADD COLUMN attempt integer NOT NULL DEFAULT 0;
ALTER TABLE exports ADD COLUMN lease_until timestamptz(3);

-- The compatible API names an export by its id alone.
CREATE INDEX exports_id ON exports (id);
CREATE INDEX exports_due ON exports (created_at) WHERE state IN ('queued', 'running');
CREATE INDEX exports_expiry ON exports (expires_at) WHERE state = 'ready';
