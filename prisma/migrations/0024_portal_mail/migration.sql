-- A link may go to somebody by mail. What is mailed gets its token when it is sent: only hashes are stored.
ALTER TABLE portal_sessions
  ADD COLUMN success_url text,
  ADD COLUMN created_by text NOT NULL DEFAULT '',
  ADD COLUMN it_contact_id text COLLATE "C",
  ADD COLUMN mail_to text,
  -- When it is sent next; null: it was sent, or is not mailed.
  ADD COLUMN mail_due timestamptz(3),
  ADD COLUMN mail_tries smallint NOT NULL DEFAULT 0,
  ADD COLUMN mailed_at timestamptz(3),
  ADD COLUMN mail_error text;

CREATE INDEX portal_sessions_mail_due ON portal_sessions (mail_due) WHERE mail_due IS NOT NULL;
CREATE INDEX portal_sessions_newest ON portal_sessions (organization_id, id);
