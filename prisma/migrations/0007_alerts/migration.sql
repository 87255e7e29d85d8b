-- Alerts on their way out, one row for each channel; written with what they tell of. Like jobs, not distributed.
CREATE TABLE alerts (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  channel text NOT NULL CHECK (channel IN ('email', 'webhook')),
  kind text NOT NULL,
  title text NOT NULL,
  detail text NOT NULL,
  path text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  next_attempt_at timestamptz(3) NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0,
  sent_at timestamptz(3),
  last_error text,
  PRIMARY KEY (organization_id, id, channel)
);
CREATE INDEX alerts_due ON alerts (next_attempt_at) WHERE sent_at IS NULL;

-- Marks of checkpoints along the time.
CREATE INDEX checkpoints_created ON checkpoints (organization_id, created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON alerts TO trailseal_app;
