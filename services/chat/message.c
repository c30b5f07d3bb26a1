/* How a message is shown. */
#include "message.h"

#include <inttypes.h>

#include "words.h"

ChatMessage *message_show(const struct store_message *message, bool escape, struct arena *arena)
{
	ChatMessage *shown = MESSAGE_NEW(arena, chat_message);

	shown->id = arena_strdup(arena, message->message_id);
	shown->room_id = arena_strdup(arena, message->room_id);
	shown->seq = message->seq;
	shown->sender_id = arena_strdup(arena, message->sender_id);
	shown->text =
	    escape ? words_escape(message->text, arena) : arena_strdup(arena, message->text);
	shown->timestamp = message_timestamp(message->created_us, arena);
	shown->client_id = arena_strdup(arena, message->client_id);
	if (message->edited_us)
		shown->edited_at = message_timestamp(message->edited_us, arena);
	shown->deleted = message->deleted;
	return shown;
}

char *message_event_id(const struct store_message *message, struct arena *arena)
{
	return arena_printf(
	    arena, "%s/%" PRIu64 "/%u", message->room_id, message->seq, message->edit);
}
