/*
 * What may stand in a subject. nats.c sends any text: a space or a line break in a subject is
 * another command for the server, so nothing reaches it unchecked.
 */
#include "bus/subject_check.h"

#include <stddef.h>
#include <string.h>

enum { SUBJECT_MAX = 512 };

static bool is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '=' || c == '-';
}

static bool token_is_literal(const char *token, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_token_char(token[i]))
			return false;
	}
	return len > 0;
}

static bool tokens_are_fine(const char *subject, bool wildcards)
{
	const char *token = subject;

	if (strlen(subject) > SUBJECT_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(token, ".");
		bool last = token[len] == '\0';
		bool wild = wildcards && len == 1 && (*token == '*' || (*token == '>' && last));

		if (!wild && !token_is_literal(token, len))
			return false;
		if (last)
			return true;
		token += len + 1;
	}
}

bool bus_subject_is_literal(const char *subject)
{
	return tokens_are_fine(subject, /* wildcards= */ false);
}

bool bus_subject_is_pattern(const char *subject)
{
	return tokens_are_fine(subject, /* wildcards= */ true);
}

bool bus_subject_is_reply(const char *subject)
{
	size_t len = strlen(subject);

	for (size_t i = 0; i < len; i++) {
		if (subject[i] <= ' ' || subject[i] == 0x7f || subject[i] == '*' ||
		    subject[i] == '>')
			return false;
	}
	return len > 0 && len <= SUBJECT_MAX;
}

bool bus_subject_fits(const char *pattern, const char *subject)
{
	while (strcmp(pattern, ">") != 0) {
		size_t wanted = strcspn(pattern, "."), len = strcspn(subject, ".");
		bool any = wanted == 1 && *pattern == '*';

		if (any ? len == 0 : wanted != len || strncmp(pattern, subject, len) != 0)
			return false;
		pattern += wanted;
		subject += len;
		if (!*pattern || !*subject)
			return !*pattern && !*subject;
		pattern++;
		subject++;
	}
	return *subject != '\0';
}

bool bus_kv_key_is_valid(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++) {
		if (!is_token_char(key[i]) && key[i] != '/' && key[i] != '.')
			return false;
	}
	/* An empty token would be refused by the server, or read as another key. */
	return len > 0 && len <= SUBJECT_MAX && key[0] != '.' && key[len - 1] != '.' &&
	       !strstr(key, "..");
}

bool bus_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len <= 64 && !memchr(name, '=', len) && token_is_literal(name, len);
}
