/* The message id is <kind>/<id>, as for every event. */
#include "event.h"

#include <assert.h>

#include "bus/provision.h"
#include "log/log.h"

struct outbox_row event_row(
    const char *id, ChatEvent *chat, char **users, size_t len, int64_t at_us, struct arena *arena)
{
	Event *event = MESSAGE_NEW(arena, event);
	char traceparent[TRACEPARENT_SIZE];
	struct outbox_row row;

	event->id = arena_strdup(arena, id);
	event->user_ids = users;
	event->n_user_ids = len;
	/* The relay, which publishes the row, knows nothing of the request that made it. */
	trace_format(log_trace_now(), traceparent);
	event->traceparent = arena_strdup(arena, traceparent);
	event->occurred_at = message_timestamp(at_us, arena);
	event->body_case = WALLETWIRE__V1__EVENT__BODY_CHAT;
	event->chat = chat;
	row.message_id = arena_printf(arena, "chat/%s", id);
	row.payload = message_pack(&event->base, arena);
	assert(row.payload.len <= STREAM_DATA_MAX); /* members and texts are bounded by it */
	return row;
}
