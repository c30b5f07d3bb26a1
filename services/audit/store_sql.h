/* store_sql: the statements, numbered STORE_<name>. For store.c and store_read.c alone. */
#ifndef AUDIT_STORE_SQL_H
#define AUDIT_STORE_SQL_H

#define SQL_RECORD "SELECT stored_at, shard::bigint, number, hash, record FROM audit.records"

/* The lock's number is nobody else's in this database. */
#define STATEMENTS(S)                                                                             \
	S(TRY_LOCK, "SELECT pg_try_advisory_lock(7239471202511)")                                 \
	S(TAIL, "SELECT number, stored_at, hash FROM audit.records WHERE shard = $1::smallint"    \
		" AND stored_at >= $2::timestamptz ORDER BY number DESC, stored_at DESC LIMIT 1") \
	S(ROWS, "SELECT number, stored_at, hash, record FROM audit.records"                       \
		" WHERE shard = $1::smallint AND number > $2::bigint"                             \
		" ORDER BY number, stored_at LIMIT $3::bigint")                                   \
	S(LAST_HEAD,                                                                              \
	    "SELECT number, kind, hash, at, key_id, signature FROM audit.heads"                   \
	    " WHERE shard = $1::smallint AND kind <> 'loss' ORDER BY number DESC, kind LIMIT 1")  \
	S(POSITION, "SELECT stream_born, seq FROM audit.positions ORDER BY id DESC LIMIT 1")      \
	S(KNOWN, "SELECT r.place FROM unnest($1::text[]) WITH ORDINALITY AS r(id, place)"         \
		 " WHERE EXISTS (SELECT FROM audit.records WHERE id = r.id"                       \
		 " AND stored_at >= $2::timestamptz)")                                            \
	S(ADD_PIECE, "INSERT INTO audit.unreadable (id, subject, data)"                           \
		     " VALUES ($1::text, $2::text, $3::bytea)")                                   \
	S(SET_POSITION,                                                                           \
	    "INSERT INTO audit.positions (stream_born, seq) VALUES ($1::bigint, $2::bigint)")     \
	S(ADD_HEAD, "INSERT INTO audit.heads (shard, number, kind, hash, at, key_id, signature)"  \
		    " VALUES ($1::smallint, $2::bigint, $3::text, $4::bytea, $5::timestamptz,"    \
		    " $6::text, $7::bytea) ON CONFLICT DO NOTHING")                               \
	S(MAKE_PARTITIONS, "SELECT audit.make_partitions()")                                      \
	S(EXPIRED, "SELECT shard::bigint, number, hash FROM audit.expired()")                     \
	S(DROP_EXPIRED, "SELECT audit.drop_expired()")                                            \
	S(OF_USER, SQL_RECORD " WHERE users @> ARRAY[$1::text] AND action = ANY ($2::integer[])"  \
			      " AND stored_at >= $3::timestamptz AND stored_at < $4::timestamptz" \
			      " AND (stored_at, shard, number)"                                   \
			      " > ($5::timestamptz, $6::smallint, $7::bigint)"                    \
			      " ORDER BY stored_at, shard, number LIMIT $8::bigint")              \
	S(ALL, SQL_RECORD " WHERE stored_at >= $1::timestamptz AND stored_at < $2::timestamptz"   \
			  " AND (shard, number) > ($3::smallint, $4::bigint)"                     \
			  " ORDER BY shard, number LIMIT $5::bigint")

enum statement {
#define S(id, sql) STORE_##id,
	STATEMENTS(S)
#undef S
};

#endif
