-- The second factor of who signs in, and the codes that stand in for one that was lost.

CREATE TABLE second_factors (
  user_id text COLLATE "C" PRIMARY KEY REFERENCES users (id),
  -- Sealed with the instance's envelope key (lib/envelope.ts).
  secret jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Null until a right code was entered; sign-in asks for codes from then on.
  confirmed_at timestamptz(3),
  -- Number of the 30 seconds whose code was used last: neither it nor an earlier one is taken again.
  last_step bigint NOT NULL DEFAULT 0
);

-- Each is deleted when it is used.
CREATE TABLE recovery_codes (
  user_id text COLLATE "C" NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
  -- SHA-256: the codes are random enough that none can be found by trying.
  code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
  PRIMARY KEY (user_id, code_hash)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON second_factors TO trailseal_app;
GRANT SELECT, INSERT, DELETE ON recovery_codes TO trailseal_app;
