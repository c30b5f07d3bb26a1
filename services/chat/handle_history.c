/* ww.svc.chat.history: a page of what was said, and all else that a room is painted with. */
#include <string.h>

#include "look.h"
#include "message.h"
#include "people.h"
#include "words.h"

enum {
	LIMIT_DEFAULT = 50,
	LIMIT_MAX = 100,
	BYTES_MAX = 256 * 1024, /* of the texts of a page */
};

typedef Walletwire__V1__ChatHistoryRequest HistoryRequest;
typedef Walletwire__V1__ChatHistoryReply HistoryReply;

#define OF(NAME) WALLETWIRE__V1__CHAT_HISTORY_REQUEST__OF_##NAME

/* The part of the window that is asked for. */
static struct store_window narrow(const struct store_window *window, const HistoryRequest *in)
{
	struct store_window asked = *window;

	if (in->after > asked.after)
		asked.after = in->after;
	if (in->before > 0 && in->before < asked.before)
		asked.before = in->before;
	return asked;
}

/* As many as fit, from the end that was asked for. */
static void show_messages(struct request *req, const struct store_message *messages, size_t len,
    bool oldest, HistoryReply *reply)
{
	bool escape = chat_of(req)->cfg->escape_html;
	size_t bytes = 0, n = 0;

	reply->messages = arena_alloc(req->arena, len * sizeof(ChatMessage *));
	while (n < len) {
		size_t i = oldest ? n : len - 1 - n;
		ChatMessage *message = message_show(&messages[i], escape, req->arena);

		bytes += strlen(message->text);
		if (n > 0 && bytes > BYTES_MAX)
			break;
		reply->messages[oldest ? n : len - 1 - n] = message;
		n++;
	}
	if (!oldest)
		reply->messages += len - n;
	reply->n_messages = n;
}

static enum status add_messages(struct request *req, const struct look *look,
    const HistoryRequest *in, HistoryReply *reply, struct err *err)
{
	struct store_window asked = narrow(&look->window, in);
	size_t limit = in->limit ? in->limit : LIMIT_DEFAULT, len = 0;
	bool oldest = in->start_case == WALLETWIRE__V1__CHAT_HISTORY_REQUEST__START_AFTER;
	struct store_message *messages = NULL;
	enum status s =
	    store_page(req->db, &asked, oldest, limit, req->arena, &messages, &len, err);

	if (!s)
		s = store_oldest(req->db, &look->window, &reply->oldest_seq, err);
	if (!s)
		show_messages(req, messages, len, oldest, reply);
	return s;
}

static ChatRead *marker_of(
    const struct look *look, const struct store_member *member, struct arena *arena)
{
	ChatRead *marker = MESSAGE_NEW(arena, chat_read);

	marker->room_id = arena_strdup(arena, look->room.room_id);
	marker->user_id = arena_strdup(arena, member->user_id);
	marker->seq = member->read_seq;
	return marker;
}

static enum status add_members(
    struct request *req, const struct look *look, HistoryReply *reply, struct err *err)
{
	bool shown = chat_of(req)->cfg->show_markers;
	struct store_members members;
	enum status s = store_read_members(req->db, look->room.room_id, req->arena, &members, err);

	if (s)
		return s;
	reply->n_members = members.len;
	reply->members = arena_alloc(req->arena, members.len * sizeof(ChatMember *));
	reply->read_markers = arena_alloc(req->arena, members.len * sizeof(ChatRead *));
	for (size_t i = 0; i < members.len; i++) {
		const struct store_member *member = &members.at[i];

		reply->members[i] = MESSAGE_NEW(req->arena, chat_member);
		reply->members[i]->user_id = arena_strdup(req->arena, member->user_id);
		reply->members[i]->role = member->role;
		if (member->role == ROOM_ROLE(INVITED) ||
		    (!shown && strcmp(member->user_id, look->user_id) != 0))
			continue;
		reply->read_markers[reply->n_read_markers++] = marker_of(look, member, req->arena);
	}
	return STATUS_OK;
}

static enum status find_room(
    struct request *req, const HistoryRequest *in, const char **ret_room_id, struct err *err)
{
	enum status s;

	if (in->of_case == OF(_NOT_SET))
		return err_invalid(err, "roomId", "is missing, and so is recipientId");
	*ret_room_id = in->room_id;
	if (in->of_case == OF(ROOM_ID))
		return STATUS_OK;
	s = people_check_other("recipientId", in->recipient_id, req->user_id, err);
	if (s)
		return s;
	s = people_find_direct(req, in->recipient_id, ret_room_id, err);
	if (!s && !(*ret_room_id)[0])
		s = err_set(err, STATUS_NOT_FOUND, "there is no room with this user");
	return s;
}

enum status chat_on_history(struct request *req, struct err *err)
{
	const HistoryRequest *in = (const void *)req->body;
	HistoryReply *reply = MESSAGE_NEW(req->arena, chat_history_reply);
	const char *room_id = NULL, *user_id;
	struct look look;
	enum status s = request_caller(req, &user_id, err);

	if (!s && in->limit > LIMIT_MAX)
		s = err_invalid(err, "limit", "must be at most %d", LIMIT_MAX);
	if (!s)
		s = find_room(req, in, &room_id, err);
	if (!s)
		s = look_into(req, room_id, &look, err);
	if (!s)
		s = add_messages(req, &look, in, reply, err);
	if (!s)
		s = add_members(req, &look, reply, err);
	if (s)
		return s;
	reply->room_id = arena_strdup(req->arena, look.room.room_id);
	reply->type = look.room.type;
	reply->name = chat_of(req)->cfg->escape_html ? words_escape(look.room.name, req->arena)
						     : arena_strdup(req->arena, look.room.name);
	reply->newest_seq = look.room.seq;
	req->reply = &reply->base;
	return STATUS_OK;
}
