/* subject_check: what may be sent to the server as a subject, a key or a name. Internal to
 * libs/bus. */
#ifndef BUS_SUBJECT_CHECK_H
#define BUS_SUBJECT_CHECK_H

#include <stdbool.h>

/* Tokens of [A-Za-z0-9_=-] between dots, at most 512 bytes: what may be published on. */
bool bus_subject_is_literal(const char *subject);
/* The same, with `*` for a token and `>` for the last: what may be subscribed to. */
bool bus_subject_is_pattern(const char *subject);
/* A reply subject as another client chose it: nothing that could end the line, no wildcard. */
bool bus_subject_is_reply(const char *subject);

/* Is `subject`, whatever it is, one of those that `pattern` stands for? */
bool bus_subject_fits(const char *pattern, const char *subject);

/* A key of a bucket: [-/_=.A-Za-z0-9], without empty tokens. */
bool bus_kv_key_is_valid(const char *key);
/* The name of a user, queue group, stream, bucket or header: 1 to 64 of [A-Za-z0-9_-]. */
bool bus_name_is_valid(const char *name);

#endif
