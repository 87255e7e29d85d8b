-- What is signed is written by the signer's login alone: a hole in what serves can then neither store a checkpoint
-- nor record a pruning or an epoch. The migration runner makes DATABASE_SIGNER_URL's login a member, or, where
-- none is set, DATABASE_URL's.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'trailseal_signer') THEN
    CREATE ROLE trailseal_signer NOLOGIN;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO trailseal_signer;
GRANT SELECT ON log_heads, log_epochs, events, prunes, checkpoints, directory_entries, directory_checkpoints TO trailseal_signer;
GRANT INSERT ON checkpoints, directory_entries, directory_checkpoints TO trailseal_signer;
REVOKE INSERT ON checkpoints, directory_entries, directory_checkpoints, log_epochs, prunes FROM trailseal_app;

-- How each log's publication to each witness fares: what was published last, and since when it fails. The log over
-- all logs has its row too. Like alerts, not distributed.
CREATE TABLE witness_states (
  organization_id text COLLATE "C" NOT NULL,
  witness text NOT NULL CHECK (witness IN ('directory', 'http')),
  size bigint NOT NULL DEFAULT 0,
  published_at timestamptz(3),
  failing_since timestamptz(3),
  last_error text,
  PRIMARY KEY (organization_id, witness)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON witness_states TO trailseal_app;
