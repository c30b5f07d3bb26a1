/*
 * ww.svc.chat.rooms: a user's rooms, newest activity first.
 *
 * The cursor is the activity and the id of the last room of a page: <microseconds>.<room>. What
 * becomes active meanwhile moves above the page, where `chat:message` and `chat:room` tell of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/subject.h"
#include "look.h"
#include "message.h"
#include "words.h"

enum {
	LIMIT_DEFAULT = 20,
	LIMIT_MAX = 50,
	BYTES_MAX = 256 * 1024,
};

static enum status read_cursor(
    const char *text, struct store_rooms_page *page, struct arena *arena, struct err *err)
{
	char id[SUBJECT_ID_MAX + 1], end;
	int64_t us;

	page->before_us = STORE_LATEST_US;
	page->before_id = "";
	if (!text[0])
		return STATUS_OK;
	if (strlen(text) > SUBJECT_ID_MAX ||
	    sscanf(text, "%18" SCNd64 ".%127[A-Za-z0-9_-]%c", &us, id, &end) != 2 || us < 0)
		return err_invalid(err, "before", "is no cursor of a page");
	page->before_us = us;
	page->before_id = arena_strdup(arena, id);
	return STATUS_OK;
}

static size_t bytes_of_entry(const ChatRoomEntry *entry)
{
	return protobuf_c_message_get_packed_size(&entry->base);
}

static ChatRoomEntry *show(struct request *req, const struct store_listed *listed)
{
	bool escape = chat_of(req)->cfg->escape_html;

	if (escape)
		listed->entry->name = words_escape(listed->entry->name, req->arena);
	if (listed->has_last)
		listed->entry->last_message = message_show(&listed->last, escape, req->arena);
	return listed->entry;
}

static void fill(struct request *req, const struct store_listed *rooms, size_t found, size_t limit,
    Walletwire__V1__ChatRoomsReply *reply)
{
	size_t bytes = 0, n = 0;

	reply->rooms = arena_alloc(req->arena, limit * sizeof(ChatRoomEntry *));
	for (; n < found && n < limit; n++) {
		reply->rooms[n] = show(req, &rooms[n]);
		bytes += bytes_of_entry(reply->rooms[n]);
		if (n > 0 && bytes > BYTES_MAX)
			break;
	}
	reply->n_rooms = n;
	if (n < found)
		reply->next = arena_printf(
		    req->arena, "%" PRId64 ".%s", rooms[n - 1].active_us, rooms[n - 1].entry->id);
}

enum status chat_on_rooms(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatRoomsRequest *in = (const void *)req->body;
	Walletwire__V1__ChatRoomsReply *reply = MESSAGE_NEW(req->arena, chat_rooms_reply);
	size_t limit = in->limit ? in->limit : LIMIT_DEFAULT, found = 0;
	struct store_rooms_page page = { .cutoff_us = look_cutoff_us(chat_of(req)),
		.limit = limit + 1 }; /* one more tells whether there are more */
	struct store_listed *rooms = NULL;
	enum status s = request_caller(req, &page.user_id, err);

	if (!s && in->limit > LIMIT_MAX)
		s = err_invalid(err, "limit", "must be at most %d", LIMIT_MAX);
	if (!s)
		s = read_cursor(in->before, &page, req->arena, err);
	if (!s)
		s = store_rooms(req->db, &page, req->arena, &rooms, &found, err);
	if (s)
		return s;
	fill(req, rooms, found, limit, reply);
	req->reply = &reply->base;
	return STATUS_OK;
}
