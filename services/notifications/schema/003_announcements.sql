-- Whom an announcement is for: users whose claim is among the values; none: everybody. `ended` is the
-- change that ended it (2 recalled, 3 expired; 0: it lives), so what lives is found without the log.
ALTER TABLE notifications.announcements
	ADD COLUMN countries text[] NOT NULL DEFAULT '{}',
	ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
	ADD COLUMN tiers text[] NOT NULL DEFAULT '{}',
	ADD COLUMN ended smallint NOT NULL DEFAULT 0;
CREATE INDEX announcements_live ON notifications.announcements (announcement_seq)
	WHERE change = 1 AND ended = 0;
ALTER TABLE notifications.scheduled
	ADD COLUMN countries text[] NOT NULL DEFAULT '{}',
	ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
	ADD COLUMN tiers text[] NOT NULL DEFAULT '{}';

-- How far a user got with all announcements, by state (2 seen, 3 read, 4 archived), and what the user's
-- token said last. Whoever acts on one out of order gets a mark for it alone.
ALTER TABLE notifications.users
	ADD COLUMN country text NOT NULL DEFAULT '',
	ADD COLUMN language text NOT NULL DEFAULT '',
	ADD COLUMN tier text NOT NULL DEFAULT '',
	ADD COLUMN seen_up_to bigint NOT NULL DEFAULT 0,
	ADD COLUMN read_up_to bigint NOT NULL DEFAULT 0,
	ADD COLUMN archived_up_to bigint NOT NULL DEFAULT 0;
CREATE TABLE notifications.marks (
	user_id text COLLATE "C" NOT NULL,
	announcement_seq bigint NOT NULL,
	state smallint NOT NULL,
	read_at timestamptz,
	PRIMARY KEY (user_id, announcement_seq)
);
