-- An export holds what the log had when it began: its sequence range is kept, so that an attempt after a crash goes
-- on behind the last piece that is safe and ends in the same file.
ALTER TABLE exports
  -- { columns: [id…] | null, raw, proof }
  ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN first_seq bigint,
  ADD COLUMN end_seq bigint,
  -- How many there will be, where that can be told.
  ADD COLUMN total bigint,
  ADD COLUMN started_at timestamptz(3),
  -- { position, bytes, events, sha256, attempt }: where the next piece begins, and what was safe until then.
  ADD COLUMN safe jsonb,
  -- Attempts since something was last safe: some in a row, and it has failed.
  ADD COLUMN tries integer NOT NULL DEFAULT 0,
  -- Bytes of the manifest that goes with the file; null: none was signed, and why.
  ADD COLUMN manifest_bytes bigint,
  ADD COLUMN manifest_error text,
  -- Links are signed for one number; a revocation is the next.
  ADD COLUMN links_epoch integer NOT NULL DEFAULT 0;
