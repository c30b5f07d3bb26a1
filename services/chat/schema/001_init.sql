-- Rooms, who is in them, what was said, and what is on its way out.
-- Ids are compared as bytes, so that their order is the same everywhere.

-- Whoever changes anything of a room or its messages locks its row first. Numbers are drawn under that lock.
CREATE TABLE chat.rooms (
	room_id text COLLATE "C" PRIMARY KEY,
	type smallint NOT NULL,                  -- RoomType
	name text NOT NULL,
	first_id text COLLATE "C",               -- of a direct room: the two, in order; null for a group
	second_id text COLLATE "C",
	creator_id text COLLATE "C" NOT NULL,
	client_id text COLLATE "C",              -- of a group: the creator's idempotency key, or one of ours; null: a direct room
	class smallint NOT NULL DEFAULT 0,       -- of retention: 0 expires, 1 is held
	seq bigint NOT NULL DEFAULT 0,           -- of the newest message
	changes bigint NOT NULL DEFAULT 0,       -- number of the newest change of the room
	created_at timestamptz NOT NULL DEFAULT now(),
	active_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (first_id, second_id),
	UNIQUE (creator_id, client_id)
) WITH (fillfactor = 70);

CREATE TABLE chat.members (
	room_id text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	role smallint NOT NULL,                  -- RoomRole
	joins_as smallint NOT NULL,              -- of an invitation: the role it gives
	from_seq bigint NOT NULL,                -- messages up to it are not theirs to see
	read_seq bigint NOT NULL,
	since timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX members_of_user ON chat.members (user_id, room_id);

-- By class of retention, then by time: what expires goes by whole partitions, what is held stays.
CREATE TABLE chat.messages (
	class smallint NOT NULL,
	created_at timestamptz NOT NULL,
	room_id text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	message_id text COLLATE "C" NOT NULL,
	sender_id text COLLATE "C" NOT NULL,
	client_id text COLLATE "C" NOT NULL,
	text text NOT NULL,
	edit integer NOT NULL DEFAULT 0,         -- number of the newest edit; a deletion is one
	edited_at timestamptz,
	deleted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (room_id, seq, created_at, class)
) PARTITION BY LIST (class);
CREATE INDEX messages_of_sender ON chat.messages (sender_id, room_id, client_id);
CREATE TABLE chat.messages_expiring PARTITION OF chat.messages FOR VALUES IN (0) PARTITION BY RANGE (created_at);
CREATE TABLE chat.messages_held PARTITION OF chat.messages FOR VALUES IN (1) PARTITION BY RANGE (created_at);
CREATE TABLE chat.messages_held_all PARTITION OF chat.messages_held DEFAULT;

-- What messages of held rooms said before they were edited or deleted.
CREATE TABLE chat.held_versions (
	room_id text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	edit integer NOT NULL,
	sender_id text COLLATE "C" NOT NULL,
	text text NOT NULL,
	PRIMARY KEY (room_id, seq, edit)
);

CREATE TABLE chat.blocks (
	user_id text COLLATE "C" NOT NULL,
	blocked_id text COLLATE "C" NOT NULL,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, blocked_id)
);
CREATE INDEX blocks_of_blocked ON chat.blocks (blocked_id);

-- With a copy of the message, which expires before anybody has looked at it.
CREATE TABLE chat.reports (
	room_id text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	reporter_id text COLLATE "C" NOT NULL,
	sender_id text COLLATE "C" NOT NULL,
	reason text NOT NULL,
	text text NOT NULL,
	reported_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (room_id, seq, reporter_id)
);
CREATE INDEX reports_of_reporter ON chat.reports (reporter_id);
CREATE INDEX reports_of_sender ON chat.reports (sender_id);
CREATE INDEX reports_by_time ON chat.reports (reported_at);

-- Events on their way to WW_EVENTS, written by the transaction of what they tell. Ids are drawn under the room's lock, so
-- those of one room are published in its order.
CREATE TABLE chat.outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	message_id text NOT NULL,
	payload bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- Audit records on their way to WW_AUDIT, likewise.
CREATE TABLE chat.audit_outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	message_id text NOT NULL,
	payload bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
