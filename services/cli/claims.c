/* Claims as JSON. Times are numbers, all others strings: a token is checked strictly by type. */
#include "claims.h"

#include <errno.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/text.h"
#include "codec/json.h"

static bool is_named(const char *pair, const char *name)
{
	size_t len = strlen(name);

	return strncmp(pair, name, len) == 0 && pair[len] == '=';
}

static bool is_time(const char *pair)
{
	return is_named(pair, "iat") || is_named(pair, "exp") || is_named(pair, "nbf");
}

static bool is_given(const struct option_list *extra, const char *name)
{
	for (size_t i = 0; i < extra->len; i++) {
		if (is_named(extra->at[i], name))
			return true;
	}
	return false;
}

static enum status append_pair(struct buf *out, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '=');
	const char *value = equals ? equals + 1 : "";
	char *end = NULL;

	if (!equals || equals == pair || !text_is_utf8(bytes_of_str(pair)))
		return err_set(err, STATUS_INVALID, "--claim %s: not of the form name=value", pair);
	buf_append_char(out, ',');
	json_append_string(out, bytes_of(pair, (size_t)(equals - pair)));
	buf_append_char(out, ':');
	if (!is_time(pair)) {
		json_append_string(out, bytes_of_str(value));
		return STATUS_OK;
	}
	errno = 0;
	buf_appendf(out, "%lld", strtoll(value, &end, 10));
	if (errno || end == value || *end != '\0')
		return err_set(
		    err, STATUS_INVALID, "--claim %s: seconds since 1970, as a whole number", pair);
	return STATUS_OK;
}

static void append_text(
    struct buf *out, const struct option_list *extra, const char *name, const char *value)
{
	if (!value || !value[0] || is_given(extra, name))
		return;
	buf_appendf(out, ",\"%s\":", name);
	json_append_string(out, bytes_of_str(value));
}

static void append_time(
    struct buf *out, const struct option_list *extra, const char *name, int64_t value_s)
{
	if (!is_given(extra, name))
		buf_appendf(out, ",\"%s\":%lld", name, (long long)value_s);
}

enum status claims_append(struct buf *out, const struct claims_request *request, struct err *err)
{
	const struct option_list *extra = &request->extra;
	size_t start = out->len;
	char jti[ID_SIZE];

	if (!text_is_utf8(bytes_of_str(request->user)))
		return err_set(err, STATUS_INVALID, "--user: not UTF-8");
	id_random(jti);
	append_text(out, extra, "sub", request->user);
	append_text(out, extra, "jti", jti);
	append_time(out, extra, "iat", request->now_s);
	append_time(out, extra, "exp", request->now_s + request->ttl_s);
	append_text(out, extra, "iss", request->issuer);
	append_text(out, extra, "aud", request->audience);
	for (size_t i = 0; i < extra->len; i++) {
		enum status s;

		for (size_t j = 0; j < i; j++) {
			const char *equals = strchr(extra->at[j], '=');

			if (equals && strncmp(extra->at[i], extra->at[j],
					  (size_t)(equals - extra->at[j]) + 1) == 0)
				return err_set(
				    err, STATUS_INVALID, "--claim %s: given twice", extra->at[i]);
		}
		s = append_pair(out, extra->at[i], err);
		if (s)
			return s;
	}
	/* Every member was written with a comma in front. */
	if (out->len == start)
		buf_append_char(out, '{');
	else
		out->data[start] = '{';
	buf_append_char(out, '}');
	return STATUS_OK;
}
