-- How many users were told a body: it goes with the last of them. Not known of one that an older program
-- writes while replicas are replaced: that one stays, since it may be somebody else's too.
ALTER TABLE notifications.bodies ADD COLUMN holders integer;
UPDATE notifications.bodies b SET holders = told.n FROM (
	SELECT body_id, count(*) AS n FROM (
		SELECT user_id, seq, body_id FROM notifications.mailbox
		UNION SELECT user_id, seq, body_id FROM notifications.inbox) x
	GROUP BY body_id) told
WHERE told.body_id = b.body_id;

-- Who wrote a chat message, so that a user's own are found in the mailboxes of others. Those from before
-- this column are not found; they leave with their mailbox days.
ALTER TABLE notifications.bodies ADD COLUMN sender text COLLATE "C";
CREATE INDEX bodies_by_sender ON notifications.bodies (sender, body_id) WHERE sender IS NOT NULL;

CREATE INDEX transfers_by_party ON notifications.transfers USING gin (parties);
