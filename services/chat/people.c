/* Friends are asked for, blocks are rows. */
#include "people.h"

#include <string.h>

#include "friends.h"
#include "words.h"

enum status people_check_other(
    const char *field, const char *id, const char *user_id, struct err *err)
{
	enum status s = words_check_id(field, id, err);

	if (s)
		return s;
	if (strcmp(id, user_id) == 0)
		return err_invalid(err, field, "names yourself");
	return STATUS_OK;
}

enum status people_require_friends(
    struct request *req, const char *field, const char *const *others, size_t len, struct err *err)
{
	const struct chat *chat = chat_of(req);

	if (!chat->cfg->friends_only)
		return STATUS_OK;
	return friends_require(chat->friends, req, field, others, len, err);
}

enum status people_require_friend_in(struct request *req, const char *room_id, struct err *err)
{
	struct store_room room;
	struct err no_room = ERR_INIT;
	const char *other;
	enum status s;

	if (!chat_of(req)->cfg->friends_only)
		return STATUS_OK;
	s = store_find_room(req->db, room_id, req->arena, &room, &no_room);
	/* Whether there is one is judged under its lock. */
	if (s == STATUS_NOT_FOUND || (!s && room.type != ROOM_TYPE(DIRECT)))
		return STATUS_OK;
	if (s) {
		*err = no_room;
		return s;
	}
	if (strcmp(room.first_id, req->user_id) != 0 && strcmp(room.second_id, req->user_id) != 0)
		return STATUS_OK;
	other = strcmp(room.first_id, req->user_id) == 0 ? room.second_id : room.first_id;
	return people_require_friends(req, "roomId", &other, 1, err);
}

enum status people_find_direct(
    struct request *req, const char *other_id, const char **ret_room_id, struct err *err)
{
	return store_find_direct(req->db, req->user_id, other_id, req->arena, ret_room_id, err);
}

enum status people_require_unblocked(struct change *change, const char *field,
    const char *const *others, size_t len, struct err *err)
{
	const char *blocked = NULL;
	enum status s = store_find_blocked(
	    change->db, change->user_id, others, len, change->arena, &blocked, err);

	if (s || !blocked)
		return s;
	(void)err_invalid(err, field, "names somebody you can't write to");
	err->status = STATUS_FORBIDDEN;
	return STATUS_FORBIDDEN;
}
