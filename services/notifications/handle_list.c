/* ww.svc.notifications.list: the inbox, newest first, in pages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "kind.h"
#include "notifications.h"
#include "store.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100 };

/* The cursor is a seq behind a letter: clients may not read it, a later version may. */
static enum status read_cursor(const char *text, int64_t *ret_seq, struct err *err)
{
	char *end = NULL;

	*ret_seq = INT64_MAX;
	if (!text[0])
		return STATUS_OK;
	if (text[0] == 's' && text[1] >= '1' && text[1] <= '9' && strlen(text) <= 19) {
		*ret_seq = strtoll(text + 1, &end, 10);
		if (*end == '\0')
			return STATUS_OK;
	}
	return err_invalid(err, "before", "is no cursor of a page");
}

static enum status read_types(const struct request *req, const Walletwire__V1__ListRequest *in,
    struct store_list *query, struct err *err)
{
	int16_t *types = arena_alloc(req->arena, in->n_types * sizeof(*types));

	if (in->n_types > KIND_COUNT)
		return err_invalid(err, "types", "names more than there are");
	for (size_t i = 0; i < in->n_types; i++) {
		int number = kind_number(in->types[i]);

		if (!number || !kind_find(number)->inbox)
			return err_invalid(err, "types", "names no type of the inbox");
		types[i] = (int16_t)number;
	}
	query->types = types;
	query->types_len = in->n_types;
	return STATUS_OK;
}

static enum status read_query(const struct request *req, const Walletwire__V1__ListRequest *in,
    struct store_list *query, struct err *err)
{
	enum status s = notifications_caller(req, &query->user_id, err);

	if (!s && in->limit > LIMIT_MAX)
		s = err_invalid(err, "limit", "is above %d", LIMIT_MAX);
	if (!s)
		s = read_cursor(in->before, &query->before_seq, err);
	if (!s)
		s = read_types(req, in, query, err);
	query->limit = in->limit ? in->limit : LIMIT_DEFAULT;
	query->unread_only = in->unread_only;
	query->priority = (int16_t)in->priority;
	query->now_us = clock_wall_us();
	return s;
}

enum status notifications_on_list(struct request *req, struct err *err)
{
	const Walletwire__V1__ListRequest *in = (const void *)req->body;
	Walletwire__V1__ListReply *reply = MESSAGE_NEW(req->arena, list_reply);
	struct store_list query = { 0 };
	int64_t last = 0;
	enum status s = read_query(req, in, &query, err);

	if (!s)
		s = store_list(req->db, &query, req->arena, reply, &last, err);
	if (!s && last > 0)
		reply->next = arena_printf(req->arena, "s%" PRId64, last);
	req->reply = &reply->base;
	return s;
}
