/* ww.svc.chat.blocks: whom the caller blocks, a page at a time. */
#include <string.h>

#include "base/subject.h"
#include "chat.h"
#include "store.h"

enum { PAGE_MAX = 1000 };

enum status chat_on_blocks(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatBlocksRequest *in = (const void *)req->body;
	Walletwire__V1__ChatBlocksReply *reply = MESSAGE_NEW(req->arena, chat_blocks_reply);
	size_t limit = in->limit ? in->limit : PAGE_MAX, found = 0;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s && in->limit > PAGE_MAX)
		s = err_invalid(err, "limit", "must be at most %d", PAGE_MAX);
	if (!s && strlen(in->after) > SUBJECT_ID_MAX)
		s = err_invalid(err, "after", "is longer than %d bytes", SUBJECT_ID_MAX);
	if (!s) /* one more tells whether there are more */
		s = store_blocks(req->db, user_id, in->after, limit + 1, req->arena,
		    &reply->user_ids, &found, err);
	if (s)
		return s;
	reply->n_user_ids = found > limit ? limit : found;
	if (found > limit)
		reply->next = reply->user_ids[limit - 1];
	req->reply = &reply->base;
	return STATUS_OK;
}
