-- Files that people bring in through the dashboard: uploaded, set up, then made into events by whoever holds the lease.

CREATE TABLE imports (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'uploaded'
    CHECK (state IN ('uploaded', 'queued', 'running', 'done', 'failed', 'cancelled')),
  file_name text NOT NULL,
  -- Of the file as it came.
  bytes bigint NOT NULL,
  sha256 bytea NOT NULL,
  packed boolean NOT NULL,
  -- What the file was taken for, and what it was told to be done with it: the documents of lib/import/schema.ts.
  source jsonb NOT NULL,
  setup jsonb,
  -- Of the event that tells of the start: what came behind it in the log is this import's own.
  start_seq bigint,
  read_bytes bigint NOT NULL DEFAULT 0,
  summary jsonb,
  cancel_requested boolean NOT NULL DEFAULT false,
  error text,
  attempt integer NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  -- The attempt whose file of rejected records is kept; null: there is none.
  rejects_attempt integer,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  -- When its files go.
  expires_at timestamptz(3),
  PRIMARY KEY (organization_id, id)
);

CREATE INDEX imports_due ON imports (created_at) WHERE state IN ('queued', 'running');
CREATE INDEX imports_expiry ON imports (expires_at) WHERE expires_at IS NOT NULL;
-- A file's name has no organization in it.
CREATE INDEX imports_id ON imports (id);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    PERFORM create_distributed_table('imports', 'organization_id', colocate_with => 'log_heads');
  END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON imports TO trailseal_app;
