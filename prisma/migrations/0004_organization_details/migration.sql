-- What the compatible API keeps of an organization beside its name (contract §9, §10).
ALTER TABLE organizations
  ADD COLUMN external_id text COLLATE "C",
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN domains jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN retention_days integer CHECK (retention_days > 0),
  ADD COLUMN request_key bytea,
  ADD COLUMN request_body bytea;

CREATE INDEX organizations_external_id ON organizations (external_id);
CREATE INDEX organizations_request_key ON organizations (request_key);

GRANT UPDATE (external_id, metadata, domains, retention_days) ON organizations TO trailseal_app;
