-- The outbox of a wallet: events that the wallet writes in its own transaction, and that ww-outbox
-- publishes. For psql or any migration tool; it may be run again. docs/outbox.md tells how to use it.
--
-- To be run by a role that may create roles and schemas, in the wallet's database. For another schema
-- than walletwire_outbox replace that name in this file and tell ww-outbox (--outbox-schema).

CREATE SCHEMA IF NOT EXISTS walletwire_outbox;

-- What waits to be published, oldest first. A row is deleted when the stream has acknowledged it.
CREATE TABLE IF NOT EXISTS walletwire_outbox.events (
	-- Drawn when the row is inserted: whoever first locked the row of the key's wallet inserts in the
	-- order of commits, and that is the order of publication. Keep the sequence's CACHE at 1.
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- Whose order matters: the wallet's id, the account's. Rows of different keys overtake each other.
	key text NOT NULL,
	-- The kind of event: balance, transaction, transfer, payment ... and the name of its member in `event`.
	type text NOT NULL,
	-- As a line of `ww publish --json`. Money as text or {units, scale}: a JSON number is refused.
	event jsonb NOT NULL,
	-- The event's id if `event` names none. Together with the type it is the idempotency key.
	uid uuid NOT NULL DEFAULT gen_random_uuid(),
	-- When it occurred if `event` does not say.
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
	-- Its rows live for milliseconds: without this the index fills with entries of deleted ones.
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 5000,
	autovacuum_vacuum_insert_scale_factor = 0,
	autovacuum_vacuum_insert_threshold = 5000,
	autovacuum_vacuum_cost_delay = 0,
	autovacuum_analyze_scale_factor = 0,
	autovacuum_analyze_threshold = 1000000
);

-- What can't be published, whatever is tried: put aside, so that it does not hold up what follows.
CREATE TABLE IF NOT EXISTS walletwire_outbox.dead (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	event_id bigint NOT NULL, -- events.id
	key text NOT NULL,
	type text NOT NULL,
	event jsonb NOT NULL,
	uid uuid NOT NULL,
	created_at timestamptz NOT NULL,
	reason text NOT NULL,
	set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON SCHEMA walletwire_outbox IS 'Events on their way from the wallet to Walletwire';
COMMENT ON TABLE walletwire_outbox.events IS 'Written in the wallet''s transactions, published and deleted by ww-outbox';
COMMENT ON TABLE walletwire_outbox.dead IS 'Events that can''t be published, with the reason';

-- Two groups without login: GRANT walletwire_outbox_writer TO <the wallet's role>, and
-- GRANT walletwire_outbox_relay TO <the role ww-outbox signs in as>.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'walletwire_outbox_writer') THEN
		CREATE ROLE walletwire_outbox_writer NOLOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'walletwire_outbox_relay') THEN
		CREATE ROLE walletwire_outbox_relay NOLOGIN;
	END IF;
END
$$;

GRANT USAGE ON SCHEMA walletwire_outbox TO walletwire_outbox_writer, walletwire_outbox_relay;
GRANT INSERT (key, type, event) ON walletwire_outbox.events TO walletwire_outbox_writer;
GRANT SELECT, DELETE ON walletwire_outbox.events TO walletwire_outbox_relay;
GRANT SELECT, INSERT ON walletwire_outbox.dead TO walletwire_outbox_relay;
