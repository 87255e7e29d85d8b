-- How rows of another system's CSV become events, kept under a name for the next file.

CREATE TABLE import_mappings (
  organization_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  -- The document of lib/import/mapping.ts, which says its own version.
  mapping jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, name)
);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    PERFORM create_distributed_table('import_mappings', 'organization_id', colocate_with => 'log_heads');
  END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON import_mappings TO trailseal_app;
