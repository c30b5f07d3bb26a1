/* One statement a function. */
#include "store.h"

#include "schema.h"

/* The lock of whoever speaks: "wwprese" in ASCII. */
#define SQL_LOCK_KEY "33626847067861861"
#define SQL_AUDIT_LOCK_KEY "33626847067861863" /* the one between them is that of friendships */

#define SQL_PERSON "f.friend_id, coalesce(u.visible, true), u.last_seen"
#define SQL_PEOPLE                 \
	" FROM presence.friends f" \
	" LEFT JOIN presence.users u ON u.user_id = f.friend_id WHERE f.user_id = $1::text"

/* Both directions go, in the order in which every statement takes them; one row tells of it. */
#define SQL_UNFRIEND(which)                                                                \
	"WITH picked AS (SELECT friend_id FROM presence.friends WHERE user_id = $1::text " \
	"AND " which " ORDER BY friend_id FOR UPDATE)"                                     \
	", mine AS (DELETE FROM presence.friends f USING picked p"                         \
	" WHERE f.user_id = $1 AND f.friend_id = p.friend_id)"                             \
	", theirs AS (DELETE FROM presence.friends f USING picked p"                       \
	" WHERE f.user_id = p.friend_id AND f.friend_id = $1)"                             \
	", told AS (INSERT INTO presence.changes (kind, user_id, friend_id)"               \
	" SELECT 2, $1, friend_id FROM picked)"                                            \
	" SELECT friend_id FROM picked ORDER BY friend_id"

#define STATEMENTS(S)                                                                              \
	S(TRY_LOCK, "SELECT pg_try_advisory_lock(" SQL_LOCK_KEY ")")                               \
	S(UNLOCK, "SELECT pg_advisory_unlock(" SQL_LOCK_KEY ")")                                   \
	S(TAKE_OVER,                                                                               \
	    "WITH before AS (SELECT well_at FROM presence.speaker FOR UPDATE)"                     \
	    ", again AS (UPDATE presence.changes SET told_at = NULL FROM before"                   \
	    " WHERE told_at >= before.well_at - $1::bigint * interval '1 ms')"                     \
	    " UPDATE presence.speaker s SET generation = greatest(s.generation + 1,"               \
	    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint), well_at = now()"            \
	    " FROM before b RETURNING s.generation, CASE WHEN isfinite(b.well_at)"                 \
	    " THEN greatest(0, floor(extract(epoch FROM now() - b.well_at) * 1000))::bigint END")  \
	S(SET_WELL, "UPDATE presence.speaker SET well_at = now()")                                 \
	S(CHANGES,                                                                                 \
	    "SELECT c.id, c.kind, c.user_id, coalesce(c.friend_id, ''),"                           \
	    " coalesce(u.visible, true), coalesce(f.visible, true), u.last_seen, c.kind <> 1 OR "  \
	    "EXISTS"                                                                               \
	    " (SELECT FROM presence.friends p WHERE p.user_id = c.user_id AND p.friend_id = "      \
	    "c.friend_id)"                                                                         \
	    " FROM ((SELECT * FROM presence.changes WHERE told_at IS NULL AND kind = 3"            \
	    " ORDER BY id LIMIT $1::bigint)"                                                       \
	    " UNION ALL (SELECT * FROM presence.changes WHERE told_at IS NULL AND kind <> 3"       \
	    " ORDER BY id LIMIT 10 * $1::bigint)) c"                                               \
	    " LEFT JOIN presence.users u ON u.user_id = c.user_id"                                 \
	    " LEFT JOIN presence.users f ON f.user_id = c.friend_id ORDER BY c.kind <> 3, c.id")   \
	S(SET_TOLD, "UPDATE presence.changes SET told_at = clock_timestamp() WHERE id = ANY "      \
		    "($1::bigint[])")                                                              \
	S(FORGET_TOLD, "DELETE FROM presence.changes WHERE id IN (SELECT id FROM presence.changes" \
		       " WHERE told_at < now() - $1::bigint * interval '1 ms' LIMIT 50000)")       \
	S(FRIENDS_OF,                                                                              \
	    "SELECT f.user_id, f.friend_id, coalesce(o.visible, true), coalesce(u.visible, true)"  \
	    " FROM presence.friends f"                                                             \
	    " LEFT JOIN presence.users o ON o.user_id = f.user_id"                                 \
	    " LEFT JOIN presence.users u ON u.user_id = f.friend_id"                               \
	    " WHERE f.user_id = ANY ($1::text[]) ORDER BY f.user_id")                              \
	S(SET_SEEN,                                                                                \
	    "INSERT INTO presence.users AS u (user_id, last_seen)"                                 \
	    " SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS r(u, s)"                      \
	    " WHERE EXISTS (SELECT FROM presence.friends WHERE user_id = r.u) ORDER BY r.u"        \
	    " ON CONFLICT (user_id) DO UPDATE SET last_seen = excluded.last_seen"                  \
	    " WHERE u.visible AND (u.last_seen IS NULL OR u.last_seen < excluded.last_seen)")      \
	S(FRIENDS_PAGE, "SELECT " SQL_PERSON SQL_PEOPLE                                            \
			" AND f.friend_id > $2::text ORDER BY f.friend_id LIMIT $3::bigint")       \
	S(FRIENDS_AMONG, "SELECT " SQL_PERSON SQL_PEOPLE                                           \
			 " AND f.friend_id = ANY ($2::text[]) ORDER BY f.friend_id")               \
	S(IS_VISIBLE, "SELECT visible FROM presence.users WHERE user_id = $1::text")               \
	S(SET_VISIBLE,                                                                             \
	    "WITH changed AS (INSERT INTO presence.users AS u (user_id, visible, last_seen)"       \
	    " SELECT $1::text, $2::boolean, CASE WHEN NOT $2 THEN now() END"                       \
	    " WHERE NOT $2 OR EXISTS (SELECT FROM presence.users WHERE user_id = $1)"              \
	    " ON CONFLICT (user_id) DO UPDATE SET visible = excluded.visible,"                     \
	    " last_seen = coalesce(excluded.last_seen, u.last_seen)"                               \
	    " WHERE u.visible <> excluded.visible"                                                 \
	    " RETURNING u.user_id)"                                                                \
	    " INSERT INTO presence.changes (kind, user_id) SELECT 3, user_id FROM changed"         \
	    " RETURNING 1")                                                                        \
	S(LOCK_FRIENDS, "SELECT pg_advisory_xact_lock(" SQL_LOCK_KEY " + 1)")                      \
	S(ADD_FRIENDS,                                                                             \
	    "WITH wanted AS (SELECT DISTINCT friend_id FROM unnest($2::text[]) AS r(friend_id)"    \
	    " WHERE friend_id <> $1::text)"                                                        \
	    ", mine AS (INSERT INTO presence.friends (user_id, friend_id)"                         \
	    " SELECT $1, friend_id FROM wanted ORDER BY friend_id ON CONFLICT DO NOTHING"          \
	    " RETURNING friend_id)"                                                                \
	    ", theirs AS (INSERT INTO presence.friends (user_id, friend_id)"                       \
	    " SELECT friend_id, $1 FROM wanted ORDER BY friend_id ON CONFLICT DO NOTHING)"         \
	    ", told AS (INSERT INTO presence.changes (kind, user_id, friend_id)"                   \
	    " SELECT 1, $1, friend_id FROM mine)"                                                  \
	    " SELECT friend_id FROM mine ORDER BY friend_id")                                      \
	S(REMOVE_FRIENDS, SQL_UNFRIEND("friend_id = ANY ($2::text[])"))                            \
	S(KEEP_FRIENDS, SQL_UNFRIEND("friend_id <> ALL ($2::text[])"))                             \
	S(LOCK_USERS, "LOCK TABLE presence.users IN SHARE ROW EXCLUSIVE MODE")                     \
	S(FORGET_USER, "DELETE FROM presence.users WHERE user_id = $1::text RETURNING 1")          \
	S(OWN, "SELECT visible, last_seen FROM presence.users WHERE user_id = $1::text")           \
	S(FRIENDSHIPS, "SELECT friend_id, since FROM presence.friends WHERE user_id = $1::text"    \
		       " AND friend_id > $2::text ORDER BY friend_id LIMIT $3::bigint")            \
	S(COUNT_FRIENDS, "SELECT count(*) FROM presence.friends WHERE user_id = $1::text")         \
	AUDIT_STATEMENTS(S, "presence", SQL_AUDIT_LOCK_KEY)                                        \
	S(FIND_TOO_MANY,                                                                           \
	    "SELECT user_id FROM presence.friends WHERE user_id = ANY ($1::text[])"                \
	    " GROUP BY user_id HAVING count(*) > $2::bigint ORDER BY user_id LIMIT 1")

enum statement {
#define S(id, sql) STORE_##id,
	STATEMENTS(S)
#undef S
};

const struct db_statement store_statements[] = {
#define S(id, sql) { #id, sql },
	STATEMENTS(S)
#undef S
};
const size_t store_statements_len = ARRAY_LEN(store_statements);

const struct db_migration store_migrations[] = {
	{ 1, "init", schema_001_init, 0 },
	{ 2, "audit", schema_002_audit, 0 },
	{ 3, "told", schema_003_told, 0 },
};
const size_t store_migrations_len = ARRAY_LEN(store_migrations);

const struct audit_outbox store_audit = AUDIT_OUTBOX(STORE_SCHEMA);

/* --- one speaks at a time --- */

const size_t store_lock = STORE_TRY_LOCK;

enum status store_unlock(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_UNLOCK, &p, NULL, err);
}

enum status store_take_over(struct db *db, int64_t doubt_ms, uint64_t *ret_generation,
    int64_t *ret_unwell_ms, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i64(&p, doubt_ms);
	s = db_run(db, STORE_TAKE_OVER, &p, &r, err);
	if (s)
		return s;
	*ret_generation = (uint64_t)db_get_int(r, 0, 0);
	*ret_unwell_ms = db_is_null(r, 0, 1) ? INT64_MAX : db_get_int(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_well(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_SET_WELL, &p, NULL, err);
}

/* --- what is to be told --- */

enum status store_changes(struct db *db, size_t max, struct arena *arena,
    struct store_change **ret_changes, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct store_change *changes;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, STORE_CHANGES, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_changes = changes = arena_alloc(arena, *ret_n * sizeof(*changes));
	for (size_t i = 0; i < *ret_n; i++)
		changes[i] = (struct store_change){ .id = db_get_int(r, i, 0),
			.kind = (enum store_kind)db_get_int(r, i, 1),
			.user_id = arena_strdup(arena, db_get_text(r, i, 2)),
			.friend_id = arena_strdup(arena, db_get_text(r, i, 3)),
			.user_is_visible = db_get_bool(r, i, 4),
			.friend_is_visible = db_get_bool(r, i, 5),
			.user_seen_us = db_is_null(r, i, 6) ? 0 : db_get_time(r, i, 6),
			.stands = db_get_bool(r, i, 7) };
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_told(struct db *db, const struct store_change *changes, size_t len,
    struct arena *arena, struct err *err)
{
	int64_t *ids = arena_alloc(arena, len * sizeof(*ids));
	struct db_params p;

	for (size_t i = 0; i < len; i++)
		ids[i] = changes[i].id;
	db_params_init(&p);
	db_add_i64_array(&p, ids, len);
	return db_run(db, STORE_SET_TOLD, &p, NULL, err);
}

enum status store_forget_told(struct db *db, int64_t after_ms, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, after_ms);
	return db_run(db, STORE_FORGET_TOLD, &p, NULL, err);
}

enum status store_friends_of(struct db *db, const char *const *users, size_t len,
    struct arena *arena, struct store_friend **ret_friends, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct store_friend *friends;
	const char *user_id = "";
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	s = db_run(db, STORE_FRIENDS_OF, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_friends = friends = arena_alloc(arena, *ret_n * sizeof(*friends));
	for (size_t i = 0; i < *ret_n; i++) {
		const char *id = db_get_text(r, i, 0);

		if (strcmp(id, user_id) != 0)
			user_id = arena_strdup(arena, id);
		friends[i] =
		    (struct store_friend){ user_id, arena_strdup(arena, db_get_text(r, i, 1)),
			    db_get_bool(r, i, 2), db_get_bool(r, i, 3) };
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_seen(
    struct db *db, const char *const *users, const int64_t *seen_us, size_t len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	db_add_time_array(&p, seen_us, len);
	return db_run(db, STORE_SET_SEEN, &p, NULL, err);
}

/* --- the verbs --- */

static struct store_person *get_people(
    const struct db_result *r, struct arena *arena, size_t *ret_n)
{
	struct store_person *people;

	*ret_n = db_rows(r);
	people = arena_alloc(arena, *ret_n * sizeof(*people));
	for (size_t i = 0; i < *ret_n; i++)
		people[i] = (struct store_person){ arena_strdup(arena, db_get_text(r, i, 0)),
			db_get_bool(r, i, 1), db_is_null(r, i, 2) ? 0 : db_get_time(r, i, 2) };
	return people;
}

enum status store_friends_page(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, struct store_person **ret_people, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, after);
	db_add_i64(&p, (int64_t)limit);
	s = db_run(db, STORE_FRIENDS_PAGE, &p, &r, err);
	if (s)
		return s;
	*ret_people = get_people(r, arena, ret_n);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_friends_among(struct db *db, const char *user_id, const char *const *ids,
    size_t len, struct arena *arena, struct store_person **ret_people, size_t *ret_n,
    struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text_array(&p, ids, len);
	s = db_run(db, STORE_FRIENDS_AMONG, &p, &r, err);
	if (s)
		return s;
	*ret_people = get_people(r, arena, ret_n);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_is_visible(struct db *db, const char *user_id, bool *ret_visible, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_IS_VISIBLE, &p, &r, err);
	if (s)
		return s;
	*ret_visible = db_rows(r) == 0 || db_get_bool(r, 0, 0);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_visible(
    struct db *db, const char *user_id, bool visible, bool *ret_changed, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_bool(&p, visible);
	return db_run_any(db, STORE_SET_VISIBLE, &p, ret_changed, err);
}

enum status store_lock_friends(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_LOCK_FRIENDS, &p, NULL, err);
}

static enum status change_friends(struct db *db, enum statement statement, const char *user_id,
    const struct store_ids *of, struct arena *arena, struct store_ids *ret_changed, struct err *err)
{
	struct db_result *r = NULL;
	const char **changed;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text_array(&p, of->at, of->len);
	s = db_run(db, statement, &p, &r, err);
	if (s)
		return s;
	ret_changed->len = db_rows(r);
	ret_changed->at = changed = arena_alloc(arena, ret_changed->len * sizeof(*changed));
	for (size_t i = 0; i < ret_changed->len; i++)
		changed[i] = arena_strdup(arena, db_get_text(r, i, 0));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_add_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_added, struct err *err)
{
	return change_friends(db, STORE_ADD_FRIENDS, user_id, ids, arena, ret_added, err);
}

enum status store_remove_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_removed, struct err *err)
{
	return change_friends(db, STORE_REMOVE_FRIENDS, user_id, ids, arena, ret_removed, err);
}

enum status store_keep_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_removed, struct err *err)
{
	return change_friends(db, STORE_KEEP_FRIENDS, user_id, ids, arena, ret_removed, err);
}

enum status store_count_friends(struct db *db, const char *user_id, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_COUNT_FRIENDS, &p, &r, err);
	if (s)
		return s;
	*ret_n = (size_t)db_get_int(r, 0, 0);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_find_too_many(struct db *db, const char *const *users, size_t len, size_t max,
    struct arena *arena, const char **ret_user_id, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, STORE_FIND_TOO_MANY, &p, &r, err);
	if (s)
		return s;
	*ret_user_id = db_rows(r) > 0 ? arena_strdup(arena, db_get_text(r, 0, 0)) : NULL;
	db_result_free(r);
	return STATUS_OK;
}

/* --- export and erasure --- */

/* Whoever is noting when the user was last seen is waited for, and whoever will finds that they
 * have no friends. */
enum status store_forget_user(struct db *db, const char *user_id, bool *ret_found, struct err *err)
{
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_LOCK_USERS, &p, NULL, err);
	if (s)
		return s;
	db_params_init(&p);
	db_add_text(&p, user_id);
	return db_run_any(db, STORE_FORGET_USER, &p, ret_found, err);
}

enum status store_own(
    struct db *db, const char *user_id, struct store_own *ret_own, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_OWN, &p, &r, err);
	if (s)
		return s;
	*ret_own = (struct store_own){ .is_there = db_rows(r) > 0 };
	if (ret_own->is_there) {
		ret_own->is_visible = db_get_bool(r, 0, 0);
		ret_own->seen_us = db_is_null(r, 0, 1) ? 0 : db_get_time(r, 0, 1);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_friendships(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, struct store_friendship **ret_friendships, size_t *ret_n, struct err *err)
{
	struct store_friendship *friendships;
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, after);
	db_add_i64(&p, (int64_t)limit);
	s = db_run(db, STORE_FRIENDSHIPS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_friendships = friendships = arena_alloc(arena, *ret_n * sizeof(*friendships));
	for (size_t i = 0; i < *ret_n; i++)
		friendships[i] =
		    (struct store_friendship){ arena_strdup(arena, db_get_text(r, i, 0)),
			    db_get_time(r, i, 1) };
	db_result_free(r);
	return STATUS_OK;
}
