-- Where ww-audit keeps the audit record. For psql or any migration tool; it may be run again. docs/audit.md tells
-- how to use it.
--
-- To be run by a role that may create roles and schemas (a superuser, say), in the database of Walletwire or in one
-- of its own: it needs nothing of the other schemas.

-- Three groups without login. walletwire_audit_owner owns everything; whoever runs this file becomes a member, and
-- nobody else should be.
--   GRANT walletwire_audit_writer TO <the role ww-audit signs in as>   may add rows and read them
--   GRANT walletwire_audit_reader TO <an auditor's role>               may read them
DO $$
DECLARE
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['walletwire_audit_owner', 'walletwire_audit_writer', 'walletwire_audit_reader'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role);
		END IF;
	END LOOP;
END
$$;

CREATE SCHEMA IF NOT EXISTS audit;

-- One row: how long records are kept. To be changed by whoever may run this file, never by ww-audit.
CREATE TABLE IF NOT EXISTS audit.policy (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	keep interval NOT NULL DEFAULT '400 days' CHECK (keep >= '1 day')
);
INSERT INTO audit.policy DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The chain. `record` is what came, byte for byte, and what the hash is made of together with the hash of the number
-- before (libs/ledger/chain.h). The columns behind it are an index: they say what is in the record.
CREATE TABLE IF NOT EXISTS audit.records (
	shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 15),
	number bigint NOT NULL CHECK (number > 0),   -- from 1 without gaps in each shard
	stored_at timestamptz NOT NULL,              -- never before that of the number before
	hash bytea NOT NULL CHECK (length(hash) = 32),
	record bytea NOT NULL,
	id text COLLATE "C" NOT NULL,
	at timestamptz NOT NULL,
	action integer NOT NULL,
	users text[] COLLATE "C" NOT NULL,           -- whom it is about, and the user who did it
	PRIMARY KEY (shard, number, stored_at)
) PARTITION BY RANGE (stored_at);
-- A record that comes again is looked for among those that were stored after it was made.
CREATE INDEX IF NOT EXISTS records_id ON audit.records (id);
CREATE INDEX IF NOT EXISTS records_users ON audit.records USING gin (users);

-- Signed heads (libs/ledger/head.h): how far a shard had got. An anchor is the last row that retention dropped, a loss the
-- last one before what an operator has accepted as lost.
CREATE TABLE IF NOT EXISTS audit.heads (
	shard smallint NOT NULL,
	number bigint NOT NULL,
	kind text NOT NULL CHECK (kind IN ('head', 'anchor', 'loss')),
	hash bytea NOT NULL,
	at timestamptz NOT NULL,
	key_id text NOT NULL,
	signature bytea NOT NULL,
	PRIMARY KEY (shard, number, kind)
);

-- Of an older version, which knew no losses.
ALTER TABLE audit.heads DROP CONSTRAINT IF EXISTS heads_kind_check,
	ADD CONSTRAINT heads_kind_check CHECK (kind IN ('head', 'anchor', 'loss'));

-- How far the stream was followed, written with every batch: the last row counts.
CREATE TABLE IF NOT EXISTS audit.positions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	stream_born bigint NOT NULL, -- when the stream was made, in nanoseconds since 1970: another one begins at 1
	seq bigint NOT NULL,         -- everything up to this number was stored, or is known to be lost
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Messages of the stream that hold no records. The chain has a record with their SHA-256.
CREATE TABLE IF NOT EXISTS audit.unreadable (
	id text COLLATE "C" NOT NULL, -- of that record
	subject text NOT NULL,
	data bytea NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON SCHEMA audit IS 'Who did what to whom, and when: append-only, hash-chained, signed';

-- Rights are what keeps rows as they are. This stands behind them, in the way of the owner's own mistakes.
CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'rows of %.% are never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit.records FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER never_emptied BEFORE TRUNCATE ON audit.records FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit.heads FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER never_emptied BEFORE TRUNCATE ON audit.heads FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- Partitions are made and dropped by the owner, since only an owner can, and asked for by ww-audit: each holds seven
-- days from a multiple of seven days after 1970 on, and is named for its first day.
CREATE OR REPLACE FUNCTION audit.make_partition(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first timestamptz := to_timestamp(floor(extract(epoch FROM at) / 604800) * 604800);
	name text := 'records_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
	IF to_regclass('audit.' || name) IS NOT NULL THEN
		RETURN;
	END IF;
	-- Made apart and then attached: that locks out nobody but whoever makes it at the same time, and finds it then.
	LOCK TABLE ONLY audit.records IN SHARE UPDATE EXCLUSIVE MODE;
	IF to_regclass('audit.' || name) IS NULL THEN
		EXECUTE format('CREATE TABLE audit.%I (LIKE audit.records INCLUDING ALL)', name);
		EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', name);
		EXECUTE format('ALTER TABLE audit.records ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', name, first, first + interval '604800 seconds');
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION audit.make_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	FOR week IN -1 .. 2 LOOP
		PERFORM audit.make_partition(now() + week * interval '604800 seconds');
	END LOOP;
END
$$;

-- The partitions that hold nothing younger than the policy says, oldest first.
CREATE OR REPLACE FUNCTION audit.expired_partitions() RETURNS SETOF regclass
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'audit.records'::regclass
	AND to_date(right(c.relname::text, 8), 'YYYYMMDD') + 7 <= ((now() - (SELECT keep FROM audit.policy)) AT TIME ZONE 'UTC')::date
	ORDER BY c.relname
$$;

-- The last row of each shard in them: what has to be signed as an anchor before they may go.
CREATE OR REPLACE FUNCTION audit.expired() RETURNS TABLE (shard smallint, number bigint, hash bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old text;
BEGIN
	SELECT string_agg(format('SELECT shard, number, hash FROM %s', p), ' UNION ALL ') INTO old
		FROM audit.expired_partitions() AS p;
	IF old IS NOT NULL THEN
		RETURN QUERY EXECUTE 'SELECT l.* FROM generate_series(0, 15) AS s CROSS JOIN LATERAL'
			' (SELECT * FROM (' || old || ') AS o WHERE o.shard = s ORDER BY o.number DESC LIMIT 1) AS l';
	END IF;
END
$$;

-- Drops them, if an anchor is there for the last row of each shard: so nothing that ww-audit may do takes away a row
-- that is younger than the policy says, or leaves a chain that can't be verified. Returns how many went.
CREATE OR REPLACE FUNCTION audit.drop_expired() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
	old regclass;
	dropped integer := 0;
BEGIN
	IF EXISTS (SELECT FROM audit.expired() e WHERE NOT EXISTS (SELECT FROM audit.heads h
		WHERE h.kind = 'anchor' AND h.shard = e.shard AND h.number = e.number AND h.hash = e.hash)) THEN
		RAISE EXCEPTION 'no anchor for the last row of what would be dropped';
	END IF;
	FOR old IN SELECT audit.expired_partitions() LOOP
		EXECUTE format('DROP TABLE %s', old);
		dropped := dropped + 1;
	END LOOP;
	DELETE FROM audit.positions p WHERE p.at < now() - interval '7 days'
		AND p.id < (SELECT max(id) FROM audit.positions);
	RETURN dropped;
END
$$;

SELECT audit.make_partitions();

DO $$
DECLARE
	thing text;
BEGIN
	EXECUTE 'GRANT walletwire_audit_owner TO ' || quote_ident(current_user);
	EXECUTE 'ALTER SCHEMA audit OWNER TO walletwire_audit_owner';
	FOR thing IN SELECT c.oid::regclass::text FROM pg_class c
		WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind IN ('r', 'p') LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO walletwire_audit_owner', thing);
	END LOOP;
	FOR thing IN SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO walletwire_audit_owner', thing);
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', thing);
	END LOOP;
END
$$;

GRANT USAGE ON SCHEMA audit TO walletwire_audit_writer, walletwire_audit_reader;
GRANT SELECT ON audit.records, audit.heads, audit.positions, audit.unreadable, audit.policy
	TO walletwire_audit_writer, walletwire_audit_reader;
GRANT INSERT ON audit.records, audit.heads, audit.unreadable TO walletwire_audit_writer;
GRANT INSERT (stream_born, seq) ON audit.positions TO walletwire_audit_writer;
GRANT EXECUTE ON FUNCTION audit.make_partitions(), audit.expired(), audit.drop_expired() TO walletwire_audit_writer;
