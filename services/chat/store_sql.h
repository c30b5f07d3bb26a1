/* store_sql: every statement of this service; included by the store*.c files alone. */
#ifndef CHAT_STORE_SQL_H
#define CHAT_STORE_SQL_H

/* Nobody else uses these numbers: "wwchat_" and its followers in ASCII. */
#define SQL_OUTBOX_LOCK_KEY "33626791065252959"
#define SQL_AUDIT_LOCK_KEY "33626791065252960"
#define SQL_UPKEEP_LOCK_KEY "33626791065252961"

#define SQL_ROOM                                                                            \
	"room_id, name, coalesce(first_id, ''), coalesce(second_id, ''), type, class, seq," \
	" changes, ended_at IS NOT NULL"
#define SQL_MEMBER "user_id, role, joins_as, from_seq, read_seq"
#define SQL_MESSAGE                                                                          \
	"message_id, room_id, sender_id, client_id, text, seq, edit, created_at, edited_at," \
	" deleted"
/* $1 room, $2 class, $3 after, $4 before, $5 since when. */
#define SQL_WINDOW                                                              \
	" FROM chat.messages WHERE room_id = $1::text AND class = $2::smallint" \
	" AND seq > $3::bigint AND seq < $4::bigint AND created_at > $5::timestamptz"

#define STATEMENTS(S)                                                                              \
	S(LOCK_ROOM, "SELECT " SQL_ROOM " FROM chat.rooms WHERE room_id = $1::text FOR UPDATE")    \
	S(FIND_ROOM, "SELECT " SQL_ROOM " FROM chat.rooms WHERE room_id = $1::text")               \
	S(MEMBERS,                                                                                 \
	    "SELECT " SQL_MEMBER ", clock_timestamp() FROM chat.members WHERE room_id = $1::text"  \
	    " ORDER BY role, since, user_id")                                                      \
	S(FIND_MEMBER, "SELECT " SQL_MEMBER " FROM chat.members"                                   \
		       " WHERE room_id = $1::text AND user_id = $2::text")                         \
	S(FIND_DIRECT, "SELECT room_id FROM chat.rooms"                                            \
		       " WHERE first_id = $1::text AND second_id = $2::text")                      \
	/* Of two numbers: nobody else's are. Pairs that share both wait for each other, no more.  \
	 */                                                                                        \
	S(LOCK_PAIR, "SELECT pg_advisory_xact_lock(hashtext($1::text), hashtext($2::text))")       \
	S(FIND_CREATED, "SELECT room_id FROM chat.rooms"                                           \
			" WHERE creator_id = $1::text AND client_id = $2::text")                   \
	S(INSERT_ROOM,                                                                             \
	    "INSERT INTO chat.rooms (room_id, type, name, first_id, second_id, creator_id,"        \
	    " client_id) VALUES ($1::text, $2::smallint, $3::text, nullif($4::text, ''),"          \
	    " nullif($5::text, ''), $6::text, $7::text) ON CONFLICT DO NOTHING RETURNING 1")       \
	S(INSERT_MEMBERS,                                                                          \
	    "INSERT INTO chat.members (room_id, user_id, role, joins_as, from_seq, read_seq)"      \
	    " SELECT $1::text, r.u, r.r, r.j, r.f, r.f FROM unnest($2::text[], $3::smallint[],"    \
	    " $4::smallint[], $5::bigint[]) WITH ORDINALITY AS r(u, r, j, f, o) ORDER BY r.o")     \
	S(SET_MEMBER, "UPDATE chat.members SET role = $3::smallint, joins_as = $4::smallint,"      \
		      " from_seq = $5::bigint, read_seq = greatest(read_seq, $6::bigint),"         \
		      " since = CASE WHEN role = 4 THEN clock_timestamp() ELSE since END"          \
		      " WHERE room_id = $1::text AND user_id = $2::text")                          \
	S(DELETE_MEMBER,                                                                           \
	    "DELETE FROM chat.members WHERE room_id = $1::text AND user_id = $2::text")            \
	S(TOUCH_ROOM, "UPDATE chat.rooms SET name = $2::text, changes = $3::bigint,"               \
		      " active_at = clock_timestamp(), ended_at = NULL WHERE room_id = $1::text")  \
	S(END_ROOM, "WITH uninvited AS (DELETE FROM chat.members WHERE room_id = $1::text)"        \
		    " UPDATE chat.rooms SET ended_at = clock_timestamp() WHERE room_id = $1")      \
	S(FORGET_ROOMS,                                                                            \
	    "DELETE FROM chat.rooms WHERE room_id IN (SELECT room_id FROM chat.rooms"              \
	    " WHERE ended_at < $1::timestamptz AND class = 0 LIMIT 10000 FOR UPDATE SKIP LOCKED)") \
	S(FIND_CROWDED,                                                                            \
	    "SELECT user_id FROM chat.members WHERE user_id = ANY ($1::text[])"                    \
	    " GROUP BY user_id HAVING count(*) >= $2::bigint ORDER BY user_id LIMIT 1")            \
	S(COUNT_CREATED, "SELECT count(*) FROM chat.rooms WHERE creator_id = $1::text"             \
			 " AND created_at > now() - interval '24 hours'")                          \
	/* The page is cut before anything else is looked up for its rooms. */                     \
	S(ROOMS,                                                                                   \
	    "SELECT p.room_id, p.name, p.type, p.role, p.seq, p.read_seq, p.active_at,"            \
	    " (SELECT array_agg(a.user_id ORDER BY a.role, a.since, a.user_id)"                    \
	    " FROM chat.members a WHERE a.room_id = p.room_id AND a.role < 4),"                    \
	    " x.message_id, x.room_id, x.sender_id, x.client_id, x.text, x.seq, x.edit,"           \
	    " x.created_at, x.edited_at, x.deleted"                                                \
	    " FROM (SELECT r.room_id, r.name, r.type, r.class, r.seq, r.active_at, m.role,"        \
	    " m.from_seq, m.read_seq FROM chat.members m JOIN chat.rooms r USING (room_id)"        \
	    " WHERE m.user_id = $1::text AND (r.active_at, r.room_id) < ($2::timestamptz,"         \
	    " $3::text) ORDER BY r.active_at DESC, r.room_id DESC LIMIT $5::bigint) p"             \
	    " LEFT JOIN LATERAL (SELECT " SQL_MESSAGE " FROM chat.messages y"                      \
	    " WHERE y.room_id = p.room_id AND y.class = p.class AND y.seq = p.seq"                 \
	    " AND y.created_at > $4::timestamptz AND p.role < 4 AND p.seq > p.from_seq) x ON true" \
	    " ORDER BY p.active_at DESC, p.room_id DESC")                                          \
	S(ARE_MEMBERS,                                                                             \
	    "SELECT m.role IS NOT NULL AND m.role < 4 FROM unnest($1::text[], $2::text[])"         \
	    " WITH ORDINALITY AS q(r, u, o) LEFT JOIN chat.members m"                              \
	    " ON m.room_id = q.r AND m.user_id = q.u ORDER BY q.o")                                \
	S(MOVE_MARKER, "UPDATE chat.members SET read_seq = $3::bigint WHERE room_id = $1::text"    \
		       " AND user_id = $2::text AND read_seq < $3 RETURNING 1")                    \
	/* Not in the partitions of days to come. An hour, since now() is from before the lock. */ \
	S(FIND_SENT, "SELECT " SQL_MESSAGE " FROM chat.messages WHERE sender_id = $1::text"        \
		     " AND room_id = $2::text AND client_id = $3::text"                            \
		     " AND created_at < now() + interval '1 hour' LIMIT 1")                        \
	S(FIND_MESSAGE, "SELECT " SQL_MESSAGE " FROM chat.messages WHERE room_id = $1::text"       \
			" AND seq = $2::bigint AND class = $3::smallint")                          \
	S(APPEND,                                                                                  \
	    "WITH said AS (INSERT INTO chat.messages (class, created_at, room_id, seq, "           \
	    "message_id,"                                                                          \
	    " sender_id, client_id, text) VALUES ($1::smallint, $2::timestamptz, $3::text,"        \
	    " $4::bigint, $5::text, $6::text, $7::text, $8::text))"                                \
	    ", counted AS (UPDATE chat.rooms SET seq = $4, active_at = $2 WHERE room_id = $3)"     \
	    ", marked AS (UPDATE chat.members SET read_seq = $4 WHERE room_id = $3"                \
	    " AND user_id = $6)"                                                                   \
	    " INSERT INTO chat.outbox (message_id, payload) VALUES ($9::text, $10::bytea)")        \
	S(KEEP_VERSION,                                                                            \
	    "INSERT INTO chat.held_versions (room_id, seq, edit, sender_id, text)"                 \
	    " SELECT room_id, seq, edit, sender_id, text FROM chat.messages WHERE class = 1"       \
	    " AND room_id = $1::text AND seq = $2::bigint ON CONFLICT DO NOTHING")                 \
	S(CHANGE_MESSAGE,                                                                          \
	    "UPDATE chat.messages SET text = $4::text, edit = $5::integer,"                        \
	    " edited_at = $6::timestamptz, deleted = $7::boolean WHERE room_id = $1::text"         \
	    " AND seq = $2::bigint AND class = $3::smallint")                                      \
	S(NEWEST, "SELECT " SQL_MESSAGE SQL_WINDOW " ORDER BY seq DESC LIMIT $6::bigint")          \
	S(OLDEST, "SELECT " SQL_MESSAGE SQL_WINDOW " ORDER BY seq LIMIT $6::bigint")               \
	S(OLDEST_SEQ, "SELECT seq" SQL_WINDOW " ORDER BY seq LIMIT 1")                             \
	S(SET_CLASS_OF_ROOM,                                                                       \
	    "UPDATE chat.rooms SET class = $2::smallint WHERE room_id = $1::text")                 \
	S(SET_CLASS_OF_MESSAGES, "WITH moved AS (UPDATE chat.messages SET class = $3::smallint"    \
				 " WHERE room_id = $1::text AND class = $2::smallint RETURNING 1)" \
				 " SELECT count(*) FROM moved")                                    \
	S(FORGET_HELD, "DELETE FROM chat.messages WHERE room_id = $1::text AND class = 1"          \
		       " AND created_at < $2::timestamptz")                                        \
	S(OLDEST_HELD, "SELECT coalesce(min(created_at), now()) FROM chat.messages"                \
		       " WHERE room_id = $1::text AND class = 1")                                  \
	S(FORGET_VERSIONS, "DELETE FROM chat.held_versions WHERE room_id = $1::text")              \
	S(FIND_BLOCKED,                                                                            \
	    "SELECT o FROM unnest($2::text[]) AS o WHERE EXISTS (SELECT FROM chat.blocks"          \
	    " WHERE user_id = $1::text AND blocked_id = o) OR EXISTS (SELECT FROM chat.blocks"     \
	    " WHERE user_id = o AND blocked_id = $1) ORDER BY 1 LIMIT 1")                          \
	S(BLOCK, "INSERT INTO chat.blocks (user_id, blocked_id) VALUES ($1::text, $2::text)"       \
		 " ON CONFLICT DO NOTHING RETURNING 1")                                            \
	S(UNBLOCK, "DELETE FROM chat.blocks WHERE user_id = $1::text AND blocked_id = $2::text"    \
		   " RETURNING 1")                                                                 \
	S(BLOCKS, "SELECT blocked_id FROM chat.blocks WHERE user_id = $1::text"                    \
		  " AND blocked_id > $2::text ORDER BY blocked_id LIMIT $3::bigint")               \
	S(REPORT, "INSERT INTO chat.reports (room_id, seq, reporter_id, sender_id, reason, text)"  \
		  " VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text)"         \
		  " ON CONFLICT DO NOTHING RETURNING 1")                                           \
	S(REPORTS, "SELECT room_id, seq, sender_id, reporter_id, reason, text, reported_at"        \
		   " FROM chat.reports WHERE (reported_at, room_id, seq, reporter_id)"             \
		   " < ($1::timestamptz, $2::text, $3::bigint, $4::text)"                          \
		   " ORDER BY reported_at DESC, room_id DESC, seq DESC, reporter_id DESC"          \
		   " LIMIT $5::bigint")                                                            \
	S(FORGET_REPORTS,                                                                          \
	    "DELETE FROM chat.reports WHERE (room_id, seq, reporter_id) IN (SELECT room_id, seq,"  \
	    " reporter_id FROM chat.reports WHERE reported_at < $1::timestamptz LIMIT 1000)")      \
	S(EXPORT_ROOMS,                                                                            \
	    "SELECT r.room_id, r.name, r.type, m.role, r.seq, m.read_seq FROM chat.members m"      \
	    " JOIN chat.rooms r USING (room_id) WHERE m.user_id = $1::text"                        \
	    " AND r.room_id > $2::text ORDER BY r.room_id LIMIT $3::bigint")                       \
	S(EXPORT_MESSAGES,                                                                         \
	    "SELECT " SQL_MESSAGE " FROM chat.messages WHERE sender_id = $1::text"                 \
	    " AND (room_id, seq) > ($2::text, $3::bigint) ORDER BY room_id, seq LIMIT $4::bigint") \
	S(EXPORT_BLOCKS, "SELECT blocked_id, since FROM chat.blocks WHERE user_id = $1::text"      \
			 " AND blocked_id > $2::text ORDER BY blocked_id LIMIT $3::bigint")        \
	S(EXPORT_REPORTS,                                                                          \
	    "SELECT room_id, seq, reason, reported_at FROM chat.reports"                           \
	    " WHERE reporter_id = $1::text AND (room_id, seq) > ($2::text, $3::bigint)"            \
	    " ORDER BY room_id, seq LIMIT $4::bigint")                                             \
	S(ROOM_OF_SENDER, "SELECT room_id FROM chat.messages WHERE sender_id = $1::text"           \
			  " AND NOT deleted LIMIT 1")                                              \
	S(ROOM_OF_MEMBER, "SELECT room_id FROM chat.members WHERE user_id = $1::text LIMIT 1")     \
	S(SENT, "SELECT " SQL_MESSAGE " FROM chat.messages WHERE sender_id = $1::text"             \
		" AND room_id = $2::text AND class = $3::smallint AND NOT deleted"                 \
		" ORDER BY seq LIMIT $4::bigint")                                                  \
	S(ERASE_BLOCKS, "WITH gone AS (DELETE FROM chat.blocks WHERE user_id = $1::text"           \
			" RETURNING 1) SELECT count(*) FROM gone")                                 \
	S(ERASE_REPORTS,                                                                           \
	    "WITH gone AS (DELETE FROM chat.reports WHERE reporter_id = $1::text RETURNING 1)"     \
	    ", blanked AS (UPDATE chat.reports SET text = '' WHERE sender_id = $1"                 \
	    " AND reporter_id <> $1 AND text <> '' RETURNING 1)"                                   \
	    " SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM blanked)")                \
	/* An id stands behind its length: not found within longer ids, or in what people say. */  \
	S(IS_TOLD, "SELECT 1 FROM chat.outbox, convert_to($1::text, 'UTF8') AS named"              \
		   " WHERE position(CASE octet_length(named) WHEN 128 THEN '\\x8001'::bytea"       \
		   " ELSE set_byte('\\x00', 0, octet_length(named)) END || named IN payload) > 0 " \
		   "LIMIT 1")                                                                      \
	S(UPKEEP_LOCK, "SELECT pg_try_advisory_lock(" SQL_UPKEEP_LOCK_KEY ")")                     \
	OUTBOX_STATEMENTS(S, OUTBOX, "chat.outbox", SQL_OUTBOX_LOCK_KEY)                           \
	AUDIT_STATEMENTS(S, "chat", SQL_AUDIT_LOCK_KEY)

enum statement {
#define S(id, sql) STORE_##id,
	STATEMENTS(S)
#undef S
};

#endif
