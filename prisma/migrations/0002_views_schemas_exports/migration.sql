-- What people keep of the explorer, what an action's events must look like, and files made of events.

-- search holds the explorer's URL parameters (q, range, from, to), layout its columns and density.
CREATE TABLE saved_views (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  is_shared boolean NOT NULL DEFAULT false,
  search text NOT NULL,
  layout jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id)
);

-- Stars and defaults are each person's own, on shared views too.
CREATE TABLE saved_view_marks (
  organization_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  view_id text COLLATE "C" NOT NULL,
  is_starred boolean NOT NULL DEFAULT false,
  is_default boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization_id, user_id, view_id)
);

CREATE UNIQUE INDEX saved_view_marks_default ON saved_view_marks (organization_id, user_id) WHERE is_default;

CREATE TABLE exports (
  organization_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'running', 'ready', 'failed', 'cancelled', 'expired')),
  format text NOT NULL CHECK (format IN ('csv', 'ndjson', 'bundle')),
  search jsonb NOT NULL,
  events bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  sha256 bytea CHECK (length(sha256) = 32),
  error text,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  PRIMARY KEY (organization_id, id)
);

CREATE INDEX exports_newest ON exports (organization_id, created_at DESC, id DESC);

-- Instance-local, as the compatible API names no organization for them; a version never changes.
CREATE TABLE action_schemas (
  action text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  id text COLLATE "C" NOT NULL UNIQUE,
  targets jsonb NOT NULL,
  actor jsonb,
  metadata jsonb,
  created_by text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (action, version)
);

DO $$
DECLARE
  tenant_table text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    FOREACH tenant_table IN ARRAY ARRAY['saved_views', 'saved_view_marks', 'exports'] LOOP
      EXECUTE format($q$SELECT create_distributed_table(%L, 'organization_id', colocate_with => 'log_heads')$q$, tenant_table);
    END LOOP;
  END IF;
END
$$;

ALTER TABLE saved_view_marks ADD FOREIGN KEY (organization_id, view_id)
  REFERENCES saved_views (organization_id, id) ON DELETE CASCADE;

GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views, saved_view_marks, exports TO trailseal_app;
GRANT SELECT, INSERT ON action_schemas TO trailseal_app;
