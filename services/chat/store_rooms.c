/* Rooms and who is in them. */
#include <string.h>

#include "base/clock.h"
#include "store_rows.h"

/* --- one room --- */

/* Frees the result. */
static enum status take_room(
    struct db_result *r, struct arena *arena, struct store_room *ret_room, struct err *err)
{
	if (db_rows(r) == 0) {
		db_result_free(r);
		return err_set(err, STATUS_NOT_FOUND, "there is no such room");
	}
	*ret_room = (struct store_room){ .room_id = arena_strdup(arena, db_get_text(r, 0, 0)),
		.name = arena_strdup(arena, db_get_text(r, 0, 1)),
		.first_id = arena_strdup(arena, db_get_text(r, 0, 2)),
		.second_id = arena_strdup(arena, db_get_text(r, 0, 3)),
		.type = (RoomType)db_get_int(r, 0, 4),
		.class = (enum class)db_get_int(r, 0, 5),
		.seq = (uint64_t)db_get_int(r, 0, 6),
		.changes = (uint64_t)db_get_int(r, 0, 7),
		.ended = db_get_bool(r, 0, 8) };
	db_result_free(r);
	return STATUS_OK;
}

static enum status find_room(struct db *db, enum statement statement, const char *room_id,
    struct arena *arena, struct store_room *ret_room, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room_id);
	s = db_run(db, statement, &p, &r, err);
	return s ? s : take_room(r, arena, ret_room, err);
}

enum status store_lock_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct err *err)
{
	return find_room(db, STORE_LOCK_ROOM, room_id, arena, ret_room, err);
}

enum status store_find_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct err *err)
{
	return find_room(db, STORE_FIND_ROOM, room_id, arena, ret_room, err);
}

/* The two of a direct room, in the order in which its row has them. */
static void add_pair(struct db_params *p, const char *one_id, const char *other_id)
{
	bool in_order = strcmp(one_id, other_id) < 0;

	db_add_text(p, in_order ? one_id : other_id);
	db_add_text(p, in_order ? other_id : one_id);
}

enum status store_find_direct(struct db *db, const char *one_id, const char *other_id,
    struct arena *arena, const char **ret_room_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	add_pair(&p, one_id, other_id);
	return store_run_text(db, STORE_FIND_DIRECT, &p, arena, ret_room_id, err);
}

enum status store_lock_pair(
    struct db *db, const char *one_id, const char *other_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	add_pair(&p, one_id, other_id);
	return db_run(db, STORE_LOCK_PAIR, &p, NULL, err);
}

enum status store_find_created(struct db *db, const char *creator_id, const char *client_id,
    struct arena *arena, const char **ret_room_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, creator_id);
	db_add_text(&p, client_id);
	return store_run_text(db, STORE_FIND_CREATED, &p, arena, ret_room_id, err);
}

enum status store_insert_room(struct db *db, const struct store_room *room, const char *creator_id,
    const char *client_id, bool *ret_inserted, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_i16(&p, (int16_t)room->type);
	db_add_text(&p, room->name);
	add_pair(&p, room->first_id, room->second_id);
	db_add_text(&p, creator_id);
	db_add_text(&p, client_id);
	return db_run_any(db, STORE_INSERT_ROOM, &p, ret_inserted, err);
}

enum status store_touch_room(struct db *db, const struct store_room *room, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_text(&p, room->name);
	db_add_i64(&p, (int64_t)room->changes);
	return db_run(db, STORE_TOUCH_ROOM, &p, NULL, err);
}

enum status store_end_room(struct db *db, const char *room_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, room_id);
	return db_run(db, STORE_END_ROOM, &p, NULL, err);
}

enum status store_forget_rooms(struct db *db, int64_t before_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, before_us);
	return db_run(db, STORE_FORGET_ROOMS, &p, NULL, err);
}

static enum status forget_held(
    struct db *db, const struct store_room *room, int64_t cutoff_us, struct err *err)
{
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_time(&p, cutoff_us);
	s = db_run(db, STORE_FORGET_HELD, &p, NULL, err);
	if (s)
		return s;
	db_params_init(&p);
	db_add_text(&p, room->room_id);
	return db_run(db, STORE_FORGET_VERSIONS, &p, NULL, err);
}

static enum status make_room_for_held(struct db *db, const struct store_room *room, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	int64_t oldest;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room->room_id);
	s = db_run(db, STORE_OLDEST_HELD, &p, &r, err);
	if (s)
		return s;
	oldest = db_get_time(r, 0, 0);
	db_result_free(r);
	return db_partitions_make(db, &store_expiring, db_partition_of(&store_expiring, oldest),
	    db_partition_of(&store_expiring, clock_wall_us()), err);
}

enum status store_set_class(struct db *db, const struct store_room *room, enum class class,
    int64_t cutoff_us, uint64_t *ret_messages, struct err *err)
{
	struct db_params p;
	int64_t n = 0;
	enum status s = STATUS_OK;

	if (class == CLASS_EXPIRES)
		s = forget_held(db, room, cutoff_us, err);
	if (!s && class == CLASS_EXPIRES)
		s = make_room_for_held(db, room, err);
	if (s)
		return s;
	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_i16(&p, (int16_t) class);
	s = db_run(db, STORE_SET_CLASS_OF_ROOM, &p, NULL, err);
	if (s)
		return s;
	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_i16(&p, (int16_t)room->class);
	db_add_i16(&p, (int16_t) class);
	s = db_run_int(db, STORE_SET_CLASS_OF_MESSAGES, &p, &n, err);
	*ret_messages = (uint64_t)n;
	return s;
}

/* --- members --- */

static struct store_member get_member(const struct db_result *r, size_t row, struct arena *arena)
{
	return (struct store_member){ .user_id = arena_strdup(arena, db_get_text(r, row, 0)),
		.role = (RoomRole)db_get_int(r, row, 1),
		.joins_as = (RoomRole)db_get_int(r, row, 2),
		.from_seq = (uint64_t)db_get_int(r, row, 3),
		.read_seq = (uint64_t)db_get_int(r, row, 4) };
}

enum status store_read_members(struct db *db, const char *room_id, struct arena *arena,
    struct store_members *ret_members, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room_id);
	s = db_run(db, STORE_MEMBERS, &p, &r, err);
	if (s)
		return s;
	ret_members->len = db_rows(r);
	ret_members->at = arena_alloc(arena, ret_members->len * sizeof(*ret_members->at));
	ret_members->now_us = ret_members->len > 0 ? db_get_time(r, 0, 5) : 0;
	for (size_t i = 0; i < ret_members->len; i++)
		ret_members->at[i] = get_member(r, i, arena);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_enter_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct store_members *ret_members, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room_id);
	s = db_later(db, STORE_LOCK_ROOM, &p, &r, err);
	if (!s)
		s = store_read_members(db, room_id, arena, ret_members, err);
	return s ? s : take_room(r, arena, ret_room, err);
}

enum status store_find_member(struct db *db, const char *room_id, const char *user_id,
    bool *ret_found, struct store_member *ret_member, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room_id);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_FIND_MEMBER, &p, &r, err);
	if (s)
		return s;
	*ret_found = db_rows(r) > 0;
	if (*ret_found)
		*ret_member = (struct store_member){ .user_id = user_id,
			.role = (RoomRole)db_get_int(r, 0, 1),
			.joins_as = (RoomRole)db_get_int(r, 0, 2),
			.from_seq = (uint64_t)db_get_int(r, 0, 3),
			.read_seq = (uint64_t)db_get_int(r, 0, 4) };
	db_result_free(r);
	return STATUS_OK;
}

enum status store_insert_members(struct db *db, const char *room_id,
    const struct store_member *members, size_t len, struct arena *arena, struct err *err)
{
	const char **users = arena_alloc(arena, len * sizeof(*users));
	int16_t *roles = arena_alloc(arena, len * sizeof(*roles));
	int16_t *joins_as = arena_alloc(arena, len * sizeof(*joins_as));
	int64_t *from = arena_alloc(arena, len * sizeof(*from));
	struct db_params p;

	for (size_t i = 0; i < len; i++) {
		users[i] = members[i].user_id;
		roles[i] = (int16_t)members[i].role;
		joins_as[i] = (int16_t)members[i].joins_as;
		from[i] = (int64_t)members[i].from_seq;
	}
	db_params_init(&p);
	db_add_text(&p, room_id);
	db_add_text_array(&p, users, len);
	db_add_i16_array(&p, roles, len);
	db_add_i16_array(&p, joins_as, len);
	db_add_i64_array(&p, from, len);
	return db_run(db, STORE_INSERT_MEMBERS, &p, NULL, err);
}

enum status store_set_member(
    struct db *db, const char *room_id, const struct store_member *member, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, room_id);
	db_add_text(&p, member->user_id);
	db_add_i16(&p, (int16_t)member->role);
	db_add_i16(&p, (int16_t)member->joins_as);
	db_add_i64(&p, (int64_t)member->from_seq);
	db_add_i64(&p, (int64_t)member->read_seq);
	return db_run(db, STORE_SET_MEMBER, &p, NULL, err);
}

enum status store_delete_member(
    struct db *db, const char *room_id, const char *user_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, room_id);
	db_add_text(&p, user_id);
	return db_run(db, STORE_DELETE_MEMBER, &p, NULL, err);
}

enum status store_find_crowded(struct db *db, const char *const *users, size_t len, int64_t max,
    struct arena *arena, const char **ret_user_id, struct err *err)
{
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	db_add_i64(&p, max);
	s = store_run_text(db, STORE_FIND_CROWDED, &p, arena, ret_user_id, err);
	if (!s && !(*ret_user_id)[0])
		*ret_user_id = NULL;
	return s;
}

enum status store_count_created(
    struct db *db, const char *creator_id, int64_t *ret_n, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, creator_id);
	return db_run_int(db, STORE_COUNT_CREATED, &p, ret_n, err);
}

enum status store_are_members(struct db *db, const char *const *rooms, const char *const *users,
    size_t len, bool *ret_are, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, rooms, len);
	db_add_text_array(&p, users, len);
	s = db_run(db, STORE_ARE_MEMBERS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < len; i++)
		ret_are[i] = i < db_rows(r) && db_get_bool(r, i, 0);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_move_marker(struct db *db, const char *room_id, const char *user_id, uint64_t seq,
    bool *ret_moved, uint64_t *ret_seq, struct err *err)
{
	struct store_member mine;
	struct db_params p;
	bool found = false;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room_id);
	db_add_text(&p, user_id);
	db_add_i64(&p, (int64_t)seq);
	s = db_run_any(db, STORE_MOVE_MARKER, &p, ret_moved, err);
	*ret_seq = seq;
	if (s || *ret_moved)
		return s;
	/* By a statement of its own, which sees what the first one may have waited for. */
	s = store_find_member(db, room_id, user_id, &found, &mine, err);
	if (!s && !found)
		return err_set(err, STATUS_FORBIDDEN, "you are no member of the room");
	if (!s)
		*ret_seq = mine.read_seq;
	return s;
}

/* --- a user's rooms --- */

static char **get_members(const struct db_result *r, size_t row, struct arena *arena, size_t *ret_n)
{
	char **members;

	*ret_n = db_get_array_len(r, row, 7);
	members = arena_alloc(arena, *ret_n * sizeof(*members));
	for (size_t i = 0; i < *ret_n; i++) {
		struct bytes id = db_get_array_text(r, row, 7, i);

		members[i] = arena_strndup(arena, id.data, id.len);
	}
	return members;
}

static ChatRoomEntry *get_entry(const struct db_result *r, size_t row, struct arena *arena)
{
	ChatRoomEntry *entry = MESSAGE_NEW(arena, chat_room_entry);

	entry->id = arena_strdup(arena, db_get_text(r, row, 0));
	entry->name = arena_strdup(arena, db_get_text(r, row, 1));
	entry->type = (RoomType)db_get_int(r, row, 2);
	entry->role = (RoomRole)db_get_int(r, row, 3);
	entry->members = get_members(r, row, arena, &entry->n_members);
	/* Whoever is only invited is told nothing of what is said. */
	if (entry->role == ROOM_ROLE(INVITED))
		return entry;
	entry->newest_seq = (uint64_t)db_get_int(r, row, 4);
	entry->read_seq = (uint64_t)db_get_int(r, row, 5);
	entry->unread = store_unread(entry->newest_seq, entry->read_seq);
	return entry;
}

enum status store_rooms(struct db *db, const struct store_rooms_page *page, struct arena *arena,
    struct store_listed **ret_rooms, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, page->user_id);
	db_add_time(&p, page->before_us);
	db_add_text(&p, page->before_id);
	db_add_time(&p, page->cutoff_us);
	db_add_i64(&p, (int64_t)page->limit);
	s = db_run(db, STORE_ROOMS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_rooms = arena_alloc(arena, *ret_n * sizeof(**ret_rooms));
	for (size_t i = 0; i < *ret_n; i++) {
		struct store_listed *listed = &(*ret_rooms)[i];

		listed->entry = get_entry(r, i, arena);
		listed->active_us = db_get_time(r, i, 6);
		listed->has_last = !db_is_null(r, i, 8);
		if (listed->has_last)
			listed->last = store_get_message(r, i, 8, arena);
	}
	db_result_free(r);
	return STATUS_OK;
}
