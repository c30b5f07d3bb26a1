-- The record of who was told what. One writer applies events (see README.md); whoever changes
-- anything of a user's locks the row in `users` first, several users in the order of their ids.
-- Ids are compared as bytes, so that this order is the same everywhere.

-- One row: which history the numbers below belong to, and where the announcement log ends.
CREATE TABLE notifications.meta (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	epoch text NOT NULL DEFAULT '',
	system_identifier text NOT NULL DEFAULT '',
	timeline text NOT NULL DEFAULT '',
	announcement_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO notifications.meta DEFAULT VALUES;

-- One row: what the applier leaves to its successor.
CREATE TABLE notifications.progress (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	stream_seq bigint NOT NULL DEFAULT 0,       -- the highest event applied
	applied_period bigint NOT NULL DEFAULT 0,   -- which of applied_a and applied_b is written
	handed_over boolean NOT NULL DEFAULT true   -- the last applier left with nothing in hand
) WITH (fillfactor = 50);
INSERT INTO notifications.progress DEFAULT VALUES;

-- The counter row of a user: the last number of the mailbox, the last revision of the states. Never deleted.
CREATE TABLE notifications.users (
	user_id text COLLATE "C" PRIMARY KEY,
	seq bigint NOT NULL DEFAULT 0,
	rev bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- Unread inbox items by kind (the member's number in Payload) and priority.
CREATE TABLE notifications.unread (
	user_id text COLLATE "C" NOT NULL,
	type smallint NOT NULL,
	priority smallint NOT NULL,
	n integer NOT NULL CHECK (n >= 0),
	PRIMARY KEY (user_id, type, priority)
) WITH (fillfactor = 70);

-- What was said, once for all who were told: a packed Payload. Blanking one blanks it for everybody.
-- One draw of the sequence gives the ids of a whole batch.
CREATE SEQUENCE notifications.body_ids INCREMENT BY 4096 MINVALUE 4096;
CREATE TABLE notifications.bodies (
	body_id bigint PRIMARY KEY,
	event_key text NOT NULL,
	payload bytea NOT NULL,
	created_at timestamptz NOT NULL,
	keep boolean NOT NULL,                      -- the inbox refers to it: outlives the mailbox
	blanked boolean NOT NULL DEFAULT false
);
CREATE INDEX bodies_passing ON notifications.bodies (created_at) WHERE NOT keep;

-- The mailbox: gapless per user. Rows go only with their whole day.
CREATE TABLE notifications.mailbox (
	user_id text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	body_id bigint NOT NULL,
	applied_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, seq, applied_at)
) PARTITION BY RANGE (applied_at);

-- The inbox: those items of the mailbox that a person reads, and how far they got with each.
CREATE TABLE notifications.inbox (
	user_id text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	body_id bigint NOT NULL,
	event_id text COLLATE "C" NOT NULL,
	type smallint NOT NULL,
	priority smallint NOT NULL,
	state smallint NOT NULL DEFAULT 1,          -- InboxState: 1 unseen, 2 unread, 3 read, 4 archived ...
	title text NOT NULL,
	text text NOT NULL,
	created_at timestamptz NOT NULL,
	expires_at timestamptz,
	seen_at timestamptz,
	read_at timestamptz,
	archived_at timestamptz,
	PRIMARY KEY (user_id, seq)
) WITH (fillfactor = 85);
CREATE INDEX inbox_by_event ON notifications.inbox (user_id, event_id);
CREATE INDEX inbox_unread ON notifications.inbox (user_id, seq) WHERE state < 3;

-- Absolute states, newest version only: packed Payloads.
CREATE TABLE notifications.balances (
	user_id text COLLATE "C" NOT NULL,
	wallet_id text COLLATE "C" NOT NULL,
	version bigint NOT NULL,
	payload bytea NOT NULL,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, wallet_id)
) WITH (fillfactor = 70);

CREATE TABLE notifications.transfers (
	transfer_id text COLLATE "C" PRIMARY KEY,
	version bigint NOT NULL,
	payload bytea NOT NULL,
	parties text[] NOT NULL,
	updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);

-- The announcement log: gapless, the same for everybody.
CREATE TABLE notifications.announcements (
	announcement_seq bigint PRIMARY KEY,
	change smallint NOT NULL,                   -- 1 announced, 2 recalled
	id text COLLATE "C" NOT NULL,
	title text NOT NULL DEFAULT '',
	text text NOT NULL DEFAULT '',
	priority smallint NOT NULL DEFAULT 0,
	expires_at timestamptz,
	logged_at timestamptz NOT NULL
);
CREATE INDEX announcements_by_id ON notifications.announcements (id);

-- Announcements whose start has not come: they enter the log then.
CREATE TABLE notifications.scheduled (
	id text COLLATE "C" PRIMARY KEY,
	title text NOT NULL,
	text text NOT NULL,
	priority smallint NOT NULL,
	starts_at timestamptz NOT NULL,
	expires_at timestamptz
);
CREATE INDEX scheduled_by_start ON notifications.scheduled (starts_at);

-- Tokens that no longer count; the bucket ww_revoked is a copy.
CREATE TABLE notifications.revocations (
	kind text NOT NULL CHECK (kind IN ('jti', 'user')),
	id text COLLATE "C" NOT NULL,
	issued_before timestamptz NOT NULL,
	reason text NOT NULL,
	PRIMARY KEY (kind, id)
);

-- Which events were applied, whom they concerned and the numbers they got (0: no item), so that an
-- event that comes again is rung again with its old numbers. Written in turn, 35 days each; the older
-- one is truncated before it is written again.
CREATE TABLE notifications.applied_a (
	event_key text COLLATE "C" PRIMARY KEY,
	applied_at timestamptz NOT NULL,
	users text[] NOT NULL,
	seqs bigint[] NOT NULL
);
CREATE TABLE notifications.applied_b (
	event_key text COLLATE "C" PRIMARY KEY,
	applied_at timestamptz NOT NULL,
	users text[] NOT NULL,
	seqs bigint[] NOT NULL
);

-- Events that made a batch fail, or were in hand when the applier died: how often each was tried.
CREATE TABLE notifications.attempts (
	stream_seq bigint PRIMARY KEY,
	subject text NOT NULL,
	n integer NOT NULL,
	last_error text NOT NULL,
	tried_at timestamptz NOT NULL
);
