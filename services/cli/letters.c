/* Of the stream of dead letters. */
#include "letters.h"

#include "base/text.h"
#include "bus/provision.h"

enum status letters_read(
    const struct letters *letters, letter_fn fn, void *arg, uint64_t *ret_pending, struct err *err)
{
	struct stored stored = { letters->bus, STREAM_DLQ, letters->from, letters->max,
		letters->timeout_ms };

	return stored_read(&stored, fn, arg, ret_pending, err);
}

/* Whoever published may have put anything there. */
const char *letter_header(struct bus_msg *letter, const char *name)
{
	const char *value = bus_msg_header(letter, name);

	if (!value)
		return "";
	return text_is_clean(bytes_of_str(value)) ? value : "(not printable)";
}
