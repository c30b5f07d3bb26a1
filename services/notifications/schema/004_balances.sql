-- `updated_at` of a balance is when it was last known to be so: by an event, or by the word of the back end.
-- A wallet that the back end does not name any more is gone: kept for its version, and shown to nobody.
ALTER TABLE notifications.balances ADD COLUMN gone boolean NOT NULL DEFAULT false;
