/* The key of an event tells which version it is. */
#include "earlier.h"

#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "store.h"

enum { EDITS_MAX = 1000 }; /* more than ww-chat allows */

/* "chat/<room>/<seq>/" and the number behind it; 0: it is the first version, or no such key. */
static int32_t split_key(const char *key, struct arena *arena, const char **ret_prefix)
{
	const char *number = strrchr(key, '/') + 1;
	char *end = NULL;
	long edit = strtol(number, &end, 10);

	*ret_prefix = arena_strndup(arena, key, (size_t)(number - key));
	return *end || edit < 0 || edit > EDITS_MAX ? 0 : (int32_t)edit;
}

enum status earlier_blank(
    struct db *db, const struct batch *batch, struct arena *arena, struct err *err)
{
	struct store_revised revised = { 0,
		arena_alloc(arena, batch->events_len * sizeof(*revised.sender)),
		arena_alloc(arena, batch->events_len * sizeof(*revised.prefix)),
		arena_alloc(arena, batch->events_len * sizeof(*revised.edit)) };

	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];
		const struct plan *plan = &event->plan;
		const char *sender =
		    plan->bodies_len > 0 ? kind_sender(plan->bodies[0].payload) : NULL;

		if (!sender || !batch_is_new(event))
			continue;
		revised.edit[revised.len] =
		    split_key(plan->key, arena, &revised.prefix[revised.len]);
		revised.sender[revised.len] = sender;
		revised.len += revised.edit[revised.len] > 0;
	}
	return revised.len > 0 ? store_blank_earlier(db, &revised, err) : STATUS_OK;
}
