-- Retention that runs by itself: a policy per organization, a record of what was deleted, and a login that may do
-- nothing else. The migration runner makes DATABASE_RETENTION_URL's login a member of trailseal_retention.

-- What a stream that has not delivered means for what is due: 'hold' keeps it, 'delete' does not wait.
-- Nothing is deleted before the grace period after the policy was set has passed; for those that are there, after this.
ALTER TABLE organizations
  ADD COLUMN retention_undelivered text NOT NULL DEFAULT 'hold' CHECK (retention_undelivered IN ('hold', 'delete')),
  ADD COLUMN retention_since timestamptz(3) NOT NULL DEFAULT now();

-- One deletion each: committed with the record that verification begins at, before any row goes.
CREATE TABLE retention_runs (
  organization_id text COLLATE "C" NOT NULL,
  prune_size bigint NOT NULL,
  -- Where the log began before.
  first_seq bigint NOT NULL,
  -- Events received before this went.
  before timestamptz(3) NOT NULL,
  started_by text NOT NULL CHECK (started_by IN ('worker', 'cli')),
  -- Streams that were not waited for.
  undelivered text[] NOT NULL DEFAULT '{}',
  started_at timestamptz(3) NOT NULL DEFAULT now(),
  -- When no row was left.
  finished_at timestamptz(3),
  -- Removed so far: events, and bytes of their rows or their share of a dropped partition's files.
  deleted bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  -- Chain hash of the last event that went: what is still there has to follow it.
  left_after bytea CHECK (length(left_after) = 32),
  PRIMARY KEY (organization_id, prune_size)
);

-- Months that were dropped whole, of every organization together. Instance-local.
CREATE TABLE dropped_partitions (
  month date PRIMARY KEY,
  bytes bigint NOT NULL,
  dropped_at timestamptz(3) NOT NULL DEFAULT now()
);

-- Keys of imports go with their events.
CREATE INDEX idempotency_keys_imported ON idempotency_keys (organization_id, seq) WHERE source = 'import';

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE $q$SELECT create_distributed_table('retention_runs', 'organization_id', colocate_with => 'log_heads')$q$;
  END IF;
END
$$;

-- Drops a month of events and targets in which no log has a row any more: each of them begins later, by a record that
-- was committed before, and none that has rows there is under a legal hold. It looks for itself, whoever asks.
-- Returns the bytes of the files; NULL when the month is kept or not there. Waits for its locks only for a moment, since
-- whoever comes after waits behind it. 7203202 is what a legal hold is placed under.
CREATE FUNCTION drop_spent_partition(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  suffix text := to_char(month, 'YYYY_MM');
  month_end timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  size_of text := 'pg_total_relation_size';
  is_kept boolean;
  total bigint;
  freed bigint;
BEGIN
  -- A day later nothing that was begun in the month is still being written.
  IF to_regclass('public.events_' || suffix) IS NULL OR month_end > now() - interval '1 day' THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7203202);
  -- Nobody writes there between the look and the drop.
  EXECUTE format('LOCK TABLE public.events_%1$s, public.event_targets_%1$s IN SHARE MODE', suffix);
  -- The last: a log that has older rows elsewhere would be left with a gap.
  EXECUTE format('SELECT EXISTS (
      SELECT FROM public.events_%1$s e LEFT JOIN public.log_heads h ON h.organization_id = e.organization_id
      WHERE h.first_seq IS NULL OR e.seq >= h.first_seq)
    OR EXISTS (
      SELECT FROM public.events_%1$s e JOIN public.legal_holds l ON l.organization_id = e.organization_id
      WHERE l.released_at IS NULL)
    OR EXISTS (
      SELECT FROM (SELECT organization_id, min(seq) AS low FROM public.events_%1$s GROUP BY organization_id) m
      WHERE EXISTS (SELECT FROM public.events o
        WHERE o.organization_id = m.organization_id AND o.seq >= 0 AND o.seq < m.low))', suffix) INTO is_kept;
  IF is_kept THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    size_of := 'citus_total_relation_size';
  END IF;
  EXECUTE format('SELECT %1$s(%2$L::regclass) + %1$s(%3$L::regclass)',
    size_of, 'public.events_' || suffix, 'public.event_targets_' || suffix) INTO freed;
  EXECUTE format('SELECT count(*) FROM public.events_%s', suffix) INTO total;
  EXECUTE format('UPDATE public.retention_runs r
    SET deleted = r.deleted + gone.events, bytes = r.bytes + (%L::numeric * gone.events / %L)::bigint,
      left_after = gone.last
    FROM (SELECT organization_id, count(*) AS events,
        (array_agg(chain_hash ORDER BY seq DESC))[1] AS last FROM public.events_%s GROUP BY organization_id) gone
    JOIN public.log_heads h ON h.organization_id = gone.organization_id
    WHERE r.organization_id = gone.organization_id AND r.prune_size = h.first_seq',
    freed, greatest(total, 1), suffix);
  EXECUTE format('DROP TABLE public.events_%1$s, public.event_targets_%1$s', suffix);
  INSERT INTO dropped_partitions (month, bytes) VALUES (date_trunc('month', month::timestamp)::date, freed)
    ON CONFLICT ON CONSTRAINT dropped_partitions_pkey DO UPDATE SET bytes = EXCLUDED.bytes, dropped_at = now();
  RETURN freed;
END
$$;

REVOKE ALL ON FUNCTION drop_spent_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_spent_partition(date) TO trailseal_retention;

GRANT UPDATE (retention_undelivered, retention_since) ON organizations TO trailseal_app;
GRANT SELECT ON retention_runs, dropped_partitions TO trailseal_app;
GRANT SELECT ON log_heads, legal_holds, prunes, idempotency_keys, retention_runs TO trailseal_retention;
GRANT INSERT ON prunes, retention_runs TO trailseal_retention;
GRANT UPDATE (first_seq) ON log_heads TO trailseal_retention;
GRANT UPDATE (finished_at, deleted, bytes, left_after) ON retention_runs TO trailseal_retention;
GRANT DELETE ON idempotency_keys TO trailseal_retention;
