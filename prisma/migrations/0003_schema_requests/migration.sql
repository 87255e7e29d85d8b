-- A repeated request for a new version of a schema, told by its Idempotency-Key, gets the version it made.
ALTER TABLE action_schemas ADD COLUMN request_hash bytea;
