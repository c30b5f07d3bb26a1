/*
 * bucket: a key-value bucket read once.
 */
#ifndef CLI_BUCKET_H
#define CLI_BUCKET_H

#include "bus/bus.h"

/*
 * Tells every key that matches the pattern, within timeout_ms; one that is put meanwhile is told
 * again, one that was deleted has a value without data. `fn` is told from a thread of the watch,
 * which has ended when this returns.
 */
enum status bucket_read(struct bus *bus, const char *bucket, const char *keys, int timeout_ms,
    bus_kv_fn fn, void *arg, struct err *err) MUST_CHECK;

#endif
