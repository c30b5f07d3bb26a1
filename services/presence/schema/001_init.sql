-- Who may see whom, and when somebody was last seen. Who is there now is not in here: edges tell it.
-- Ids are compared as bytes, so that their order is the same everywhere.

-- One row: which replica speaks to the edges, and until when it was well.
CREATE TABLE presence.speaker (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL DEFAULT 0,
	well_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
INSERT INTO presence.speaker DEFAULT VALUES;

-- Users without a row are visible and were never seen.
CREATE TABLE presence.users (
	user_id text COLLATE "C" PRIMARY KEY,
	visible boolean NOT NULL DEFAULT true,
	last_seen timestamptz
) WITH (fillfactor = 70);

-- Both directions of every friendship.
CREATE TABLE presence.friends (
	user_id text COLLATE "C" NOT NULL,
	friend_id text COLLATE "C" NOT NULL,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, friend_id)
);

-- What the replica that speaks has to tell: written by the transaction that makes the change, deleted
-- when it was told.
CREATE TABLE presence.changes (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind smallint NOT NULL,           -- 1 befriended, 2 no friends any more, 3 visible or not
	user_id text COLLATE "C" NOT NULL,
	friend_id text COLLATE "C"        -- of 1 and 2
);
CREATE INDEX changes_of_privacy ON presence.changes (id) WHERE kind = 3;
