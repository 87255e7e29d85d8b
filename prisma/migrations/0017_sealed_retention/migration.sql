-- What is deleted depends on what the log says, not on rows that the app's login may change by themselves.

-- Since when a policy holds is when its event was sealed.
ALTER TABLE organizations DROP COLUMN retention_since;

-- Leaf hashes from the beginning of the tile that a pruning ends in: proofs need them, and so does the tile once it is full.
ALTER TABLE prunes ADD COLUMN leaves bytea NOT NULL DEFAULT '';

-- A hold is open until table and log both say that it was released.
CREATE VIEW open_holds AS
  SELECT organization_id, id, reason, created_by, created_at, false AS is_only_sealed
  FROM legal_holds WHERE released_at IS NULL
UNION ALL
  SELECT p.organization_id, p.targets -> 0 ->> 'id', coalesce(p.metadata ->> 'reason', ''),
    coalesce(p.actor_id, 'unknown'), p.recorded_at, true
  FROM events p
  WHERE p.action = 'trailseal.hold_placed'
    AND NOT EXISTS (SELECT FROM events r WHERE r.organization_id = p.organization_id
      AND r.action = 'trailseal.hold_released' AND r.seq > p.seq AND r.targets -> 0 ->> 'id' = p.targets -> 0 ->> 'id')
    AND NOT EXISTS (SELECT FROM legal_holds l WHERE l.organization_id = p.organization_id
      AND l.id = p.targets -> 0 ->> 'id' AND l.released_at IS NULL);

GRANT SELECT ON open_holds TO trailseal_app, trailseal_eraser, trailseal_retention;

-- As before, but for two things: holds are those of the log, too; and what a month held is booked to the run that
-- announced it, which a later run may have to finish.
CREATE OR REPLACE FUNCTION drop_spent_partition(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  suffix text := to_char(month, 'YYYY_MM');
  month_end timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  size_of text := 'pg_total_relation_size';
  log text;
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
      SELECT FROM (SELECT organization_id, min(seq) AS low FROM public.events_%1$s GROUP BY organization_id) m
      WHERE EXISTS (SELECT FROM public.events o
        WHERE o.organization_id = m.organization_id AND o.seq >= 0 AND o.seq < m.low))', suffix) INTO is_kept;
  IF is_kept THEN
    RETURN NULL;
  END IF;
  -- One log at a time: each look-up goes by its index.
  FOR log IN EXECUTE format('SELECT DISTINCT organization_id FROM public.events_%s', suffix) LOOP
    IF EXISTS (SELECT FROM public.open_holds o WHERE o.organization_id = log) THEN
      RETURN NULL;
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    size_of := 'citus_total_relation_size';
  END IF;
  EXECUTE format('SELECT %1$s(%2$L::regclass) + %1$s(%3$L::regclass)',
    size_of, 'public.events_' || suffix, 'public.event_targets_' || suffix) INTO freed;
  EXECUTE format('SELECT count(*) FROM public.events_%s', suffix) INTO total;
  EXECUTE format('UPDATE public.retention_runs r
    SET deleted = r.deleted + gone.events, bytes = r.bytes + (%L::numeric * gone.events / %L)::bigint,
      left_after = gone.last
    FROM (SELECT e.organization_id, o.prune_size, count(*) AS events,
        (array_agg(e.chain_hash ORDER BY e.seq DESC))[1] AS last
      FROM public.events_%s e JOIN public.retention_runs o ON o.organization_id = e.organization_id
        AND e.seq >= o.first_seq AND e.seq < o.prune_size
      GROUP BY e.organization_id, o.prune_size) gone
    WHERE r.organization_id = gone.organization_id AND r.prune_size = gone.prune_size',
    freed, greatest(total, 1), suffix);
  EXECUTE format('DROP TABLE public.events_%1$s, public.event_targets_%1$s', suffix);
  INSERT INTO dropped_partitions (month, bytes) VALUES (date_trunc('month', month::timestamp)::date, freed)
    ON CONFLICT ON CONSTRAINT dropped_partitions_pkey DO UPDATE SET bytes = EXCLUDED.bytes, dropped_at = now();
  RETURN freed;
END
$$;
