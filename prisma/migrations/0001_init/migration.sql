-- Group roles. DATABASE_URL's login is made a member of trailseal_app by the migration runner.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['trailseal_app', 'trailseal_eraser', 'trailseal_retention'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    END IF;
  END LOOP;
END
$$;

-- Reference data -----------------------------------------------------------------------------------

CREATE TABLE organizations (
  id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
  name text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);

-- Tenant tables: organization_id leads every key, so that each can be distributed by it ------------

-- The hot row of an organization: whoever updates it may append (integrity spec §3).
CREATE TABLE log_heads (
  organization_id text COLLATE "C" PRIMARY KEY,
  origin text NOT NULL,
  next_seq bigint NOT NULL DEFAULT 0,
  head_hash bytea NOT NULL CHECK (length(head_hash) = 32),
  last_recorded_at timestamptz(3),
  first_seq bigint NOT NULL DEFAULT 0,
  UNIQUE (organization_id, origin)
) WITH (fillfactor = 50);

CREATE TABLE log_epochs (
  organization_id text COLLATE "C" NOT NULL,
  epoch integer NOT NULL,
  start_seq bigint NOT NULL,
  origin text NOT NULL,
  PRIMARY KEY (organization_id, epoch)
);

-- Projections are generated, so that no writer can make a column disagree with the sealed document;
-- ip is written by ingest, since parsing an address is not immutable in every PostgreSQL.
CREATE TABLE events (
  organization_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  version integer NOT NULL,
  id text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL,
  actor jsonb,
  targets jsonb NOT NULL,
  context jsonb,
  metadata jsonb,
  salts bytea NOT NULL,
  erased jsonb,
  chain_hash bytea NOT NULL,
  ip inet,
  actor_id text COLLATE "C" GENERATED ALWAYS AS (actor ->> 'id') STORED,
  actor_type text COLLATE "C" GENERATED ALWAYS AS (actor ->> 'type') STORED,
  actor_name text COLLATE "C" GENERATED ALWAYS AS (actor ->> 'name') STORED,
  location text COLLATE "C" GENERATED ALWAYS AS (context ->> 'location') STORED,
  PRIMARY KEY (organization_id, seq, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX events_time ON events (organization_id, occurred_at DESC, seq DESC) INCLUDE (action, actor_id);
CREATE INDEX events_actor ON events (organization_id, actor_id, occurred_at DESC, seq DESC);
CREATE INDEX events_action ON events (organization_id, action, occurred_at DESC, seq DESC);
CREATE INDEX events_location ON events (organization_id, location, occurred_at DESC, seq DESC);
CREATE INDEX events_id ON events (organization_id, id);

CREATE TABLE event_targets (
  organization_id text COLLATE "C" NOT NULL,
  target_type text COLLATE "C" NOT NULL,
  target_id text COLLATE "C" NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  seq bigint NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  PRIMARY KEY (organization_id, target_type, target_id, occurred_at, seq, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX event_targets_id ON event_targets (organization_id, target_id, occurred_at DESC, seq DESC);

-- source 'api' rows live 24 h; 'import' rows live as long as their event, whatever expires_at says.
CREATE TABLE idempotency_keys (
  organization_id text COLLATE "C" NOT NULL,
  key_hash bytea NOT NULL,
  seq bigint NOT NULL,
  source text NOT NULL CHECK (source IN ('api', 'import')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  PRIMARY KEY (organization_id, key_hash)
);

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at) WHERE source = 'api';

CREATE TABLE tiles (
  organization_id text COLLATE "C" NOT NULL,
  level integer NOT NULL,
  idx bigint NOT NULL,
  data bytea NOT NULL CHECK (length(data) = 8192),
  root bytea NOT NULL CHECK (length(root) = 32),
  PRIMARY KEY (organization_id, level, idx)
);

CREATE TABLE checkpoints (
  organization_id text COLLATE "C" NOT NULL,
  origin text NOT NULL,
  tree_size bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, origin, tree_size)
);

CREATE TABLE prunes (
  organization_id text COLLATE "C" NOT NULL,
  prune_size bigint NOT NULL,
  chain_hash bytea NOT NULL,
  frontier bytea[] NOT NULL,
  event_seq bigint NOT NULL,
  PRIMARY KEY (organization_id, prune_size)
);

CREATE TABLE legal_holds (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  released_at timestamptz(3),
  PRIMARY KEY (organization_id, id)
);

-- Rollups count events below the follower's cursor; the count is in no index, so updates stay HOT.
CREATE TABLE rollup_hourly (
  organization_id text COLLATE "C" NOT NULL,
  hour timestamptz(0) NOT NULL,
  events bigint NOT NULL,
  PRIMARY KEY (organization_id, hour)
) WITH (fillfactor = 70);

CREATE TABLE rollup_actions_daily (
  organization_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  action text COLLATE "C" NOT NULL,
  events bigint NOT NULL,
  PRIMARY KEY (organization_id, day, action)
) WITH (fillfactor = 70);

-- How far each follower ('tiles', 'rollups') has read the sequence: events below next_seq are done.
CREATE TABLE followers (
  organization_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL CHECK (name IN ('tiles', 'rollups')),
  next_seq bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, name)
) WITH (fillfactor = 50);

CREATE TABLE streams (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  destination text NOT NULL CHECK (destination IN ('webhook', 'splunk')),
  config jsonb NOT NULL,
  secrets jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3),
  PRIMARY KEY (organization_id, id)
);

-- cursor_seq: everything below it was delivered or dead-lettered. inflight_to_seq: exclusive end of the
-- range that was planned before the last send, so that a retry repeats exactly that range.
CREATE TABLE stream_state (
  organization_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'degraded', 'error', 'paused', 'disabled')),
  cursor_seq bigint NOT NULL,
  inflight_to_seq bigint,
  lease_owner text,
  lease_until timestamptz(3),
  lease_epoch bigint NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  first_failure_at timestamptz(3),
  next_attempt_at timestamptz(3) NOT NULL DEFAULT now(),
  last_success_at timestamptz(3),
  last_attempt_at timestamptz(3),
  last_error jsonb,
  delivered bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, stream_id)
) WITH (fillfactor = 50);

CREATE TABLE dead_letters (
  organization_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  reason text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, stream_id, seq)
);

-- Instance-local tables ----------------------------------------------------------------------------

CREATE TABLE jobs (
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL,
  organization_id text COLLATE "C" NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  input jsonb NOT NULL DEFAULT '{}',
  progress jsonb NOT NULL DEFAULT '{}',
  result jsonb,
  error text,
  cancel_requested boolean NOT NULL DEFAULT false,
  created_by text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  lease_owner text,
  lease_until timestamptz(3),
  attempt integer NOT NULL DEFAULT 0
);

CREATE INDEX jobs_organization ON jobs (organization_id, kind, created_at DESC, id DESC);
CREATE INDEX jobs_due ON jobs (created_at) WHERE state IN ('queued', 'running');

CREATE TABLE users (
  id text COLLATE "C" PRIMARY KEY,
  email text NOT NULL UNIQUE CHECK (email = lower(email)),
  name text NOT NULL,
  password_hash text NOT NULL,
  instance_admin boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  deactivated_at timestamptz(3)
);

CREATE TABLE memberships (
  organization_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, user_id)
);

CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE sessions (
  id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  revoked_at timestamptz(3),
  client_address text,
  user_agent text
);

CREATE INDEX sessions_user ON sessions (user_id);

-- Failed sign-ins per e-mail and per client address; survives a restart.
CREATE TABLE sign_in_attempts (
  bucket text COLLATE "C" PRIMARY KEY,
  failures integer NOT NULL,
  window_start timestamptz(3) NOT NULL
);

CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  organization_id text COLLATE "C",
  key_hash bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  last4 text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  ignored_fields bigint NOT NULL DEFAULT 0
);

CREATE TABLE settings (
  key text COLLATE "C" PRIMARY KEY,
  value jsonb NOT NULL
);

-- Citus, where present: distribute before any trigger or foreign key -------------------------

DO $$
DECLARE
  tenant_table text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE $q$SELECT create_reference_table('organizations')$q$;
    EXECUTE $q$SELECT create_distributed_table('log_heads', 'organization_id', shard_count => 32)$q$;
    FOREACH tenant_table IN ARRAY ARRAY['log_epochs', 'events', 'event_targets', 'idempotency_keys',
      'tiles', 'checkpoints', 'prunes', 'legal_holds', 'rollup_hourly', 'rollup_actions_daily',
      'followers', 'streams', 'stream_state', 'dead_letters'] LOOP
      EXECUTE format($q$SELECT create_distributed_table(%L, 'organization_id', colocate_with => 'log_heads')$q$, tenant_table);
    END LOOP;
  END IF;
END
$$;

-- Foreign keys follow distribution.
ALTER TABLE log_heads ADD FOREIGN KEY (organization_id) REFERENCES organizations (id);
ALTER TABLE stream_state ADD FOREIGN KEY (organization_id, stream_id) REFERENCES streams (organization_id, id);
ALTER TABLE dead_letters ADD FOREIGN KEY (organization_id, stream_id) REFERENCES streams (organization_id, id);
ALTER TABLE memberships ADD FOREIGN KEY (organization_id) REFERENCES organizations (id);
ALTER TABLE api_keys ADD FOREIGN KEY (organization_id) REFERENCES organizations (id);

-- Partitions ---------------------------------------------------------------------------------------

-- Makes the monthly partitions that hold `around` and the three months after it. There is no default
-- partition: a row outside every month is refused with SQLSTATE 23514 and ingest calls this again.
CREATE FUNCTION ensure_partitions(around timestamptz DEFAULT now()) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  first_month timestamp := date_trunc('month', around AT TIME ZONE 'UTC');
  month_start timestamp;
  suffix text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(7203201);
  FOR offset_months IN 0..3 LOOP
    month_start := first_month + make_interval(months => offset_months);
    suffix := to_char(month_start, 'YYYY_MM');
    IF to_regclass('public.events_' || suffix) IS NULL THEN
      EXECUTE format('CREATE TABLE public.events_%s PARTITION OF public.events FOR VALUES FROM (%L) TO (%L)',
        suffix, month_start::text || '+00', (month_start + interval '1 month')::text || '+00');
      -- Turns a fork of the chain into an error.
      EXECUTE format('CREATE UNIQUE INDEX events_%s_seq ON public.events_%s (organization_id, seq)', suffix, suffix);
      EXECUTE format('CREATE TABLE public.event_targets_%s PARTITION OF public.event_targets FOR VALUES FROM (%L) TO (%L)',
        suffix, month_start::text || '+00', (month_start + interval '1 month')::text || '+00');
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END
$$;

REVOKE ALL ON FUNCTION ensure_partitions(timestamptz) FROM PUBLIC;

SELECT ensure_partitions();

-- Events are append-only even for the owner; erasure and retention have roles of their own.
-- (Citus refuses triggers on distributed tables; there the grants stand alone.)
CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_user IN ('trailseal_eraser', 'trailseal_retention') THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  RAISE EXCEPTION '% on % is refused: events are append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE 'CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_event_change()';
    EXECUTE 'CREATE TRIGGER event_targets_append_only BEFORE UPDATE OR DELETE ON event_targets FOR EACH ROW EXECUTE FUNCTION refuse_event_change()';
  END IF;
END
$$;

-- Grants -------------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA public TO trailseal_app, trailseal_eraser, trailseal_retention;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO trailseal_app;
GRANT INSERT ON organizations, log_heads, log_epochs, events, event_targets, tiles, checkpoints, prunes TO trailseal_app;
GRANT UPDATE (name, updated_at, deleted_at) ON organizations TO trailseal_app;
GRANT UPDATE (next_seq, head_hash, last_recorded_at) ON log_heads TO trailseal_app;
GRANT INSERT, UPDATE, DELETE ON idempotency_keys, legal_holds, rollup_hourly, rollup_actions_daily, followers,
  streams, stream_state, dead_letters, jobs, users, memberships, sessions, sign_in_attempts, api_keys, settings
  TO trailseal_app;
GRANT EXECUTE ON FUNCTION ensure_partitions(timestamptz) TO trailseal_app;
GRANT SELECT ON events, event_targets TO trailseal_eraser, trailseal_retention;
GRANT UPDATE (actor, targets, context, metadata, ip, salts, erased) ON events TO trailseal_eraser;
GRANT DELETE ON event_targets TO trailseal_eraser, trailseal_retention;
GRANT DELETE ON events TO trailseal_retention;
