/*
 * store_sql: every statement of this service; included by the store_*.c files alone.
 *
 * S(ID, sql): STORE_<ID> is its index. Lists travel as array parameters, so a batch is one
 * statement.
 */
#ifndef NOTIFICATIONS_STORE_SQL_H
#define NOTIFICATIONS_STORE_SQL_H

/* An item of a mailbox row m, with its body b and, if it has one, its inbox row i. */
#define SQL_ITEM                                                                   \
	"m.seq, m.applied_at, coalesce(b.payload, ''), coalesce(b.blanked, true)," \
	" i.event_id, i.type, i.priority, i.title, i.text, i.created_at, i.expires_at"
#define SQL_ITEM_JOINS                                               \
	" LEFT JOIN notifications.bodies b ON b.body_id = m.body_id" \
	" LEFT JOIN notifications.inbox i ON i.user_id = m.user_id AND i.seq = m.seq"

/* The timeline: the log file that is written now is named after it. */
#define SQL_TIMELINE "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
#define SQL_SYSTEM "(SELECT system_identifier::text FROM pg_control_system())"

/* The locks of the applier and of the audit relay: nobody else uses these numbers. */
#define SQL_LOCK_KEY "33624953393342822"
#define SQL_AUDIT_LOCK_KEY "33626782693615988"

/* Nobody but the holder of the lock writes either table; the other one was looked into by
 * FIND_APPLIED. */
#define SQL_REMEMBER(table)                                                        \
	"INSERT INTO notifications." table " (event_key, applied_at, users, seqs)" \
	" VALUES ($1::text, $2::timestamptz, '{}', '{}') ON CONFLICT DO NOTHING RETURNING 1"

/* States are literals here, so that the partial index of what is unread can be used. */
#define SQL_MOVE(state_, read_at, archived_at)                                                \
	"WITH picked AS (SELECT seq, type, priority, state < 3 AND " state_ " >= 3 AS leaves" \
	" FROM notifications.inbox WHERE user_id = $1::text AND state < " state_              \
	" AND seq <= $3::bigint AND (cardinality($2::text[]) = 0 OR event_id = ANY ($2)))"    \
	", moved AS (UPDATE notifications.inbox i SET state = " state_                        \
	", seen_at = coalesce(i.seen_at, $4::timestamptz)" read_at archived_at                \
	" FROM picked p WHERE i.user_id = $1 AND i.seq = p.seq)"                              \
	" SELECT type, priority, count(*), count(*) FILTER (WHERE leaves)"                    \
	" FROM picked GROUP BY type, priority"
#define SQL_MOVE_READ_AT ", read_at = coalesce(i.read_at, $4)"

/*
 * Items that leave the inbox, whose users are locked: told by user, type and priority, how many of
 * them were unread, and which they are.
 */
#define SQL_WITHDRAW(state_, below, texts)                                                      \
	"WITH picked AS (SELECT i.user_id, i.seq, i.type, i.priority, i.state"                  \
	" FROM unnest($1::text[], $2::bigint[]) AS r(u, s)"                                     \
	" JOIN notifications.inbox i ON i.user_id = r.u AND i.seq = r.s WHERE i.state < " below \
	"), moved AS (UPDATE notifications.inbox i SET state = " state_ texts                   \
	" FROM picked p WHERE i.user_id = p.user_id AND i.seq = p.seq)"                         \
	" SELECT user_id, type, priority, count(*), count(*) FILTER (WHERE state < 3)"          \
	", array_agg(seq ORDER BY seq)"                                                         \
	" FROM picked GROUP BY user_id, type, priority ORDER BY user_id, type, priority"

/* An announcement's own columns, and what it is for; parameters 1 to 8. */
#define SQL_ANNOUNCEMENT "id, title, text, priority, expires_at, countries, languages, tiers"
#define SQL_ANNOUNCEMENT_VALUES                                                                 \
	"$1::text, $2::text, $3::text, $4::smallint, $5::timestamptz, $6::text[], $7::text[], " \
	"$8::text[]"
/* Who comes late to an announcement is told of its end alone. */
#define SQL_LOG_ENTRY                                                                  \
	"announcement_seq, CASE WHEN change = 1 AND ended > 0 THEN ended ELSE change " \
	"END, " SQL_ANNOUNCEMENT

/* What lives (a) and is for the user $1 (u, who may have no row), with its mark (k). */
#define SQL_LIVE_FOR                                                                   \
	" FROM notifications.announcements a"                                          \
	" LEFT JOIN notifications.users u ON u.user_id = $1::text"                     \
	" LEFT JOIN notifications.marks k ON k.user_id = $1 AND k.announcement_seq = " \
	"a.announcement_seq"                                                           \
	" WHERE a.change = 1 AND a.ended = 0"                                          \
	" AND (a.countries = '{}' OR u.country = ANY (a.countries))"                   \
	" AND (a.languages = '{}' OR u.language = ANY (a.languages))"                  \
	" AND (a.tiers = '{}' OR u.tier = ANY (a.tiers))"
/* InboxState: by its own mark, or by how far the user got with all. */
#define SQL_MARK_STATE                                                                           \
	"greatest(coalesce(k.state, 1), CASE WHEN a.announcement_seq <= u.archived_up_to THEN 4" \
	" WHEN a.announcement_seq <= u.read_up_to THEN 3"                                        \
	" WHEN a.announcement_seq <= u.seen_up_to THEN 2 ELSE 1 END)::smallint"

/* How far the user $1 got, and a row for each that was read beyond; columns as in OPEN, part 3. */
#define SQL_MARKS                                                                             \
	"SELECT 3, u.country, u.read_up_to, coalesce(k.announcement_seq, 0), 0, NULL::bytea," \
	" u.language, u.tier FROM notifications.users u LEFT JOIN (notifications.marks k"     \
	" JOIN notifications.announcements a ON a.announcement_seq = k.announcement_seq"      \
	" AND a.change = 1 AND a.ended = 0) ON k.user_id = u.user_id AND k.state >= 3"        \
	" AND k.announcement_seq > u.read_up_to WHERE u.user_id = $1::text"

/* The user's transfers, by themselves: asked for in an order, they would be searched for in it. */
#define SQL_TRANSFERS_OF                                                              \
	"WITH found AS MATERIALIZED (SELECT transfer_id FROM notifications.transfers" \
	" WHERE parties @> ARRAY[$1::text])"

#define SQL_LIST(filter)                                                                  \
	"SELECT i.seq, i.created_at, coalesce(b.payload, ''), coalesce(b.blanked, true)," \
	" i.event_id, i.type, i.priority, i.title, i.text, i.created_at, i.expires_at,"   \
	" i.state, i.read_at FROM notifications.inbox i"                                  \
	" LEFT JOIN notifications.bodies b ON b.body_id = i.body_id"                      \
	" WHERE i.user_id = $1::text AND i.seq < $2::bigint AND i.state < 5" filter       \
	" AND (cardinality($3::smallint[]) = 0 OR i.type = ANY ($3::smallint[]))"         \
	" AND ($4::smallint = 0 OR i.priority = $4)"                                      \
	" AND (i.expires_at IS NULL OR i.expires_at > $5::timestamptz)"                   \
	" ORDER BY i.seq DESC LIMIT $6::bigint"

#define STATEMENTS(S)                                                                              \
	S(IDENTITY_LOCK, "SELECT epoch, system_identifier = " SQL_SYSTEM                           \
			 " AND timeline = " SQL_TIMELINE " FROM notifications.meta FOR UPDATE")    \
	S(IDENTITY_SET,                                                                            \
	    "UPDATE notifications.meta SET epoch = $1, system_identifier = " SQL_SYSTEM            \
	    ", timeline = " SQL_TIMELINE)                                                          \
	S(EPOCH, "SELECT epoch FROM notifications.meta")                                           \
	S(TRY_LOCK, "SELECT pg_try_advisory_lock(" SQL_LOCK_KEY ")")                               \
	S(TAKE_OVER, "UPDATE notifications.progress p SET handed_over = false"                     \
		     " FROM (SELECT * FROM notifications.progress FOR UPDATE) old"                 \
		     " RETURNING old.stream_seq, old.applied_period, old.handed_over")             \
	S(HAND_OVER, "UPDATE notifications.progress SET handed_over = true")                       \
	S(PROGRESS_SET,                                                                            \
	    "UPDATE notifications.progress SET stream_seq = $1::bigint WHERE stream_seq < $1")     \
	S(CREATE_USERS, "INSERT INTO notifications.users (user_id)"                                \
			" SELECT u FROM unnest($1::text[]) WITH ORDINALITY AS r(u, o) ORDER BY o"  \
			" ON CONFLICT DO NOTHING")                                                 \
	S(LOCK_USERS, "SELECT user_id, seq, rev, unread FROM notifications.users"                  \
		      " WHERE user_id = ANY ($1::text[]) ORDER BY user_id FOR UPDATE")             \
	S(READ_USERS, "SELECT user_id, seq, rev, unread FROM notifications.users"                  \
		      " WHERE user_id = ANY ($1::text[])")                                         \
	S(SET_NUMBERS,                                                                             \
	    "UPDATE notifications.users u SET seq = r.seq, rev = r.rev"                            \
	    " FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS r(user_id, seq, rev)"         \
	    " WHERE u.user_id = r.user_id")                                                        \
	S(SET_USERS,                                                                               \
	    "UPDATE notifications.users u SET seq = r.seq, rev = r.rev,"                           \
	    " unread = ($4::integer[])[r.first:r.last]"                                            \
	    " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $5::integer[], $6::integer[])"   \
	    " AS r(user_id, seq, rev, first, last)"                                                \
	    " WHERE u.user_id = r.user_id")                                                        \
	S(FIND_APPLIED, "SELECT event_key, users, seqs FROM notifications.applied_a"               \
			" WHERE event_key = ANY ($1::text[])"                                      \
			" UNION ALL SELECT event_key, users, seqs FROM notifications.applied_b"    \
			" WHERE event_key = ANY ($1::text[])")                                     \
	S(REMEMBER_A, SQL_REMEMBER("applied_a"))                                                   \
	S(REMEMBER_B, SQL_REMEMBER("applied_b"))                                                   \
	S(BALANCE_VERSIONS, "SELECT b.user_id, b.wallet_id, b.version"                             \
			    " FROM unnest($1::text[], $2::text[]) AS r(user_id, wallet_id)"        \
			    " JOIN notifications.balances b USING (user_id, wallet_id)")           \
	S(TRANSFER_VERSIONS, "SELECT transfer_id, version FROM notifications.transfers"            \
			     " WHERE transfer_id = ANY ($1::text[])")                              \
	S(DRAW_BODY_IDS, "SELECT nextval('notifications.body_ids')")                               \
	S(TAKE_UNREAD,                                                                             \
	    "UPDATE notifications.users u"                                                         \
	    " SET unread = notifications.unread_less(u.unread, r.types, r.priorities, r.ns)"       \
	    " FROM (SELECT user_id, array_agg(type) AS types, array_agg(priority) AS priorities,"  \
	    " array_agg(n) AS ns"                                                                  \
	    " FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::integer[])"              \
	    " AS x(user_id, type, priority, n) GROUP BY user_id) r"                                \
	    " WHERE u.user_id = r.user_id")                                                        \
	S(SET_BALANCES,                                                                            \
	    "INSERT INTO notifications.balances AS b (user_id, wallet_id, version, payload, "      \
	    "updated_at)"                                                                          \
	    " SELECT r.u, r.w, r.v, r.p, $5::timestamptz"                                          \
	    " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS r(u, w, v, p)"     \
	    " ON CONFLICT (user_id, wallet_id) DO UPDATE SET version = excluded.version,"          \
	    " payload = excluded.payload, updated_at = excluded.updated_at, gone = false"          \
	    " WHERE b.version < excluded.version")                                                 \
	S(WALLETS, "SELECT wallet_id, version, gone, updated_at, payload"                          \
		   " FROM notifications.balances WHERE user_id = $1::text"                         \
		   " ORDER BY gone, updated_at DESC LIMIT $2::bigint")                             \
	S(CREATE_USER, "INSERT INTO notifications.users (user_id) VALUES ($1::text)"               \
		       " ON CONFLICT DO NOTHING")                                                  \
	S(CONFIRM_WALLETS, "UPDATE notifications.balances b SET updated_at = $3::timestamptz,"     \
			   " gone = NOT b.wallet_id = ANY ($2::text[]) WHERE b.user_id = $1::text" \
			   " AND (b.wallet_id = ANY ($2) OR NOT b.gone)")                          \
	S(SET_TRANSFERS,                                                                           \
	    "INSERT INTO notifications.transfers AS t"                                             \
	    " (transfer_id, version, payload, parties, updated_at, final)"                         \
	    " SELECT r.i, r.v, r.p, x.parties, $6::timestamptz, r.f"                               \
	    " FROM unnest($1::text[], $2::bigint[], $3::bytea[], $7::boolean[]) AS r(i, v, p, f)"  \
	    " JOIN (SELECT i, array_agg(u) AS parties FROM"                                        \
	    " unnest($4::text[], $5::text[]) AS y(i, u) GROUP BY i) x ON x.i = r.i"                \
	    " ON CONFLICT (transfer_id) DO UPDATE SET version = excluded.version,"                 \
	    " payload = excluded.payload, parties = excluded.parties,"                             \
	    " updated_at = excluded.updated_at, final = excluded.final"                            \
	    " WHERE t.version < excluded.version")                                                 \
	S(DRAW_ANNOUNCEMENTS,                                                                      \
	    "UPDATE notifications.meta SET announcement_seq = announcement_seq + $1::bigint"       \
	    " RETURNING announcement_seq - $1 + 1")                                                \
	S(UNREAD_OF, "SELECT user_id, type, priority, n FROM notifications.unread"                 \
		     " WHERE user_id = ANY ($1::text[]) ORDER BY user_id, type, priority")         \
	S(OLD_ITEMS, "SELECT " SQL_ITEM ", m.user_id"                                              \
		     " FROM unnest($1::text[], $2::bigint[]) AS r(user_id, seq)"                   \
		     " JOIN notifications.mailbox m ON m.user_id = r.user_id AND m.seq = "         \
		     "r.seq" SQL_ITEM_JOINS " ORDER BY m.user_id, m.seq")                          \
	S(OLD_BALANCES, "SELECT b.user_id, b.version, b.payload"                                   \
			" FROM unnest($1::text[], $2::text[]) AS r(user_id, wallet_id)"            \
			" JOIN notifications.balances b USING (user_id, wallet_id)")               \
	S(OLD_TRANSFERS, "SELECT version, payload, parties FROM notifications.transfers"           \
			 " WHERE transfer_id = ANY ($1::text[])")                                  \
	S(COUNT_ATTEMPT,                                                                           \
	    "INSERT INTO notifications.attempts AS a (stream_seq, subject, n, last_error, "        \
	    "tried_at)"                                                                            \
	    " VALUES ($1::bigint, $2::text, 1, $3::text, $4::timestamptz)"                         \
	    " ON CONFLICT (stream_seq) DO UPDATE SET n = a.n + 1, subject = excluded.subject,"     \
	    " last_error = CASE WHEN excluded.last_error = '' THEN a.last_error"                   \
	    " ELSE excluded.last_error END, tried_at = excluded.tried_at RETURNING n, last_error") \
	S(UNCOUNT_ATTEMPT,                                                                         \
	    "UPDATE notifications.attempts SET n = n - 1 WHERE stream_seq = $1::bigint")           \
	S(FORGET_ATTEMPTS,                                                                         \
	    "DELETE FROM notifications.attempts WHERE stream_seq = ANY ($1::bigint[])")            \
	S(OPEN,                                                                                    \
	    "SELECT 0 AS part, m.epoch AS a, coalesce(u.seq, 0) AS x, coalesce(u.rev, 0) AS y,"    \
	    " m.announcement_seq AS z, NULL::bytea AS payload, '', ''"                             \
	    " FROM notifications.meta m LEFT JOIN notifications.users u ON u.user_id = $1::text"   \
	    " UNION ALL SELECT 1, '', type, priority, n, NULL, '', '' FROM notifications.unread"   \
	    " WHERE user_id = $1"                                                                  \
	    " UNION ALL (SELECT 2, wallet_id, version, 0, 0, payload, '', ''"                      \
	    " FROM notifications.balances"                                                         \
	    " WHERE user_id = $1 AND NOT gone ORDER BY updated_at DESC LIMIT 1000)"                \
	    " UNION ALL " SQL_MARKS " ORDER BY part, x, y")                                        \
	S(HEADS, "SELECT m.epoch, m.announcement_seq, r.user_id, coalesce(u.seq, 0), "             \
		 "coalesce(u.rev, 0)"                                                              \
		 " FROM notifications.meta m"                                                      \
		 " LEFT JOIN unnest($1::text[]) WITH ORDINALITY AS r(user_id, o) ON true"          \
		 " LEFT JOIN notifications.users u ON u.user_id = r.user_id ORDER BY r.o")         \
	S(HEAD, "SELECT m.epoch, coalesce(u.seq, 0) FROM notifications.meta m"                     \
		" LEFT JOIN notifications.users u ON u.user_id = $1::text")                        \
	S(SINCE, "SELECT " SQL_ITEM " FROM notifications.mailbox m" SQL_ITEM_JOINS                 \
		 " WHERE m.user_id = $1::text AND m.seq > $2::bigint AND m.seq <= $3::bigint"      \
		 " ORDER BY m.seq LIMIT $4::bigint")                                               \
	S(HAS_ITEM,                                                                                \
	    "SELECT 1 FROM notifications.mailbox WHERE user_id = $1::text AND seq = $2::bigint")   \
	S(ANNOUNCEMENTS_HEAD, "SELECT epoch, announcement_seq FROM notifications.meta")            \
	S(LIST, SQL_LIST(""))                                                                      \
	S(LIST_UNREAD, SQL_LIST(" AND i.state < 3"))                                               \
	S(UNREAD, "SELECT coalesce(n.type, 0), coalesce(n.priority, 0), coalesce(n.n, 0), u.rev"   \
		  " FROM notifications.users u"                                                    \
		  " LEFT JOIN notifications.unread n ON n.user_id = u.user_id"                     \
		  " WHERE u.user_id = $1::text ORDER BY 1, 2")                                     \
	S(TRANSFER, "SELECT payload, $2::text = ANY (parties) FROM notifications.transfers"        \
		    " WHERE transfer_id = $1::text")                                               \
	S(LOCK_USER,                                                                               \
	    "SELECT seq, rev FROM notifications.users WHERE user_id = $1::text FOR UPDATE")        \
	S(MOVE_SEEN, SQL_MOVE("2", "", ""))                                                        \
	S(MOVE_READ, SQL_MOVE("3", SQL_MOVE_READ_AT, ""))                                          \
	S(MOVE_ARCHIVED, SQL_MOVE("4", SQL_MOVE_READ_AT, ", archived_at = $4"))                    \
	S(FIND_EVENT, "SELECT users, seqs FROM notifications.applied_a WHERE event_key = $1::text" \
		      " UNION ALL SELECT users, seqs FROM notifications.applied_b"                 \
		      " WHERE event_key = $1")                                                     \
	S(FIND_EXPIRED, "SELECT user_id, seq FROM notifications.inbox"                             \
			" WHERE state < 3 AND expires_at <= $1::timestamptz"                       \
			" ORDER BY expires_at LIMIT $2::bigint")                                   \
	S(EXPIRE, SQL_WITHDRAW("5", "3", ""))                                                      \
	S(RECALL, SQL_WITHDRAW("6", "6", ", title = '', text = ''"))                               \
	S(BLANK_ITEMS, "UPDATE notifications.bodies b SET blanked = true, payload = ''"            \
		       " FROM unnest($1::text[], $2::bigint[]) AS r(u, s)"                         \
		       " JOIN notifications.inbox i ON i.user_id = r.u AND i.seq = r.s"            \
		       " WHERE b.body_id = i.body_id AND NOT b.blanked")                           \
	S(INSERT_ANNOUNCEMENT,                                                                     \
	    "INSERT INTO notifications.announcements (change, " SQL_ANNOUNCEMENT                   \
	    ", announcement_seq, logged_at) VALUES (1, " SQL_ANNOUNCEMENT_VALUES                   \
	    ", $9::bigint, $10::timestamptz)")                                                     \
	S(SCHEDULE,                                                                                \
	    "INSERT INTO notifications.scheduled (" SQL_ANNOUNCEMENT ", starts_at)"                \
	    " VALUES (" SQL_ANNOUNCEMENT_VALUES ", $9::timestamptz) ON CONFLICT DO NOTHING")       \
	S(DUE_ANNOUNCEMENTS, "DELETE FROM notifications.scheduled WHERE id IN (SELECT id FROM "    \
			     "notifications.scheduled"                                             \
			     " WHERE starts_at <= $1::timestamptz ORDER BY starts_at LIMIT 100)"   \
			     " RETURNING " SQL_ANNOUNCEMENT)                                       \
	S(UNSCHEDULE, "DELETE FROM notifications.scheduled WHERE id = $1::text RETURNING 1")       \
	S(RECALL_ANNOUNCEMENT,                                                                     \
	    "UPDATE notifications.announcements SET ended = 2, title = '', text = ''"              \
	    " WHERE id = $1::text AND change = 1 AND ended = 0 RETURNING 1")                       \
	S(HAS_ANNOUNCEMENT,                                                                        \
	    "SELECT 1 FROM notifications.announcements WHERE id = $1::text LIMIT 1")               \
	S(EXPIRE_ANNOUNCEMENTS,                                                                    \
	    "UPDATE notifications.announcements SET ended = 3 WHERE announcement_seq IN"           \
	    " (SELECT announcement_seq FROM notifications.announcements"                           \
	    " WHERE change = 1 AND ended = 0 AND expires_at <= $1::timestamptz LIMIT 100)"         \
	    " RETURNING id")                                                                       \
	S(LOG_END,                                                                                 \
	    "INSERT INTO notifications.announcements (announcement_seq, change, id, logged_at)"    \
	    " VALUES ($1::bigint, $2::smallint, $3::text, $4::timestamptz)")                       \
	S(ANNOUNCEMENTS_BY_ID, "SELECT " SQL_LOG_ENTRY " FROM notifications.announcements"         \
			       " WHERE id = ANY ($1::text[]) ORDER BY announcement_seq")           \
	S(ANNOUNCEMENTS, "SELECT " SQL_LOG_ENTRY " FROM notifications.announcements"               \
			 " WHERE announcement_seq > $1::bigint AND announcement_seq <= $2::bigint" \
			 " ORDER BY announcement_seq LIMIT $3::bigint")                            \
	S(LIVE, "SELECT announcement_seq, id, priority, countries, languages, tiers"               \
		" FROM notifications.announcements WHERE change = 1 AND ended = 0"                 \
		" ORDER BY announcement_seq")                                                      \
	S(SET_CLAIMS,                                                                              \
	    "INSERT INTO notifications.users AS u (user_id, rev, country, language, tier)"         \
	    " VALUES ($1::text, 1, $2::text, $3::text, $4::text)"                                  \
	    " ON CONFLICT (user_id) DO UPDATE SET rev = u.rev + 1, country = excluded.country,"    \
	    " language = excluded.language, tier = excluded.tier"                                  \
	    " WHERE (u.country, u.language, u.tier)"                                               \
	    " <> (excluded.country, excluded.language, excluded.tier)")                            \
	S(MARKS, SQL_MARKS " ORDER BY 4")                                                          \
	S(LIVE_UNREAD,                                                                             \
	    "SELECT m.announcement_seq, coalesce(x.priority, 0), coalesce(x.n, 0)"                 \
	    " FROM notifications.meta m LEFT JOIN (SELECT a.priority, count(*) AS n" SQL_LIVE_FOR  \
	    " AND " SQL_MARK_STATE " < 3 GROUP BY a.priority) x ON true ORDER BY 2")               \
	S(MARK_ANNOUNCEMENTS,                                                                      \
	    "WITH picked AS (SELECT a.announcement_seq" SQL_LIVE_FOR                               \
	    " AND a.id = ANY ($2::text[]) AND " SQL_MARK_STATE " < $3::smallint)"                  \
	    ", marked AS (INSERT INTO notifications.marks AS k"                                    \
	    " (user_id, announcement_seq, state, read_at)"                                         \
	    " SELECT $1, announcement_seq, $3, CASE WHEN $3 >= 3 THEN $4::timestamptz END"         \
	    " FROM picked ON CONFLICT (user_id, announcement_seq) DO UPDATE"                       \
	    " SET state = excluded.state, read_at = coalesce(k.read_at, excluded.read_at))"        \
	    " SELECT count(*) FROM picked")                                                        \
	S(PASS_ANNOUNCEMENTS,                                                                      \
	    "WITH picked AS (SELECT 1" SQL_LIVE_FOR " AND a.announcement_seq <= $2::bigint"        \
	    " AND " SQL_MARK_STATE " < $3::smallint)"                                              \
	    ", passed AS (UPDATE notifications.users SET seen_up_to = greatest(seen_up_to, h.n),"  \
	    " read_up_to = CASE WHEN $3 >= 3 THEN greatest(read_up_to, h.n) ELSE read_up_to END,"  \
	    " archived_up_to = CASE WHEN $3 >= 4 THEN greatest(archived_up_to, h.n)"               \
	    " ELSE archived_up_to END FROM (SELECT least($2, announcement_seq) AS n"               \
	    " FROM notifications.meta) h WHERE user_id = $1)"                                      \
	    " SELECT count(*) FROM picked")                                                        \
	S(LIST_ANNOUNCEMENTS,                                                                      \
	    "SELECT a.announcement_seq, a.id, a.title, a.text, a.priority, a.expires_at,"          \
	    " a.countries, a.languages, a.tiers, a.logged_at, " SQL_MARK_STATE                     \
	    ", k.read_at" SQL_LIVE_FOR " AND a.announcement_seq < $2::bigint AND " SQL_MARK_STATE  \
	    " < $3::smallint"                                                                      \
	    " AND ($4::smallint = 0 OR a.priority = $4)"                                           \
	    " ORDER BY a.announcement_seq DESC LIMIT $5::bigint")                                  \
	S(FORGET_MARKS,                                                                            \
	    "WITH ended AS (SELECT announcement_seq FROM notifications.announcements"              \
	    " WHERE change = 1 AND ended > 0 AND NOT cleared ORDER BY announcement_seq LIMIT 1)"   \
	    ", gone AS (DELETE FROM notifications.marks WHERE (user_id, announcement_seq) IN"      \
	    " (SELECT k.user_id, k.announcement_seq FROM notifications.marks k JOIN ended e"       \
	    " ON e.announcement_seq = k.announcement_seq LIMIT $1::bigint) RETURNING 1)"           \
	    " UPDATE notifications.announcements SET cleared = true WHERE announcement_seq ="      \
	    " (SELECT announcement_seq FROM ended) AND (SELECT count(*) FROM gone) < $1::bigint")  \
	S(REVOKE, "INSERT INTO notifications.revocations AS r (kind, id, issued_before, reason)"   \
		  " VALUES ($1::text, $2::text, $3::timestamptz, $4::text)"                        \
		  " ON CONFLICT (kind, id) DO UPDATE SET"                                          \
		  " issued_before = greatest(r.issued_before, excluded.issued_before),"            \
		  " reason = excluded.reason")                                                     \
	S(REVOCATIONS, "SELECT kind, id, issued_before FROM notifications.revocations")            \
	S(NUMBERS,                                                                                 \
	    "SELECT u.seq, u.rev,"                                                                 \
	    " (SELECT count(*) FROM notifications.mailbox m WHERE m.user_id = u.user_id),"         \
	    " (SELECT coalesce(min(seq), 0) FROM notifications.mailbox m WHERE m.user_id = "       \
	    "u.user_id),"                                                                          \
	    " (SELECT coalesce(max(seq), 0) FROM notifications.mailbox m WHERE m.user_id = "       \
	    "u.user_id),"                                                                          \
	    " (SELECT count(*) FROM notifications.inbox i WHERE i.user_id = u.user_id),"           \
	    " (SELECT count(*) FROM notifications.inbox i WHERE i.user_id = u.user_id AND "        \
	    "i.seq > u.seq)"                                                                       \
	    " FROM notifications.users u WHERE u.user_id = $1::text")                              \
	S(RECOUNT, "SELECT 0, type, priority, n::bigint FROM notifications.unread"                 \
		   " WHERE user_id = $1::text"                                                     \
		   " UNION ALL SELECT 1, type, priority, count(*) FROM notifications.inbox"        \
		   " WHERE user_id = $1 AND state < 3 GROUP BY type, priority ORDER BY 1, 2, 3")   \
	S(FORGET_BODIES, "DELETE FROM notifications.bodies WHERE body_id IN (SELECT body_id"       \
			 " FROM notifications.bodies WHERE NOT keep AND created_at < "             \
			 "$1::timestamptz LIMIT 1000)"                                             \
			 " RETURNING 1")                                                           \
	S(FORGET_TRANSFERS,                                                                        \
	    "DELETE FROM notifications.transfers WHERE transfer_id IN (SELECT transfer_id"         \
	    " FROM notifications.transfers WHERE final AND updated_at < $1::timestamptz LIMIT"     \
	    " 1000)")                                                                              \
	AUDIT_STATEMENTS(S, "notifications", SQL_AUDIT_LOCK_KEY)                                   \
	S(ERASE_PICK,                                                                              \
	    "SELECT seq, body_id FROM (SELECT seq, body_id FROM notifications.mailbox"             \
	    " WHERE user_id = $1::text AND seq > $2::bigint AND body_id <> 0"                      \
	    " ORDER BY seq LIMIT $3::bigint) m"                                                    \
	    " UNION SELECT seq, body_id FROM (SELECT seq, body_id FROM notifications.inbox"        \
	    " WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) i ORDER BY seq LIMIT $3")     \
	S(ERASE_MAILBOX, "UPDATE notifications.mailbox SET body_id = 0 WHERE user_id = $1::text"   \
			 " AND seq > $2::bigint AND seq <= $3::bigint AND body_id <> 0"            \
			 " RETURNING 1")                                                           \
	S(ERASE_INBOX,                                                                             \
	    "WITH gone AS (DELETE FROM notifications.inbox WHERE user_id = $1::text"               \
	    " AND seq > $2::bigint AND seq <= $3::bigint RETURNING type, priority, state)"         \
	    ", counted AS (UPDATE notifications.users u"                                           \
	    " SET unread = notifications.unread_less(u.unread, c.types, c.priorities, c.ns) FROM"  \
	    " (SELECT array_agg(type) AS types, array_agg(priority) AS priorities,"                \
	    " array_agg(1) AS ns FROM gone WHERE state < 3) c"                                     \
	    " WHERE u.user_id = $1 AND c.types IS NOT NULL)"                                       \
	    " SELECT 1 FROM gone")                                                                 \
	S(RELEASE_BODIES,                                                                          \
	    "UPDATE notifications.bodies SET holders = holders - 1 WHERE body_id IN"               \
	    " (SELECT body_id FROM notifications.bodies WHERE body_id = ANY ($1::bigint[])"        \
	    " ORDER BY body_id FOR UPDATE)")                                                       \
	S(FORGET_RELEASED, "DELETE FROM notifications.bodies"                                      \
			   " WHERE body_id = ANY ($1::bigint[]) AND holders <= 0 RETURNING 1")     \
	S(ERASE_BALANCES, "DELETE FROM notifications.balances WHERE user_id = $1::text"            \
			  " AND wallet_id IN (SELECT wallet_id FROM notifications.balances"        \
			  " WHERE user_id = $1 LIMIT $2::bigint) RETURNING 1")                     \
	S(ERASE_MARKS, "DELETE FROM notifications.marks WHERE user_id = $1::text"                  \
		       " AND announcement_seq IN (SELECT announcement_seq"                         \
		       " FROM notifications.marks WHERE user_id = $1 LIMIT $2::bigint)"            \
		       " RETURNING 1")                                                             \
	S(ERASE_TRANSFERS, SQL_TRANSFERS_OF                                                        \
	    ", mine AS MATERIALIZED"                                                               \
	    " (SELECT t.transfer_id, cardinality(t.parties) > 1 AS shared"                         \
	    " FROM (SELECT transfer_id FROM found ORDER BY transfer_id LIMIT $2::bigint) f"        \
	    " JOIN notifications.transfers t USING (transfer_id)"                                  \
	    " WHERE $1 = ANY (t.parties) ORDER BY t.transfer_id FOR UPDATE OF t)"                  \
	    ", parted AS (UPDATE notifications.transfers t"                                        \
	    " SET parties = array_remove(t.parties, $1)"                                           \
	    " FROM mine m WHERE m.shared AND t.transfer_id = m.transfer_id)"                       \
	    ", gone AS (DELETE FROM notifications.transfers t USING mine m"                        \
	    " WHERE NOT m.shared AND t.transfer_id = m.transfer_id)"                               \
	    " SELECT 1 FROM mine")                                                                 \
	S(ERASE_SENT,                                                                              \
	    "UPDATE notifications.bodies SET blanked = true, payload = '', sender = NULL"          \
	    " WHERE body_id IN (SELECT body_id FROM notifications.bodies"                          \
	    " WHERE sender = $1::text ORDER BY body_id LIMIT $2::bigint FOR UPDATE)"               \
	    " RETURNING 1")                                                                        \
	/* In the order of erasure, which waits for the same rows. */                              \
	S(BLANK_EARLIER,                                                                           \
	    "UPDATE notifications.bodies SET blanked = true, payload = '', sender = NULL"          \
	    " WHERE body_id IN (SELECT b.body_id"                                                  \
	    " FROM unnest($1::text[], $2::text[], $3::integer[]) AS r(s, p, e)"                    \
	    " CROSS JOIN generate_series(0, r.e - 1) AS n"                                         \
	    " JOIN notifications.bodies b ON b.sender = r.s AND b.event_key = r.p || n"            \
	    " ORDER BY b.body_id FOR UPDATE OF b)")                                                \
	/* Of somebody without a counter row there is no lock: what came meanwhile stays counted.  \
	 */                                                                                        \
	S(ERASE_USER,                                                                              \
	    "UPDATE notifications.users SET country = '', language = '', tier = '',"               \
	    " seen_up_to = 0, read_up_to = 0, archived_up_to = 0 WHERE user_id = $1::text")        \
	S(EXPORT_USER, "SELECT user_id, seq, rev, country, language, tier, seen_up_to, "           \
		       "read_up_to, archived_up_to"                                                \
		       " FROM notifications.users WHERE user_id = $1::text AND $2::text = ''"      \
		       " LIMIT $3::bigint")                                                        \
	S(EXPORT_INBOX,                                                                            \
	    "SELECT i.seq, NULL::timestamptz, coalesce(b.payload, ''), coalesce(b.blanked, true)," \
	    " i.event_id, i.type, i.priority, i.title, i.text, i.created_at, i.expires_at,"        \
	    " i.state, i.seen_at, i.read_at, i.archived_at FROM notifications.inbox i"             \
	    " LEFT JOIN notifications.bodies b ON b.body_id = i.body_id"                           \
	    " WHERE i.user_id = $1::text AND i.seq > $2::text::bigint"                             \
	    " ORDER BY i.seq LIMIT $3::bigint")                                                    \
	S(EXPORT_MAILBOX, "SELECT " SQL_ITEM " FROM notifications.mailbox m" SQL_ITEM_JOINS        \
			  " WHERE m.user_id = $1::text AND m.seq > $2::text::bigint"               \
			  " AND m.body_id <> 0 ORDER BY m.seq LIMIT $3::bigint")                   \
	S(EXPORT_BALANCES, "SELECT wallet_id, payload, gone, updated_at"                           \
			   " FROM notifications.balances WHERE user_id = $1::text"                 \
			   " AND wallet_id > $2::text ORDER BY wallet_id LIMIT $3::bigint")        \
	S(EXPORT_MARKS, "SELECT announcement_seq, state, read_at FROM notifications.marks"         \
			" WHERE user_id = $1::text AND announcement_seq > $2::text::bigint"        \
			" ORDER BY announcement_seq LIMIT $3::bigint")                             \
	S(EXPORT_TRANSFERS, SQL_TRANSFERS_OF                                                       \
	    " SELECT t.transfer_id, t.payload, t.parties FROM"                                     \
	    " (SELECT transfer_id FROM found WHERE transfer_id > $2::text"                         \
	    " ORDER BY transfer_id LIMIT $3::bigint) f"                                            \
	    " JOIN notifications.transfers t USING (transfer_id) ORDER BY t.transfer_id")          \
	S(EXPORT_SENT, "SELECT body_id, payload, created_at FROM notifications.bodies"             \
		       " WHERE sender = $1::text AND body_id > $2::text::bigint"                   \
		       " ORDER BY body_id LIMIT $3::bigint")                                       \
	S(EXPORT_REVOCATIONS, "SELECT id, issued_before, reason FROM notifications.revocations"    \
			      " WHERE kind = 'user' AND id = $1::text AND $2::text = ''"           \
			      " LIMIT $3::bigint")                                                 \
	S(SET_PERIOD, "UPDATE notifications.progress SET applied_period = $1::bigint")

enum {
#define S(id, sql) STORE_##id,
	STATEMENTS(S)
#undef S
};

#endif
