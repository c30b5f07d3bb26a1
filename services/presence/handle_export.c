/* ww.backend.presence.export: what is held about one user: their own row, and friends a page at a
 * time. */
#include "base/subject.h"
#include "presence.h"
#include "service/audit.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { PAGE_MAX = 1000 };

typedef Walletwire__V1__ExportRequest Request;
typedef Walletwire__V1__ExportRecord Record;

static void add_user(
    Walletwire__V1__ExportReply *reply, const struct store_own *own, struct arena *arena)
{
	Record *record = MESSAGE_NEW(arena, export_record);

	record->presence = MESSAGE_NEW(arena, export_presence);
	record->presence->visible = own->is_visible;
	if (own->seen_us > 0)
		record->presence->last_seen = message_timestamp(own->seen_us, arena);
	reply->records[reply->n_records++] = record;
}

static void add_friend(Walletwire__V1__ExportReply *reply,
    const struct store_friendship *friendship, struct arena *arena)
{
	Record *record = MESSAGE_NEW(arena, export_record);

	record->friend_ = MESSAGE_NEW(arena, export_friend);
	record->friend_->user_id = arena_strdup(arena, friendship->friend_id);
	record->friend_->since = message_timestamp(friendship->since_us, arena);
	reply->records[reply->n_records++] = record;
}

static enum status read_page(
    struct request *req, const Request *in, Walletwire__V1__ExportReply *reply, struct err *err)
{
	struct store_friendship *friendships = NULL;
	struct store_own own = { 0 };
	size_t found = 0;
	enum status s = STATUS_OK;

	if (!in->after[0])
		s = store_own(req->db, in->user_id, &own, err);
	if (!s) /* one more tells whether there are more */
		s = store_friendships(req->db, in->user_id, in->after, PAGE_MAX + 1, req->arena,
		    &friendships, &found, err);
	if (s)
		return s;
	reply->records = arena_alloc(req->arena, (found + 1) * sizeof(Record *));
	if (own.is_there)
		add_user(reply, &own, req->arena);
	for (size_t i = 0; i < found && i < PAGE_MAX; i++)
		add_friend(reply, &friendships[i], req->arena);
	if (found > PAGE_MAX)
		reply->next = arena_strdup(req->arena, friendships[PAGE_MAX - 1].friend_id);
	return STATUS_OK;
}

enum status presence_on_export(struct request *req, struct err *err)
{
	const Request *in = (const void *)req->body;
	Walletwire__V1__ExportReply *reply = MESSAGE_NEW(req->arena, export_reply);
	enum status s = subject_check_id("userId", in->user_id, err);

	if (s)
		return s;
	if (strlen(in->after) > SUBJECT_ID_MAX)
		return err_invalid(err, "after", "is no cursor of a page");
	s = audit_export(req, &store_audit, in->user_id, in->asked_by, err);
	req->reply = &reply->base;
	return s ? s : read_page(req, in, reply, err);
}
