-- One in so many of the reads by people and keys is sealed in the log that was read; 0: none is.
ALTER TABLE organizations
  ADD COLUMN read_sampling integer NOT NULL DEFAULT 1 CHECK (read_sampling IN (0, 1, 10, 100));

GRANT UPDATE (read_sampling) ON organizations TO trailseal_app;
