-- The ledger of the demo's bank: double entry, whole units of 10^-scale. Run once, by the role that owns it.

DO $$ BEGIN IF to_regnamespace('bank') IS NULL THEN CREATE SCHEMA bank; END IF; END $$;

CREATE TABLE bank.accounts (
	id text PRIMARY KEY,
	owner text, -- a user; NULL: an account of the bank's own
	currency text NOT NULL,
	scale integer NOT NULL,
	balance bigint NOT NULL DEFAULT 0, -- the sum of its entries, kept here because everybody asks for it
	pending bigint NOT NULL DEFAULT 0 CHECK (pending >= 0), -- of transfers on their way to it
	version bigint NOT NULL DEFAULT 0, -- rises with every change
	CHECK (owner IS NULL OR balance >= 0)
);

INSERT INTO bank.accounts (id, currency, scale) VALUES
('world', 'EUR', 2),   -- other banks: deposits come from there, withdrawals go there
('shops', 'EUR', 2),   -- where people pay
('transit', 'EUR', 2); -- what left one wallet and has not arrived in another

-- Every movement of money, and what it did to which account.
CREATE TABLE bank.movements (
	id text PRIMARY KEY,
	kind text NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE bank.entries (
	movement text NOT NULL REFERENCES bank.movements,
	account text NOT NULL REFERENCES bank.accounts,
	units bigint NOT NULL CHECK (units <> 0),
	PRIMARY KEY (movement, account)
);

-- Looked at when all entries of a movement are there. A movement that does not sum to zero is never committed.
CREATE FUNCTION bank.check_movement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT sum(units) FROM bank.entries WHERE movement = NEW.movement) <> 0 THEN
		RAISE EXCEPTION 'movement % does not sum to zero', NEW.movement;
	END IF;
	RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER entries_sum_to_zero AFTER INSERT OR UPDATE ON bank.entries
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank.check_movement();

-- Transfers that take their time. They are rows, so they go on where they were when the process was killed.
CREATE TABLE bank.transfers (
	id text PRIMARY KEY,
	sender text NOT NULL REFERENCES bank.accounts,
	recipient text NOT NULL REFERENCES bank.accounts,
	units bigint NOT NULL CHECK (units > 0),
	note text NOT NULL,
	seconds integer NOT NULL,
	fails boolean NOT NULL,
	state text NOT NULL DEFAULT 'processing' CHECK (state IN ('processing', 'completed', 'failed')),
	progress integer NOT NULL DEFAULT 0,
	version bigint NOT NULL DEFAULT 1,
	started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz
);
CREATE INDEX transfers_under_way ON bank.transfers (started_at) WHERE state = 'processing';
CREATE INDEX transfers_ended ON bank.transfers (ended_at) WHERE state <> 'processing';

-- Requests that named a key: the same one again finds its answer here.
CREATE TABLE bank.requests (
	key text PRIMARY KEY,
	request text NOT NULL, -- a hash of what was asked
	answer json, -- as it was sent, in its order of keys
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX requests_at ON bank.requests (at);

-- When somebody's tokens were ended last: one of the same second would be dead from its birth.
CREATE TABLE bank.revocations (
	user_id text PRIMARY KEY,
	at timestamptz NOT NULL
);

-- What was done, for the desk to show.
CREATE TABLE bank.done (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	by text NOT NULL CHECK (by IN ('desk', 'day')),
	what text NOT NULL,
	text text NOT NULL,
	user_ids text[] NOT NULL,
	events json NOT NULL
);

-- One row: the simulated day, and whether the ready-made users were made friends.
CREATE TABLE bank.day (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	running boolean NOT NULL,
	pace_ms integer NOT NULL DEFAULT 6000,
	befriended boolean NOT NULL DEFAULT false
);
