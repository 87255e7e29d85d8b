-- A link into one organization and, once it is redeemed, the session that it opened. Looked up by hash, as
-- api_keys are.
CREATE TABLE portal_sessions (
  id text COLLATE "C" PRIMARY KEY,
  organization_id text COLLATE "C" NOT NULL,
  intent text CHECK (intent IN ('audit_logs', 'log_streams')),
  return_url text,
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  redeem_until timestamptz(3) NOT NULL,
  session_hash bytea UNIQUE,
  redeemed_at timestamptz(3),
  expires_at timestamptz(3),
  CHECK ((session_hash IS NULL) = (redeemed_at IS NULL) AND (session_hash IS NULL) = (expires_at IS NULL))
);

CREATE INDEX portal_sessions_organization ON portal_sessions (organization_id, redeem_until);

GRANT SELECT, INSERT, UPDATE, DELETE ON portal_sessions TO trailseal_app;
