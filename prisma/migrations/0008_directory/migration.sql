-- The log over all logs: every checkpoint of every organization is a leaf of it, so that removing a whole tenant
-- shows. Deployment-wide and written by one signer at a time; on Citus it stays where the coordinator is.
-- After a restore it begins anew in another epoch.
CREATE TABLE directory_entries (
  origin text COLLATE "C" NOT NULL,
  idx bigint NOT NULL,
  organization_id text COLLATE "C" NOT NULL,
  log_origin text COLLATE "C" NOT NULL,
  log_size bigint NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (origin, idx)
);
CREATE INDEX directory_entries_newest ON directory_entries (origin, organization_id, log_origin, log_size DESC);

CREATE TABLE directory_checkpoints (
  origin text COLLATE "C" NOT NULL,
  tree_size bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (origin, tree_size)
);

GRANT SELECT, INSERT ON directory_entries, directory_checkpoints TO trailseal_app;
