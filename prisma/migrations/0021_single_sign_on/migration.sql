-- Sign-in through an organization's own identity providers.

CREATE TABLE identity_providers (
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  -- Alone in the address that a provider sends people back to.
  id text COLLATE "C" NOT NULL UNIQUE,
  kind text NOT NULL DEFAULT 'oidc' CHECK (kind IN ('oidc')),
  name text NOT NULL,
  issuer text NOT NULL DEFAULT '',
  client_id text NOT NULL DEFAULT '',
  -- Sealed with the instance's envelope key (lib/envelope.ts).
  client_secret jsonb,
  scopes text NOT NULL DEFAULT 'openid email profile',
  groups_claim text NOT NULL DEFAULT 'groups',
  -- [{ "group", "role" }]: the first that fits counts; empty: groups decide nothing.
  group_roles jsonb NOT NULL DEFAULT '[]',
  -- Of who has no role by a group. Null: they stay out.
  default_role text COLLATE "C" CHECK (default_role IN ('owner', 'admin', 'auditor', 'stream_manager', 'viewer')),
  enabled boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- When somebody first came in through this issuer and client.
  proven_at timestamptz(3),
  PRIMARY KEY (organization_id, id),
  CHECK (NOT enabled OR (issuer <> '' AND client_id <> '' AND client_secret IS NOT NULL))
);

-- Whose e-mail addresses a provider speaks for. Instance-local, since a domain belongs to one organization of the instance.
CREATE TABLE identity_domains (
  domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain)),
  organization_id text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  FOREIGN KEY (organization_id, provider_id) REFERENCES identity_providers (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX identity_domains_provider ON identity_domains (organization_id, provider_id);

-- Who somebody is at a provider.
CREATE TABLE identities (
  organization_id text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, provider_id, subject),
  -- An address that is given to somebody else there does not open the account of who had it.
  UNIQUE (organization_id, provider_id, user_id),
  FOREIGN KEY (organization_id, provider_id) REFERENCES identity_providers (organization_id, id) ON DELETE CASCADE
);

ALTER TABLE organizations ADD COLUMN sso_required boolean NOT NULL DEFAULT false;

-- Groups give back what groups took; what people took stays taken.
ALTER TABLE memberships ADD COLUMN removed_by_groups boolean NOT NULL DEFAULT false;

-- Who only ever comes through a provider has none.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;

ALTER TABLE sessions
  ADD COLUMN method text NOT NULL DEFAULT 'password' CHECK (method IN ('password', 'oidc')),
  ADD COLUMN sso_organization_id text COLLATE "C",
  ADD COLUMN provider_id text COLLATE "C",
  ADD CHECK ((method = 'password') = (provider_id IS NULL)),
  ADD CHECK ((provider_id IS NULL) = (sso_organization_id IS NULL));

GRANT SELECT, INSERT, UPDATE, DELETE ON identity_providers, identity_domains, identities TO trailseal_app;
GRANT UPDATE (sso_required) ON organizations TO trailseal_app;
