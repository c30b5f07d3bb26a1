/*
 * json: untrusted JSON in, compact JSON out. jansson.h is included nowhere else.
 *
 * In: a scan first bounds nesting and size without a stack, because jansson recurses; then jansson
 * parses strictly (no duplicate keys, no NUL, UTF-8). Its numbers are binary, so money never comes
 * in as one: see reflect.h. Out: appended text, no tree.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 16, JSON_TEXT_MAX = 64 * 1024 };

struct json; /* a parsed value; borrowed from its root */

/* Brackets outside strings nest at most `max_depth` deep. Works on anything, JSON or not. */
bool json_depth_ok(struct bytes text, unsigned max_depth);

/*
 * One value, whole; STATUS_TOO_LARGE above JSON_TEXT_MAX bytes, STATUS_INVALID for what is no JSON
 * or too deep. The caller frees the root with json_free(). json_parse_max() is for whoever has a
 * limit of his own.
 */
enum status json_parse(struct bytes text, struct json **ret_root, struct err *err) MUST_CHECK;
enum status json_parse_max(
    struct bytes text, size_t max_len, struct json **ret_root, struct err *err) MUST_CHECK;
void json_free(struct json *root);

bool json_is_array(const struct json *value);
bool json_is_object(const struct json *value);
bool json_is_string(const struct json *value);
bool json_is_number(const struct json *value);
size_t json_array_len(const struct json *array);                /* 0 for what is no array */
const struct json *json_at(const struct json *array, size_t i); /* NULL if none */
const struct json *json_get(const struct json *object, const char *key); /* NULL if none */
/* Not json_string() and json_integer(): jansson exports those, and its users would get ours. */
struct bytes json_text(const struct json *value);        /* of a string; empty for what is none */
bool json_int(const struct json *value, int64_t *ret_n); /* false for what is no integer */
/* The value as compact text; for what is echoed (auth payloads, pass-through). */
void json_append_value(struct buf *out, const struct json *value);

/* A JSON string with its quotes; escapes what JSON demands, and also U+2028 and U+2029. */
void json_append_string(struct buf *out, struct bytes utf8);

#endif
