/* ww.backend.audit.who_was_told: what reached a user's mailbox, and whether it was acknowledged. */
#include "audit.h"
#include "base/message.h"
#include "base/subject.h"
#include "page.h"
#include "told.h"

enum {
	PAGE_MAX = 200,
	MARKS_MAX = 500, /* of one statement */
	MARK_PAGES = 200,
};

typedef Walletwire__V1__WhoWasToldRequest Request;
typedef Walletwire__V1__WhoWasToldReply Reply;

/* Marks come later than their items, and at any time: all are looked at until nothing is unread. */
static enum status read_marks(
    struct request *req, struct told *told, int64_t since_us, struct err *err)
{
	struct store_about about = { told->user_id, told_mark_actions, TOLD_MARK_ACTIONS };
	struct store_page page;
	size_t len = MARKS_MAX;
	enum status s = page_read(since_us, 0, "", MARKS_MAX, &page, err);

	for (int i = 0; len == MARKS_MAX && told->unread > 0 && !s; i++) {
		struct store_record *marks = NULL;

		if (i == MARK_PAGES)
			return err_invalid(err, "sinceUs", "is too long ago for one answer");
		s = store_of_user(req->db, &about, &page, req->arena, &marks, &len, err);
		for (size_t m = 0; m < len && !s; m++)
			told_mark(told, &marks[m]);
		if (!s && len > 0)
			page.after = marks[len - 1].place;
	}
	return s;
}

static enum status read_page(struct request *req, const Request *in, Reply *reply, struct err *err)
{
	struct store_about about = { in->user_id, told_item_actions, TOLD_ITEM_ACTIONS };
	struct store_record *records = NULL;
	struct store_page page;
	struct told told;
	size_t len = 0;
	enum status s = page_read(in->since_us, in->until_us, in->after, PAGE_MAX, &page, err);

	if (!s)
		s = store_of_user(req->db, &about, &page, req->arena, &records, &len, err);
	if (s)
		return s;
	told_begin(&told, in->user_id, PAGE_MAX, req->arena);
	for (size_t i = 0; i < len; i++)
		told_item(&told, &records[i]);
	if (len == PAGE_MAX)
		reply->next = page_next(&records[len - 1], req->arena);
	reply->items = told.items;
	reply->n_items = told.len;
	return len > 0 ? read_marks(req, &told, records[0].place.stored_us, err) : STATUS_OK;
}

enum status audit_on_who_was_told(struct request *req, struct err *err)
{
	const Request *in = (const void *)req->body;
	Reply *reply = MESSAGE_NEW(req->arena, who_was_told_reply);
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = audit_note_reader(
		    req, AUDIT_ACTION(USER_EXPORTED), in->user_id, in->asked_by, err);
	req->reply = &reply->base;
	return s ? s : read_page(req, in, reply, err);
}
