/*
 * message: what people write: what is taken, and how it is shown. Pure.
 *
 * Text is stored as it was written. On its way to clients it is escaped for HTML, unless the
 * deployment turned that off, because somebody will put it into a page as it is.
 */
#ifndef CHAT_MESSAGE_H
#define CHAT_MESSAGE_H

#include "store.h"

enum {
	MESSAGE_TEXT_MAX = 4000, /* code points */
	MESSAGE_NAME_MAX = 100,
	MESSAGE_REASON_MAX = 500,
	MESSAGE_EDITS_MAX = 100, /* of one message: each is an item of every member's mailbox */
};

/*
 * INVALID, naming the field, for what is not UTF-8, holds control characters (newline and tab are
 * fine) or characters that reorder what stands around them, has more than `max` code points, or
 * shows nothing.
 */
enum status message_check_text(
    const char *field, const char *text, size_t max, struct err *err) MUST_CHECK;

/* `text` with & < > " and ' as entities, in the arena. */
char *message_escape(const char *text, struct arena *arena);

/* As clients see it. */
ChatMessage *message_show(const struct store_message *message, bool escape, struct arena *arena);

/* <room>/<seq>/<edit>: names the event of a message, or of its change. */
char *message_event_id(const struct store_message *message, struct arena *arena);

#endif
