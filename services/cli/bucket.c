/* A watch that ends with its first pass. */
#include "bucket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct reading {
	bus_kv_fn fn;
	void *arg;
	bool complete; /* of the watch's thread, until it has ended */
	int done_fd;   /* an eventfd: written when all was told */
};

static void on_key(void *arg, const char *key, struct bytes value)
{
	struct reading *reading = arg;

	if (reading->complete)
		return;
	if (key) {
		reading->fn(reading->arg, key, value);
		return;
	}
	reading->complete = true;
	(void)eventfd_write(reading->done_fd, 1);
}

enum status bucket_read(struct bus *bus, const char *bucket, const char *keys, int timeout_ms,
    bus_kv_fn fn, void *arg, struct err *err)
{
	struct reading reading = { fn, arg, false, eventfd(0, EFD_CLOEXEC) };
	struct pollfd done = { reading.done_fd, POLLIN, 0 };
	struct bus_kv_watch *watch = NULL;
	enum status s = bus_kv_watch_keys(bus, bucket, keys, on_key, &reading, &watch, err);

	if (s == STATUS_OK)
		(void)poll(&done, 1, timeout_ms);
	bus_kv_unwatch(watch);
	(void)close(reading.done_fd);
	if (s == STATUS_OK && !reading.complete)
		s = err_set(err, STATUS_TIMEOUT,
		    "the bucket %s was not read in %d ms (is it provisioned?)", bucket, timeout_ms);
	return s;
}
