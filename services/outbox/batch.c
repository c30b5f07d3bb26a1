/* A row is checked as `ww publish` checks a line, and its type against the closed table of kinds.
 */
#include "batch.h"

#include <assert.h>
#include <string.h>

enum { EVENT_MEMORY = 4 << 20 }; /* of one event while it is read */

void batch_init(struct batch *batch)
{
	arena_init(&batch->memory, SIZE_MAX);
	arena_init(&batch->scratch, EVENT_MEMORY);
	batch_clear(batch);
}

void batch_finish(struct batch *batch)
{
	arena_finish(&batch->memory);
	arena_finish(&batch->scratch);
}

void batch_clear(struct batch *batch)
{
	batch->len = batch->waves = 0;
	atomic_store(&batch->trouble, false);
	arena_reset(&batch->memory);
}

static enum status read_event(struct batch *batch, const struct batch_row *row,
    Walletwire__V1__Event **ret_event, struct err *err)
{
	/* The same at every try, so that the stream knows a repetition. */
	struct event_defaults defaults = { row->uid, row->created_us / 1000 };
	enum status s;

	if (!event_find_kind(row->type))
		return err_set(
		    err, STATUS_INVALID, "its type is no kind of event that a wallet may publish");
	arena_reset(&batch->scratch);
	s = event_from_json(row->event, &defaults, &batch->scratch, ret_event, err);
	if (s == STATUS_OK && strcmp(event_kind(*ret_event), row->type) != 0)
		s = err_set(
		    err, STATUS_INVALID, "it is a %s, not a %s", event_kind(*ret_event), row->type);
	return s;
}

static size_t wave_of(const struct batch *batch, int64_t key)
{
	for (size_t i = batch->len; i > 0; i--) {
		const struct batch_item *earlier = &batch->items[i - 1];

		if (earlier->key == key && !earlier->refused)
			return earlier->wave + 1;
	}
	return 0;
}

void batch_add(struct batch *batch, const struct batch_row *row)
{
	struct batch_item *item = &batch->items[batch->len];
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	assert(batch->len < BATCH_MAX);
	*item = (struct batch_item){ .id = row->id, .key = row->key };
	if (read_event(batch, row, &event, &err)) {
		item->refused = arena_strdup(&batch->memory, err.msg);
	} else {
		item->wave = wave_of(batch, row->key);
		outgoing_init(&item->out, event, &batch->trouble, &batch->memory);
		if (item->wave + 1 > batch->waves)
			batch->waves = item->wave + 1;
	}
	batch->len++;
}
