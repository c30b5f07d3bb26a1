/* A passing consumer of the stream. */
#include "stored.h"

#include <inttypes.h>

enum { FETCH_MAX = 100 };

static enum status tell_fetched(
    struct bus_msg **msgs, size_t n, stored_fn fn, void *arg, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		if (s == STATUS_OK)
			s = fn(arg, msgs[i], err);
		bus_msg_unref(msgs[i]);
	}
	return s;
}

/* What does not come was removed meanwhile, or the server is slow: it is asked again. */
static enum status check_removed(const struct stored *stored, uint64_t next, struct err *err)
{
	struct bus_pull *pull = NULL;
	enum status s = bus_pull_open_from(stored->bus, stored->stream, next, &pull, err);

	if (!s && bus_pull_pending(pull) > 0)
		s = err_set(err, STATUS_TIMEOUT,
		    "what is in %s from number %" PRIu64 " on did not come in time", stored->stream,
		    next);
	bus_pull_close(pull);
	return s;
}

static enum status read_pending(
    struct bus_pull *pull, const struct stored *stored, stored_fn fn, void *arg, struct err *err)
{
	uint64_t pending = bus_pull_pending(pull);
	uint64_t left = pending < stored->max ? pending : stored->max;
	uint64_t next = stored->from;
	enum status s = STATUS_OK;

	while (left > 0 && s == STATUS_OK) {
		struct bus_msg *fetched[FETCH_MAX];
		size_t n = 0;

		s = bus_pull_fetch(pull, fetched, left < FETCH_MAX ? left : FETCH_MAX,
		    stored->timeout_ms, &n, err);
		if (s == STATUS_OK && n == 0)
			return check_removed(stored, next, err);
		if (n > 0)
			next = bus_msg_stream_seq(fetched[n - 1]) + 1;
		if (s == STATUS_OK)
			s = tell_fetched(fetched, n, fn, arg, err);
		left -= n;
	}
	return s;
}

enum status stored_read(
    const struct stored *stored, stored_fn fn, void *arg, uint64_t *ret_pending, struct err *err)
{
	struct bus_pull *pull = NULL;
	enum status s = bus_pull_open_from(stored->bus, stored->stream, stored->from, &pull, err);

	if (s)
		return s;
	*ret_pending = bus_pull_pending(pull);
	s = read_pending(pull, stored, fn, arg, err);
	bus_pull_close(pull);
	return s;
}
