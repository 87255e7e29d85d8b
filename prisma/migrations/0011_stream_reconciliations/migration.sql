-- What lies at a stream's receiver, read back and held against the log.

-- Events below it went elsewhere, in another format or through another filter: there they are not looked for.
ALTER TABLE streams ADD COLUMN compared_from bigint;

CREATE TABLE stream_reconciliations (
  organization_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  checked_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Sequence numbers that had to be there, the end exclusive.
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  objects integer NOT NULL,
  events integer NOT NULL,
  checkpoints integer NOT NULL,
  -- Sentences.
  not_covered text[] NOT NULL DEFAULT '{}',
  -- The first difference; a finding stands until a later run finds nothing.
  finding jsonb,
  -- Why nothing could be said: not a statement about the log.
  error text,
  PRIMARY KEY (organization_id, stream_id, checked_at)
);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    PERFORM create_distributed_table('stream_reconciliations', 'organization_id', colocate_with => 'log_heads');
  END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON stream_reconciliations TO trailseal_app;
