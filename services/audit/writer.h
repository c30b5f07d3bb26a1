/*
 * writer: the thread that takes messages off the stream and adds their records to the chains.
 *
 * One replica does, which holds an advisory lock on the connection that writes: who loses the
 * connection loses lock and transaction together. The others try for it four times a second. One
 * and not one per shard: only who reads every message of the stream can tell which are missing.
 */
#ifndef AUDIT_WRITER_H
#define AUDIT_WRITER_H

#include "bus/bus.h"
#include "config.h"

struct writer;

/* Fails for a key or a file that can't be used. `cfg` and `bus` outlive it; `name` is
 * "ww-audit/<instance>". */
enum status writer_start(const struct audit_config *cfg, struct bus *bus, const char *name,
    struct writer **ret_writer, struct err *err) MUST_CHECK;
/* Finishes what is under way and signs the last heads. NULL is fine. */
void writer_stop(struct writer *writer);

/* Why nothing is stored, for people; NULL: all is well. Any thread. */
const char *writer_trouble(const struct writer *writer);

#endif
