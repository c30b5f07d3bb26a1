/* Lists of header values, walked in place: nothing is copied, nothing is kept. */
#include "http/cached.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

enum { ETAG_BYTES = 16 };

#define SPACES " \t"

void http_etag(struct bytes data, const char *suffix, char ret_etag[static HTTP_ETAG_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	int ok = EVP_Digest(data.data, data.len, digest, NULL, EVP_sha256(), NULL);

	assert(ok == 1 && strlen(suffix) <= HTTP_ETAG_SUFFIX_MAX);
	(void)ok;
	ret_etag[len++] = '"';
	for (size_t i = 0; i < ETAG_BYTES; i++, len += 2)
		(void)snprintf(ret_etag + len, 3, "%02x", digest[i]);
	(void)snprintf(ret_etag + len, HTTP_ETAG_SIZE - len, "%s\"", suffix);
}

/* --- If-None-Match --- */

/* The end of the tag that begins here, behind its closing quote; NULL if there is none. */
static const char *tag_end(const char *at)
{
	const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;

	return end ? end + 1 : NULL;
}

bool http_none_match_has(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	if (!list)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *at = list + strspn(list, SPACES ","), *end; *at;
	     at = end + strspn(end, SPACES ",")) {
		if (strncmp(at, "W/", 2) == 0) /* compared weakly: by the tag alone */
			at += 2;
		end = tag_end(at);
		if (!end)
			return false;
		if ((size_t)(end - at) == len && strncmp(at, etag, len) == 0)
			return true;
	}
	return false;
}

/* --- Accept-Encoding --- */

static bool is_word(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(at, word, len) == 0;
}

/* `q=` and more than zero; what is no weight at all is not. */
static bool is_wanted(const char *at, size_t len)
{
	if (len < 3 || strncasecmp(at, "q=", 2) != 0)
		return false;
	if (at[2] == '1')
		return true;
	return at[2] == '0' && len > 4 && at[3] == '.' && strcspn(at + 4, "123456789") < len - 4;
}

/* One element of the list: a coding and perhaps its weight, which is looked at if it is ours. */
static bool element_is(const char *at, size_t len, const char *coding, bool *ret_wanted)
{
	const char *end = at + len, *semicolon = memchr(at, ';', len);
	const char *name_end = semicolon ? semicolon : end;

	while (name_end > at && strchr(SPACES, name_end[-1]))
		name_end--;
	if (!is_word(at, (size_t)(name_end - at), coding))
		return false;
	*ret_wanted = true;
	if (!semicolon)
		return true;
	semicolon += 1 + strspn(semicolon + 1, SPACES);
	while (end > semicolon && strchr(SPACES, end[-1]))
		end--;
	*ret_wanted = is_wanted(semicolon, end > semicolon ? (size_t)(end - semicolon) : 0);
	return true;
}

/* Whether the list names this coding, and then in *ret_wanted whether it is to be had. */
static bool names(const char *list, const char *coding, bool *ret_wanted)
{
	for (const char *at = list + strspn(list, SPACES ","); *at; at += strspn(at, SPACES ",")) {
		size_t len = strcspn(at, ",");

		if (element_is(at, len, coding, ret_wanted))
			return true;
		at += len;
	}
	return false;
}

bool http_accepts_gzip(const char *list)
{
	bool wanted = false;

	if (!list)
		return false;
	if (!names(list, "gzip", &wanted) && !names(list, "x-gzip", &wanted))
		(void)names(list, "*", &wanted);
	return wanted;
}
