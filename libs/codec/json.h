/*
 * json: untrusted JSON in, compact JSON out. jansson.h is included nowhere else.
 *
 * In: a scan first bounds nesting and size without a stack, because jansson recurses; then jansson
 * parses strictly (no duplicate keys, no NUL, UTF-8). Numbers keep their text where money is read:
 * see reflect.h. Out: appended text, no tree.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 16 };

struct json; /* a parsed value; borrowed from its root */

/* Brackets outside strings nest at most `max_depth` deep. Works on anything, JSON or not. */
bool json_depth_ok(struct bytes text, unsigned max_depth);

/* One value, whole. The caller frees the root with json_free(). */
enum status json_parse(struct bytes text, struct json **ret_root, struct err *err) MUST_CHECK;
void json_free(struct json *root);

bool json_is_array(const struct json *value);
bool json_is_object(const struct json *value);
bool json_is_string(const struct json *value);
size_t json_array_len(const struct json *array); /* 0 for what is no array */
const struct json *json_at(const struct json *array, size_t i);           /* NULL if none */
const struct json *json_get(const struct json *object, const char *key);  /* NULL if none */
struct bytes json_string(const struct json *value); /* empty for what is no string */
bool json_integer(const struct json *value, int64_t *ret_n);
/* The value as compact text; for what is echoed (auth payloads, pass-through). */
void json_append_value(struct buf *out, const struct json *value);

/* A JSON string with its quotes; escapes what JSON demands, and also U+2028 and U+2029. */
void json_append_string(struct buf *out, struct bytes utf8);

#endif
