/* A passing consumer of the stream of dead letters. */
#include "letters.h"

#include <inttypes.h>

#include "base/text.h"
#include "bus/provision.h"

enum { FETCH_MAX = 100 };

static enum status tell_fetched(
    struct bus_msg **letters, size_t n, letter_fn fn, void *arg, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		if (s == STATUS_OK)
			s = fn(arg, letters[i], err);
		bus_msg_unref(letters[i]);
	}
	return s;
}

/* Letters that do not come were removed meanwhile, or the server is slow: it is asked again. */
static enum status check_removed(const struct letters *letters, uint64_t next, struct err *err)
{
	struct bus_pull *pull = NULL;
	enum status s = bus_pull_open_from(letters->bus, STREAM_DLQ, next, &pull, err);

	if (!s && bus_pull_pending(pull) > 0)
		s = err_set(err, STATUS_TIMEOUT,
		    "dead letters from number %" PRIu64 " on did not come in time", next);
	bus_pull_close(pull);
	return s;
}

static enum status read_pending(
    struct bus_pull *pull, const struct letters *letters, letter_fn fn, void *arg, struct err *err)
{
	uint64_t pending = bus_pull_pending(pull);
	uint64_t left = pending < letters->max ? pending : letters->max;
	uint64_t next = letters->from;
	enum status s = STATUS_OK;

	while (left > 0 && s == STATUS_OK) {
		struct bus_msg *fetched[FETCH_MAX];
		size_t n = 0;

		s = bus_pull_fetch(pull, fetched, left < FETCH_MAX ? left : FETCH_MAX,
		    letters->timeout_ms, &n, err);
		if (s == STATUS_OK && n == 0)
			return check_removed(letters, next, err);
		if (n > 0)
			next = bus_msg_stream_seq(fetched[n - 1]) + 1;
		if (s == STATUS_OK)
			s = tell_fetched(fetched, n, fn, arg, err);
		left -= n;
	}
	return s;
}

enum status letters_read(
    const struct letters *letters, letter_fn fn, void *arg, uint64_t *ret_pending, struct err *err)
{
	struct bus_pull *pull = NULL;
	enum status s = bus_pull_open_from(letters->bus, STREAM_DLQ, letters->from, &pull, err);

	if (s)
		return s;
	*ret_pending = bus_pull_pending(pull);
	s = read_pending(pull, letters, fn, arg, err);
	bus_pull_close(pull);
	return s;
}

/* Whoever published may have put anything there. */
const char *letter_header(struct bus_msg *letter, const char *name)
{
	const char *value = bus_msg_header(letter, name);

	if (!value)
		return "";
	return text_is_clean(bytes_of_str(value)) ? value : "(not printable)";
}
