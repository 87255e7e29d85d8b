-- Organizations as applications manage them, keys with permissions, and what each key sent.

ALTER TABLE organizations
  ADD COLUMN external_id text COLLATE "C" CHECK (length(external_id) BETWEEN 1 AND 128),
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN allow_profiles_outside_organization boolean NOT NULL DEFAULT false,
  ADD COLUMN stripe_customer_id text,
  ADD COLUMN retention_days integer CHECK (retention_days > 0);

CREATE UNIQUE INDEX organizations_external_id ON organizations (external_id) WHERE deleted_at IS NULL;
CREATE INDEX organizations_newest ON organizations (created_at DESC, id DESC);

-- Instance-local, since a domain belongs to one organization of the instance.
CREATE TABLE organization_domains (
  domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain)),
  id text COLLATE "C" NOT NULL UNIQUE,
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  state text NOT NULL CHECK (state IN ('verified', 'pending', 'failed')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE INDEX organization_domains_organization ON organization_domains (organization_id);

CREATE TABLE it_contacts (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  email text NOT NULL,
  -- Of the one active invitation; empty without.
  invited_intents text[] NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, email)
);

CREATE UNIQUE INDEX it_contacts_invitation ON it_contacts (organization_id) WHERE invited_intents <> '{}';

-- What a POST was answered, for a repetition with the same Idempotency-Key. Instance-local.
CREATE TABLE answered_requests (
  key_hash bytea PRIMARY KEY CHECK (length(key_hash) = 32),
  request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
  status integer NOT NULL,
  body jsonb NOT NULL,
  expires_at timestamptz(3) NOT NULL
);

CREATE INDEX answered_requests_expiry ON answered_requests (expires_at);

-- Keys so far could send events and nothing else. A rotated key works until expires_at.
ALTER TABLE api_keys
  ADD COLUMN permissions text[] NOT NULL DEFAULT '{events:write}',
  ADD COLUMN expires_at timestamptz(3),
  ADD COLUMN replaced_by text COLLATE "C";

-- Which SDKs use a key, by User-Agent.
CREATE TABLE api_key_clients (
  api_key_id text COLLATE "C" NOT NULL REFERENCES api_keys (id),
  client text NOT NULL,
  first_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (api_key_id, client)
);

-- Not part of what is sealed: how the event came in, for the counts per key.
ALTER TABLE events ADD COLUMN api_key_id text COLLATE "C";

-- By recorded_at: when a key sent, not what it told about.
CREATE TABLE rollup_keys_hourly (
  organization_id text COLLATE "C" NOT NULL,
  hour timestamptz(0) NOT NULL,
  api_key_id text COLLATE "C" NOT NULL,
  events bigint NOT NULL,
  PRIMARY KEY (organization_id, hour, api_key_id)
) WITH (fillfactor = 70);

DO $$
DECLARE
  tenant_table text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    FOREACH tenant_table IN ARRAY ARRAY['it_contacts', 'rollup_keys_hourly'] LOOP
      EXECUTE format($q$SELECT create_distributed_table(%L, 'organization_id', colocate_with => 'log_heads')$q$, tenant_table);
    END LOOP;
  END IF;
END
$$;

GRANT UPDATE (external_id, metadata, allow_profiles_outside_organization, stripe_customer_id, retention_days)
  ON organizations TO trailseal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON organization_domains, it_contacts, answered_requests, api_key_clients,
  rollup_keys_hourly TO trailseal_app;
