-- What a member may do (lib/auth/roles.ts), and invitations to become one. A member who was removed stays as a
-- row, so that what they did keeps a name and they can be restored.

ALTER TABLE memberships
  ADD COLUMN role text COLLATE "C",
  ADD COLUMN removed_at timestamptz(3);
-- Members could do everything so far.
UPDATE memberships SET role = 'owner';
ALTER TABLE memberships
  ALTER COLUMN role SET NOT NULL,
  ADD CHECK (role IN ('owner', 'admin', 'auditor', 'stream_manager', 'viewer'));

CREATE TABLE invitations (
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  email text NOT NULL CHECK (email = lower(email)),
  role text COLLATE "C" NOT NULL CHECK (role IN ('owner', 'admin', 'auditor', 'stream_manager', 'viewer')),
  -- SHA-256 of the link's secret: the link itself is shown once and kept nowhere.
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (organization_id, id),
  -- A new invitation takes the place of an older one.
  UNIQUE (organization_id, email)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO trailseal_app;
