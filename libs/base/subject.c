/* The injective encoding of ids into subject tokens. */
#include "base/subject.h"

#include <stdio.h>

static bool is_plain(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum status subject_encode(
    struct bytes id, char ret_token[static SUBJECT_TOKEN_SIZE], struct err *err)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = ret_token;

	if (id.len == 0 || id.len > SUBJECT_ID_MAX)
		return err_set(err, STATUS_INVALID, "an id has 1 to %d bytes, this one %zu",
		    SUBJECT_ID_MAX, id.len);
	for (size_t i = 0; i < id.len; i++) {
		uint8_t c = id.data[i];

		if (is_plain(c)) {
			*out++ = (char)c;
		} else {
			*out++ = '=';
			*out++ = hex[c >> 4];
			*out++ = hex[c & 15];
		}
	}
	*out = '\0';
	return STATUS_OK;
}

enum status subject_decode(
    struct bytes token, char ret_id[static SUBJECT_ID_MAX + 1], size_t *ret_len, struct err *err)
{
	size_t len = 0;

	for (size_t i = 0; i < token.len; len++) {
		uint8_t c = token.data[i++];

		if (len == SUBJECT_ID_MAX)
			return err_set(err, STATUS_INVALID, "subject token is too long");
		if (c == '=') {
			int high = i + 1 < token.len ? hex_value(token.data[i]) : -1;
			int low = i + 1 < token.len ? hex_value(token.data[i + 1]) : -1;

			if (high < 0 || low < 0 || is_plain((uint8_t)(high << 4 | low)))
				return err_set(
				    err, STATUS_INVALID, "subject token has a bad escape");
			c = (uint8_t)(high << 4 | low);
			i += 2;
		} else if (!is_plain(c)) {
			return err_set(err, STATUS_INVALID, "subject token has byte 0x%02x", c);
		}
		ret_id[len] = (char)c;
	}
	if (len == 0)
		return err_set(err, STATUS_INVALID, "subject token is empty");
	ret_id[len] = '\0';
	*ret_len = len;
	return STATUS_OK;
}

enum status subject_with_id(
    const char *prefix, const char *id, char ret_subject[static SUBJECT_SIZE], struct err *err)
{
	char token[SUBJECT_TOKEN_SIZE];
	enum status s = subject_encode(bytes_of_str(id), token, err);

	if (s)
		return s;
	if (snprintf(ret_subject, SUBJECT_SIZE, "%s%s", prefix, token) >= SUBJECT_SIZE)
		return err_set(err, STATUS_INVALID, "subject %s... is too long", prefix);
	return STATUS_OK;
}

enum status subject_check_id(const char *field, const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > SUBJECT_ID_MAX)
		return err_invalid(err, field, "must have 1 to %d bytes", SUBJECT_ID_MAX);
	return STATUS_OK;
}
