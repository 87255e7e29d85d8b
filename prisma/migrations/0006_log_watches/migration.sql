-- What the continuous check found: events below checked_to were looked at; a finding stands until a later
-- check finds nothing.
CREATE TABLE log_watches (
  organization_id text COLLATE "C" PRIMARY KEY,
  checked_to bigint NOT NULL,
  checked_at timestamptz(3) NOT NULL DEFAULT now(),
  finding jsonb
) WITH (fillfactor = 70);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    PERFORM create_distributed_table('log_watches', 'organization_id', colocate_with => 'log_heads');
  END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON log_watches TO trailseal_app;
