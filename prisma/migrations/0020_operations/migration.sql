-- What the operator's page shows: which processes serve and work, and how the database grew.

CREATE TABLE processes (
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('server', 'worker')),
  host text NOT NULL,
  pid integer NOT NULL,
  version text NOT NULL,
  -- The database's clock minus the process's own.
  database_ahead_ms integer NOT NULL,
  started_at timestamptz(3) NOT NULL,
  seen_at timestamptz(3) NOT NULL DEFAULT now()
);

-- One row a day, its last reading.
CREATE TABLE size_samples (
  day date PRIMARY KEY,
  database_bytes bigint NOT NULL,
  -- Sealed in all logs since they began, deleted ones included.
  events_sealed bigint NOT NULL,
  read_at timestamptz(3) NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON processes, size_samples TO trailseal_app;
