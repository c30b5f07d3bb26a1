/* ww.svc.notifications.list: the inbox, newest first, in pages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "kind.h"
#include "notifications.h"
#include "store.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100, DIGITS_MAX = 18 };

/* Beyond every number there is, in digits that are read again. */
#define CURSOR_NEWEST INT64_C(999999999999999999)

/* A letter and up to 18 digits; moves past them. */
static bool read_number(const char **text, char letter, int64_t *ret_n)
{
	size_t len;

	if (**text != letter)
		return false;
	(*text)++;
	len = strspn(*text, "0123456789");
	if (len == 0 || len > DIGITS_MAX)
		return false;
	*ret_n = strtoll(*text, NULL, 10);
	*text += len;
	return true;
}

/*
 * The cursor: where the page ended in the inbox and in the announcements, each behind a letter.
 * Clients may not read it, a later version may.
 */
static enum status read_cursor(const char *text, struct store_list *query, struct err *err)
{
	query->before_seq = query->before_announcement = INT64_MAX;
	if (!text[0] || (read_number(&text, 's', &query->before_seq) &&
			    read_number(&text, 'a', &query->before_announcement) && !text[0]))
		return STATUS_OK;
	return err_invalid(err, "before", "is no cursor of a page");
}

static enum status read_types(const struct request *req, const Walletwire__V1__ListRequest *in,
    struct store_list *query, struct err *err)
{
	int16_t *types = arena_alloc(req->arena, in->n_types * sizeof(*types));
	size_t len = 0;

	if (in->n_types > KIND_COUNT)
		return err_invalid(err, "types", "names more than there are");
	for (size_t i = 0; i < in->n_types; i++) {
		int number = kind_number(in->types[i]);

		if (number == WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT)
			query->announcements = true;
		else if (!number || !kind_find(number)->inbox)
			return err_invalid(err, "types", "names no type of the inbox");
		else
			types[len++] = (int16_t)number;
	}
	query->announcements = query->announcements || in->n_types == 0;
	query->types = types;
	query->types_len = len;
	return STATUS_OK;
}

static enum status read_query(const struct request *req, const Walletwire__V1__ListRequest *in,
    struct store_list *query, struct err *err)
{
	enum status s = request_caller(req, &query->user_id, err);

	if (!s && in->limit > LIMIT_MAX)
		s = err_invalid(err, "limit", "is above %d", LIMIT_MAX);
	if (!s)
		s = read_cursor(in->before, query, err);
	if (!s)
		s = read_types(req, in, query, err);
	query->limit = in->limit ? in->limit : LIMIT_DEFAULT;
	query->unread_only = in->unread_only;
	query->priority = (int16_t)in->priority;
	query->now_us = clock_wall_us();
	return s;
}

static int64_t time_of(const Walletwire__V1__ListItem *item)
{
	return message_time_us(item->notification->created_at);
}

/* Two lists, each newest first, as one; where each of them was left off is the cursor. */
struct merge {
	const Walletwire__V1__ListReply *inbox, *announcements;
	size_t inbox_at, announcements_at;
	struct store_list *query;
};

static Walletwire__V1__ListItem *next_item(struct merge *m)
{
	const Walletwire__V1__ListReply *a = m->announcements;
	bool has_item = m->inbox_at < m->inbox->n_items;
	bool has_announcement = m->announcements_at < a->n_items;
	Walletwire__V1__ListItem *item;

	if (has_announcement && (!has_item || time_of(a->items[m->announcements_at]) >=
						  time_of(m->inbox->items[m->inbox_at]))) {
		item = a->items[m->announcements_at++];
		m->query->before_announcement = (int64_t)item->data->announcement->announcement_seq;
	} else if (has_item) {
		item = m->inbox->items[m->inbox_at++];
		m->query->before_seq = (int64_t)item->notification->seq;
	} else {
		item = NULL;
	}
	return item;
}

static bool has_more(const struct merge *m)
{
	return m->inbox_at < m->inbox->n_items || m->announcements_at < m->announcements->n_items;
}

static void fill_page(struct merge *m, Walletwire__V1__ListReply *reply, struct arena *arena)
{
	size_t limit = m->query->limit, bytes = 0;

	reply->items = arena_alloc(arena, limit * sizeof(*reply->items));
	while (reply->n_items < limit && bytes <= STORE_PAGE_BYTES && has_more(m)) {
		Walletwire__V1__ListItem *item = next_item(m);

		bytes += protobuf_c_message_get_packed_size(&item->base);
		reply->items[reply->n_items++] = item;
	}
	if (has_more(m))
		reply->next = arena_printf(arena, "s%" PRId64 "a%" PRId64,
		    m->query->before_seq == INT64_MAX ? CURSOR_NEWEST : m->query->before_seq,
		    m->query->before_announcement == INT64_MAX ? CURSOR_NEWEST
							       : m->query->before_announcement);
}

enum status notifications_on_list(struct request *req, struct err *err)
{
	const Walletwire__V1__ListRequest *in = (const void *)req->body;
	Walletwire__V1__ListReply *reply = MESSAGE_NEW(req->arena, list_reply);
	Walletwire__V1__ListReply inbox = WALLETWIRE__V1__LIST_REPLY__INIT;
	Walletwire__V1__ListReply announcements = WALLETWIRE__V1__LIST_REPLY__INIT;
	struct store_list query = { 0 };
	struct merge merge = { &inbox, &announcements, 0, 0, &query };
	enum status s = read_query(req, in, &query, err);

	if (!s && (in->n_types == 0 || query.types_len > 0))
		s = store_list(req->db, &query, req->arena, &inbox, err);
	if (!s && query.announcements)
		s = store_list_announcements(req->db, &query, req->arena, &announcements, err);
	if (s)
		return s;
	fill_page(&merge, reply, req->arena);
	req->reply = &reply->base;
	return STATUS_OK;
}
