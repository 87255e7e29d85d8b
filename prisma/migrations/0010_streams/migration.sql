-- Streams: formats, filters, heartbeats, lanes beside the live one, what was tried.

-- Destinations are known to the code alone.
ALTER TABLE streams DROP CONSTRAINT streams_destination_check;
-- filter: in the explorer's language, '' takes every event. Minutes: 0 is never.
ALTER TABLE streams
  ADD COLUMN format text NOT NULL DEFAULT 'trailseal',
  ADD COLUMN filter text NOT NULL DEFAULT '',
  ADD COLUMN heartbeat_minutes integer NOT NULL DEFAULT 60 CHECK (heartbeat_minutes >= 0),
  ADD COLUMN lag_alert_minutes integer NOT NULL DEFAULT 60 CHECK (lag_alert_minutes >= 0);

-- A stream delivers in lanes, each with its own cursor and lease: 'live' without an end, backfills over a range
-- ('backfill' in kind), and what was set aside ('redrive').
ALTER TABLE stream_state
  ADD COLUMN lane text COLLATE "C" NOT NULL DEFAULT 'live',
  ADD COLUMN kind text NOT NULL DEFAULT 'live' CHECK (kind IN ('live', 'backfill', 'redrive')),
  ADD COLUMN from_seq bigint,
  ADD COLUMN to_seq bigint,
  ADD COLUMN rate_per_second integer CHECK (rate_per_second > 0),
  ADD COLUMN passed_over bigint NOT NULL DEFAULT 0,
  ADD COLUMN checkpoint_size bigint NOT NULL DEFAULT 0,
  ADD COLUMN checkpoint_sent_at timestamptz(3),
  -- Events that a person made the live cursor jump over.
  ADD COLUMN skipped int8multirange NOT NULL DEFAULT '{}',
  -- How often it went back: what is sent again then is told from what was sent before.
  ADD COLUMN rewinds integer NOT NULL DEFAULT 0,
  -- What was told of the present trouble, so that it is told once: 'error', 'day 1', 'lag', 'retention'…
  ADD COLUMN alerted text[] NOT NULL DEFAULT '{}',
  ADD COLUMN created_by text,
  ADD COLUMN created_at timestamptz(3) NOT NULL DEFAULT now(),
  ADD COLUMN finished_at timestamptz(3);
ALTER TABLE stream_state DROP CONSTRAINT stream_state_pkey;
ALTER TABLE stream_state ADD CONSTRAINT stream_state_pkey PRIMARY KEY (organization_id, stream_id, lane);

-- lane: the redrive that sends it again; null: it waits for somebody to decide.
ALTER TABLE dead_letters
  ADD COLUMN lane text COLLATE "C",
  ADD COLUMN discarded_at timestamptz(3);

-- One row for each request, kept for days: what was sent, how it ended, what was answered.
CREATE TABLE stream_attempts (
  organization_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Sequence numbers covered, the end exclusive, those that the filter passed over included.
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  -- Of a redrive: those within that it held.
  seqs bigint[],
  events integer NOT NULL,
  bytes integer NOT NULL,
  outcome text NOT NULL,
  status integer,
  latency_ms integer NOT NULL,
  code text,
  message text,
  reply text,
  PRIMARY KEY (organization_id, stream_id, id)
);

-- What was delivered and how often a request failed, by half hours of UTC.
CREATE TABLE stream_halfhours (
  organization_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  slot timestamptz(3) NOT NULL,
  delivered bigint NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, stream_id, slot)
);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    PERFORM create_distributed_table('stream_attempts', 'organization_id', colocate_with => 'log_heads');
    PERFORM create_distributed_table('stream_halfhours', 'organization_id', colocate_with => 'log_heads');
  END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON stream_attempts, stream_halfhours TO trailseal_app;
