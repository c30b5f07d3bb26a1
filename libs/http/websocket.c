/* The opening handshake of RFC 6455: what a client must have sent, and the one computed answer. */
#include <assert.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/attrs.h"
#include "http/head.h"
#include "http/http.h"

enum {
	KEY_BYTES = 16,
	KEY_CHARS = 24,
	SHA1_BYTES = 20,
};

/* Does one of the comma-separated lists under `name` hold `token`, compared without case? */
static bool list_has(const struct http_head *head, const char *name, const char *token)
{
	for (size_t i = 0; i < head->lines_len; i++) {
		const char *at = head->lines[i].value;

		if (strcasecmp(head->lines[i].name, name) != 0)
			continue;
		while (*at) {
			size_t len;

			at += strspn(at, " \t,");
			len = strcspn(at, " \t,");
			if (len == strlen(token) && strncasecmp(at, token, len) == 0)
				return true;
			at += len;
		}
	}
	return false;
}

/* 16 bytes in base64: 22 digits and two of padding. */
static bool is_key(const char *key)
{
	size_t digits =
	    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	return digits == KEY_CHARS - 2 && strcmp(key + digits, "==") == 0;
}

const char *websocket_check(const struct http_head *head)
{
	const char *version = head_value(head, "Sec-WebSocket-Version");
	const char *key = head_value(head, "Sec-WebSocket-Key");
	const char *length = head_value(head, "Content-Length");

	if (strcmp(head->method, "GET") != 0)
		return "the method is not GET";
	if (strcmp(head->version, "1.1") != 0)
		return "the protocol is not HTTP/1.1";
	if (!list_has(head, "Upgrade", "websocket"))
		return "Upgrade does not say websocket";
	if (!list_has(head, "Connection", "Upgrade"))
		return "Connection does not say Upgrade";
	if (head_count(head, "Sec-WebSocket-Version") != 1 || strcmp(version, "13") != 0)
		return "Sec-WebSocket-Version is not 13";
	if (head_count(head, "Sec-WebSocket-Key") != 1 || !is_key(key))
		return "Sec-WebSocket-Key is not 16 bytes in base64";
	if ((length && strcmp(length, "0") != 0) || head_count(head, "Transfer-Encoding"))
		return "a handshake has no body"; /* it would be read as frames */
	return NULL;
}

void http_websocket_accept(const char *key, char ret_accept[static 29])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char joined[KEY_CHARS + sizeof(guid)];
	unsigned char digest[SHA1_BYTES];
	int ok;

	assert(strlen(key) == KEY_CHARS); /* checked by http_websocket_check() */
	(void)memcpy(joined, key, KEY_CHARS);
	(void)memcpy(joined + KEY_CHARS, guid, sizeof(guid));
	ok = EVP_Digest(joined, sizeof(joined) - 1, digest, NULL, EVP_sha1(), NULL);
	assert(ok == 1);
	(void)ok;
	(void)EVP_EncodeBlock((unsigned char *)ret_accept, digest, sizeof(digest));
}
