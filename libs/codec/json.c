/*
 * jansson behind our names for what comes in, an own writer for what goes out.
 *
 * jansson's parser and dumper recurse without a bound that fits small stacks; the scan in front of
 * the parser is what makes every tree here at most JSON_DEPTH_MAX deep.
 */
#include "codec/json.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* jansson has macros of these names; ours are functions. */
#undef json_is_array
#undef json_is_object
#undef json_is_string
#undef json_is_number

static const json_t *in(const struct json *value)
{
	return (const json_t *)value;
}

bool json_depth_ok(struct bytes text, unsigned max_depth)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > max_depth)
				return false;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

enum status json_parse(struct bytes text, struct json **ret_root, struct err *err)
{
	return json_parse_max(text, JSON_TEXT_MAX, ret_root, err);
}

enum status json_parse_max(
    struct bytes text, size_t max_len, struct json **ret_root, struct err *err)
{
	json_error_t error;
	json_t *root;

	if (text.len > max_len)
		return err_set(err, STATUS_TOO_LARGE, "JSON of %zu bytes, at most %zu are read",
		    text.len, max_len);
	if (!json_depth_ok(text, JSON_DEPTH_MAX))
		return err_set(err, STATUS_INVALID, "JSON nests deeper than %d", JSON_DEPTH_MAX);
	if (text.len == 0)
		return err_set(err, STATUS_INVALID, "not JSON: empty");
	/* jansson drops a NUL behind a number, true, false or null without a word. */
	if (memchr(text.data, '\0', text.len))
		return err_set(err, STATUS_INVALID, "not JSON: it has a NUL");
	root = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	/* jansson's own words quote the input, which may be a secret. */
	if (!root)
		return err_set(
		    err, STATUS_INVALID, "not JSON, or not strict, at byte %d", error.position);
	*ret_root = (struct json *)root;
	return STATUS_OK;
}

void json_free(struct json *root)
{
	json_decref((json_t *)root);
}

static bool is(const struct json *value, json_type type)
{
	return value && json_typeof(in(value)) == type;
}

bool json_is_array(const struct json *value)
{
	return is(value, JSON_ARRAY);
}

bool json_is_object(const struct json *value)
{
	return is(value, JSON_OBJECT);
}

bool json_is_string(const struct json *value)
{
	return is(value, JSON_STRING);
}

bool json_is_number(const struct json *value)
{
	return is(value, JSON_INTEGER) || is(value, JSON_REAL);
}

size_t json_array_len(const struct json *array)
{
	return json_array_size(in(array)); /* 0 for what is no array, NULL included */
}

const struct json *json_at(const struct json *array, size_t i)
{
	return (const struct json *)json_array_get(in(array), i);
}

const struct json *json_get(const struct json *object, const char *key)
{
	return (const struct json *)json_object_get(in(object), key);
}

struct bytes json_text(const struct json *value)
{
	if (!is(value, JSON_STRING))
		return (struct bytes){ 0 };
	return bytes_of(json_string_value(in(value)), json_string_length(in(value)));
}

bool json_int(const struct json *value, int64_t *ret_n)
{
	if (!is(value, JSON_INTEGER))
		return false;
	*ret_n = json_integer_value(in(value));
	return true;
}

/* What a JSON string can't hold as it is, and 0xe2, which starts U+2028, U+2029 and much else. */
static bool needs_look(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0xe2;
}

static bool is_line_separator(struct bytes text, size_t at)
{
	const uint8_t *c = text.data + at;

	return text.len - at >= 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9);
}

static void append_escape(struct buf *out, uint8_t c)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};

	buf_append_char(out, '\\');
	if (c >= 0x20)
		buf_append_char(out, (char)c);
	else if (letters[c])
		buf_append_char(out, letters[c]);
	else
		buf_appendf(out, "u%04x", c);
}

void json_append_string(struct buf *out, struct bytes utf8)
{
	size_t plain = 0; /* where the run starts that is not copied yet */

	(void)buf_reserve(out, utf8.len + 2);
	buf_append_char(out, '"');
	for (size_t i = 0; i < utf8.len; i++) {
		bool separator;

		if (!needs_look(utf8.data[i]))
			continue;
		separator = is_line_separator(utf8, i);
		if (utf8.data[i] == 0xe2 && !separator)
			continue;
		buf_append(out, utf8.data + plain, i - plain);
		if (separator) {
			i += 2;
			buf_append_str(out, utf8.data[i] == 0xa8 ? "\\u2028" : "\\u2029");
		} else {
			append_escape(out, utf8.data[i]);
		}
		plain = i + 1;
	}
	if (plain < utf8.len)
		buf_append(out, utf8.data + plain, utf8.len - plain);
	buf_append_char(out, '"');
}

/* The shortest text that reads back as the same number. */
static void append_real(struct buf *out, double value)
{
	char text[32];
	int precision = 14;
	double back;

	do {
		(void)snprintf(text, sizeof(text), "%.*g", ++precision, value);
		back = strtod(text, NULL);
	} while (precision < 17 && (back < value || back > value));
	buf_append_str(out, text);
	if (!strpbrk(text, ".e"))
		buf_append_str(out, ".0");
}

static void append_integer(struct buf *out, json_int_t value)
{
	if (value < 0)
		buf_append_char(out, '-');
	buf_append_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void append_value(struct buf *out, const json_t *value, unsigned depth)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators are not const */
	void *member;

	assert(depth <= JSON_DEPTH_MAX);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		buf_append_char(out, '{');
		for (member = json_object_iter(object); member;) {
			json_append_string(out, bytes_of(json_object_iter_key(member),
						    json_object_iter_key_len(member)));
			buf_append_char(out, ':');
			append_value(out, json_object_iter_value(member), depth + 1);
			member = json_object_iter_next(object, member);
			if (member)
				buf_append_char(out, ',');
		}
		buf_append_char(out, '}');
		break;
	case JSON_ARRAY:
		buf_append_char(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i > 0)
				buf_append_char(out, ',');
			append_value(out, json_array_get(value, i), depth + 1);
		}
		buf_append_char(out, ']');
		break;
	case JSON_STRING:
		json_append_string(out, json_text((const struct json *)value));
		break;
	case JSON_INTEGER:
		append_integer(out, json_integer_value(value));
		break;
	case JSON_REAL:
		append_real(out, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append_str(out, json_typeof(value) == JSON_TRUE ? "true" : "false");
		break;
	case JSON_NULL:
		buf_append_str(out, "null");
		break;
	}
}

void json_append_value(struct buf *out, const struct json *value)
{
	append_value(out, in(value), 0);
}
