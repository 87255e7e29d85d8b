-- What a viewer sees (lib/events/sight.ts): a filter in the explorer's language, null for every event, and the
-- fields that are hidden in them.

ALTER TABLE memberships
  ADD COLUMN view_filter text,
  ADD COLUMN masked_fields text[] NOT NULL DEFAULT '{}',
  ADD CHECK (role = 'viewer' OR (view_filter IS NULL AND masked_fields = '{}'));

ALTER TABLE invitations
  ADD COLUMN view_filter text,
  ADD COLUMN masked_fields text[] NOT NULL DEFAULT '{}',
  ADD CHECK (role = 'viewer' OR (view_filter IS NULL AND masked_fields = '{}'));
