-- `updated_at` of a balance is when it was last known to be so: by an event, or by the word of the back end.
-- A wallet that the back end does not name any more is gone: kept for its version, and shown to nobody.
ALTER TABLE notifications.balances ADD COLUMN gone boolean NOT NULL DEFAULT false;

-- Nothing follows a final state; it can be asked for a while, and goes.
ALTER TABLE notifications.transfers ADD COLUMN final boolean NOT NULL DEFAULT false;
CREATE INDEX transfers_finished ON notifications.transfers (updated_at) WHERE final;
