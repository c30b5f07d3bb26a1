-- A change that was told stays for half a minute: whoever speaks next tells it again, since what the one before said
-- last may have died with it and with NATS.
ALTER TABLE presence.changes ADD COLUMN told_at timestamptz;

DROP INDEX presence.changes_of_privacy;
CREATE INDEX changes_of_privacy ON presence.changes (id) WHERE told_at IS NULL AND kind = 3;
CREATE INDEX changes_of_friendship ON presence.changes (id) WHERE told_at IS NULL AND kind <> 3;
CREATE INDEX changes_told ON presence.changes (told_at) WHERE told_at IS NOT NULL;
