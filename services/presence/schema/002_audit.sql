-- Audit records on their way to the stream, written in the transaction of what they are about: packed
-- AuditRecords. A row is deleted when the stream has acknowledged it.
CREATE TABLE presence.audit_outbox (
	-- Drawn under the lock of friendships, or the row of `users`: the order is that of the commits. Its
	-- sequence's CACHE stays 1.
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	message_id text NOT NULL,                   -- Nats-Msg-Id: the id of the first record
	payload bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
	-- Its rows live for milliseconds: without this the index fills with entries of deleted ones.
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 5000,
	autovacuum_vacuum_insert_scale_factor = 0,
	autovacuum_vacuum_insert_threshold = 5000,
	autovacuum_vacuum_cost_delay = 0,
	autovacuum_analyze_scale_factor = 0,
	autovacuum_analyze_threshold = 1000000,
	toast.autovacuum_vacuum_scale_factor = 0,
	toast.autovacuum_vacuum_threshold = 5000,
	toast.autovacuum_vacuum_cost_delay = 0
);
