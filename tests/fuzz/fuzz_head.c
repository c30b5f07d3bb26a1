/*
 * Heads of requests: what the gate lets through has one meaning, and whatever of it gets into an
 * answer has no line break and nothing else that is not ours. Lines of a head may hold any byte but
 * NUL here, also those that civetweb would not let through.
 *
 * Input: choices, then texts that end in NUL: path, query, setting of origins, and name and value
 * of each header line.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "fuzz.h"
#include "http/head.h"

enum { BODY_MAX = 1000, ACCEPT_SIZE = 29, KEY_LEN = 24 };

struct choices {
	bool takes_body;
	const char *method, *version;
	unsigned setting;
};

/* --- what the gate promises --- */

static void check_head(const struct http_head *head, bool takes_body)
{
	size_t codings = head_count(head, "Transfer-Encoding");
	const char *length = head_value(head, "Content-Length");

	assert(head->path[0] == '/' && head->lines_len <= HEAD_LINES_MAX);
	assert(head_count(head, "Host") == 1 && head_count(head, "Content-Length") <= 1);
	assert(codings == 0 || (codings == 1 && takes_body && !length));
	assert(!strpbrk(head_value(head, "Host"), "\r\n \t/?#@,"));
	for (size_t i = 0; i < head->lines_len; i++)
		assert(is_made_of(head->lines[i].name, HEAD_TOKEN_CHARS));
	assert(!length || (strlen(length) <= 15 && is_made_of(length, "0123456789")));
}

static void check_body(const struct http_head *head)
{
	const char *length = head_value(head, "Content-Length");
	struct http_body body;
	enum http_body_state state;

	body_init(&body, head, BODY_MAX);
	state = http_body_feed(&body, bytes_of(NULL, 0));
	if (head_count(head, "Transfer-Encoding"))
		assert(state == HTTP_BODY_MORE);
	else if (!length || strspn(length, "0") == strlen(length))
		assert(state == HTTP_BODY_DONE);
	else
		assert(state == (strtoull(length, NULL, 10) > BODY_MAX ? HTTP_BODY_TOO_LARGE
								       : HTTP_BODY_MORE));
	assert(!http_body_wants_continue(&body) || state == HTTP_BODY_MORE);
	http_body_finish(&body);
}

static void check_websocket(const struct http_head *head)
{
	char accept[ACCEPT_SIZE];

	if (websocket_check(head))
		return;
	assert(strlen(head_value(head, "Sec-WebSocket-Key")) == KEY_LEN);
	assert(!head_count(head, "Transfer-Encoding"));
	http_websocket_accept(head_value(head, "Sec-WebSocket-Key"), accept);
	assert(strlen(accept) == ACCEPT_SIZE - 1);
}

/* --- what gets out --- */

/* A line of an answer, without its line break. */
static void check_line(char *line, const struct http_cors *cors, const struct http_head *head)
{
	const char *origin = head_value(head, "Origin");
	char *value = strstr(line, ": ");

	assert(value);
	*value = '\0';
	value += 2;
	for (const char *c = value; *c; c++)
		assert((*c >= ' ' || *c == '\t') && *c != 0x7f);
	if (strcmp(line, "Access-Control-Allow-Origin") == 0) {
		if (strcmp(value, "*") == 0)
			return; /* whoever asks */
		assert(origin && strcmp(value, origin) == 0);
		assert(cors_judge(cors, head) == HTTP_ORIGIN_ALLOWED);
	} else {
		assert(strcmp(line, "Vary") == 0 ||
		       strcmp(line, "Access-Control-Allow-Methods") == 0 ||
		       strcmp(line, "Access-Control-Allow-Headers") == 0);
	}
}

static void check_lines(
    struct buf *lines, const struct http_cors *cors, const struct http_head *head)
{
	char *at = (char *)(uintptr_t)buf_str(lines);

	assert(strlen(at) == lines->len);
	while (*at) {
		char *end = at + strcspn(at, "\r\n");

		assert(end[0] == '\r' && end[1] == '\n');
		*end = '\0';
		check_line(at, cors, head);
		at = end + 2;
	}
	buf_finish(lines);
}

/* Allowed are only any, our own host and what the setting lists. */
static void check_verdict(
    const struct http_cors *cors, const struct http_head *head, const char *setting)
{
	const char *origin = head_value(head, "Origin");
	const char *host;

	if (cors_judge(cors, head) != HTTP_ORIGIN_ALLOWED ||
	    strcspn(setting, "*") != strlen(setting))
		return;
	assert(origin && head_count(head, "Origin") == 1);
	host = strstr(origin, "://");
	assert(host);
	assert(strcasecmp(host + 3, head_value(head, "Host")) == 0 || strcasestr(setting, origin));
}

static void check_cors(const struct http_head *head, const char *setting)
{
	struct buf lines = BUF_INIT;
	struct http_cors *cors;

	if (http_cors_new(setting, &cors, NULL))
		return;
	assert(!strpbrk(setting, "\r\n"));
	cors_append_headers(cors, head, &lines);
	check_lines(&lines, cors, head);
	cors_append_preflight(cors, head, &lines);
	check_lines(&lines, cors, head);
	check_verdict(cors, head, setting);
	http_cors_free(cors);
}

/* --- the input --- */

static struct choices choices_of(uint8_t bits)
{
	return (struct choices){
		.takes_body = bits & 1,
		.method = bits & 2 ? "POST" : "GET",
		.version = bits & 4 ? "1.0" : "1.1",
		.setting = bits >> 3 & 3,
	};
}

/* Texts are cut out of the copy, where each ends in a NUL. */
static const char *next_text(char **at, const char *end)
{
	const char *text = *at;

	*at += strlen(text);
	if (*at < end)
		(*at)++;
	return text;
}

static struct http_head read_head(char **at, const char *end, const struct choices *choices)
{
	struct http_head head = { .method = choices->method, .version = choices->version };

	head.path = next_text(at, end);
	head.query = next_text(at, end);
	return head;
}

static void read_lines(char **at, const char *end, struct http_head *head)
{
	while (*at < end && head->lines_len < HEAD_LINES_CAP) {
		struct head_line *line = &head->lines[head->lines_len++];

		line->name = next_text(at, end);
		line->value = next_text(at, end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const settings[] = { "", "*",
		"https://app.example, http://localhost:5173" };
	struct bytes input = bytes_of(data, size);
	struct choices choices = choices_of(fuzz_choice(&input));
	char *copy = xcalloc(1, input.len + 1);
	char *at = copy, *end = copy + input.len;
	struct http_head head;
	const char *setting, *why;

	if (input.len)
		memcpy(copy, input.data, input.len);
	head = read_head(&at, end, &choices);
	setting = next_text(&at, end);
	if (choices.setting < ARRAY_LEN(settings))
		setting = settings[choices.setting];
	read_lines(&at, end, &head);
	if (head_judge(&head, choices.takes_body, &why) == 0) {
		check_head(&head, choices.takes_body);
		check_body(&head);
		check_websocket(&head);
		check_cors(&head, setting);
	} else {
		assert(why);
	}
	free(copy);
	return 0;
}
