/* Every check here stands for something a library behind it accepts or dies of. */
#include "token/gate.h"

/* The value of a base64url digit, or -1. */
static int digit_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool gate_base64url(struct bytes text, uint8_t *ret_data, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.data[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret_data[len++] = (uint8_t)(bits >> have);
			bits &= (1U << have) - 1;
		}
	}
	*ret_len = len;
	return have < 6 && bits == 0; /* six bits left over: a lone last character */
}

bool gate_depth_ok(struct bytes json)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		uint8_t c = json.data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > GATE_DEPTH_MAX)
				return false;
		} else if (c == '}' || c == ']') {
			if (--depth < 0) /* would make room for more below */
				return false;
		}
	}
	return true;
}

json_t *gate_parse(struct bytes json)
{
	json_t *parsed;

	/* jansson drops a NUL behind a number, true, false or null; libjwt ends there. */
	if (!gate_depth_ok(json) || (json.len && memchr(json.data, '\0', json.len)))
		return NULL;
	parsed = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	if (parsed && !json_is_object(parsed)) {
		json_decref(parsed);
		return NULL;
	}
	return parsed;
}

static json_t *parse_part(struct bytes part)
{
	uint8_t json[GATE_PART_MAX];
	size_t len;

	if (!gate_base64url(part, json, &len))
		return NULL;
	return gate_parse(bytes_of(json, len));
}

/* Three parts, of which only the signature may be empty (so that `none` is told by its name). */
static bool split(struct bytes token, struct bytes ret_parts[static 3])
{
	size_t part = 0, start = 0;

	for (size_t i = 0; i <= token.len; i++) {
		if (i < token.len && token.data[i] != '.')
			continue;
		if (part == 3)
			return false;
		ret_parts[part++] = bytes_of(token.data + start, i - start);
		start = i + 1;
	}
	return part == 3 && ret_parts[0].len > 0 && ret_parts[1].len > 0;
}

/* The text of a header field: `absent` if there is none, NULL if it is something else. */
static const char *header_text(const json_t *header, const char *name, const char *absent)
{
	const json_t *value = json_object_get(header, name);

	return value ? json_string_value(value) : absent;
}

/*
 * `crit` names extensions that must be understood (RFC 7515 section 4.1.11); we know none. A `typ`
 * that is there and empty would be none to us and a wrong one to libjwt.
 */
static bool read_header(struct gate_token *open)
{
	open->alg = header_text(open->header, "alg", NULL);
	open->kid = header_text(open->header, "kid", "");
	open->typ = header_text(open->header, "typ", "");
	if (!open->alg || !open->kid || !open->typ || json_object_get(open->header, "crit"))
		return false;
	return *open->typ || !json_object_get(open->header, "typ");
}

enum token_verdict gate_open(struct bytes token, struct gate_token *ret_open)
{
	struct bytes parts[3];

	if (token.len == 0)
		return TOKEN_MISSING;
	if (token.len > TOKEN_MAX || !split(token, parts))
		return TOKEN_MALFORMED;
	if (!gate_base64url(parts[2], ret_open->signature, &ret_open->signature_len))
		return TOKEN_MALFORMED;
	ret_open->signing_input = bytes_of(token.data, parts[0].len + 1 + parts[1].len);
	ret_open->payload = NULL;
	ret_open->header = parse_part(parts[0]);
	if (ret_open->header && read_header(ret_open))
		ret_open->payload = parse_part(parts[1]);
	if (!ret_open->payload) {
		gate_finish(ret_open);
		return TOKEN_MALFORMED;
	}
	return TOKEN_OK;
}

void gate_finish(struct gate_token *open)
{
	json_decref(open->header);
	json_decref(open->payload);
	open->header = NULL;
	open->payload = NULL;
}
