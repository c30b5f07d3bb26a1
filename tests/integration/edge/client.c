/* Reading and writing frames with plain system calls. */
#include "client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/support.h"
#include "token/token.h"

enum { WAIT_MS = 10000 };

void client_send_raw(struct client *client, const void *data, size_t len)
{
	ck_assert_int_eq(send(client->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* One masked text frame at `out`; returns its length. */
static size_t put_frame(unsigned char *out, const char *text)
{
	size_t len = strlen(text);
	size_t header = 2;

	out[0] = 0x81;
	if (len < 126) {
		out[1] = (unsigned char)(0x80 | len);
	} else {
		out[1] = 0x80 | 126;
		out[2] = (unsigned char)(len >> 8);
		out[3] = (unsigned char)len;
		header = 4;
	}
	memset(out + header, 0, 4); /* a mask of zeros */
	memcpy(out + header + 4, text, len);
	return header + 4 + len;
}

void client_send_all(struct client *client, const char *const *texts, size_t n)
{
	unsigned char frames[CLIENT_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(len + strlen(texts[i]) + 8, sizeof(frames));
		len += put_frame(frames + len, texts[i]);
	}
	client_send_raw(client, frames, len);
}

void client_send(struct client *client, const char *text)
{
	client_send_all(client, &text, 1);
}

/* More input; false at the end of the stream. Fails the test after WAIT_MS. */
static bool fill(struct client *client)
{
	struct pollfd pfd = { .fd = client->fd, .events = POLLIN };
	ssize_t got;

	ck_assert_uint_lt(client->in_len, sizeof(client->in));
	ck_assert_msg(poll(&pfd, 1, WAIT_MS) == 1, "nothing came from the edge");
	got = recv(client->fd, client->in + client->in_len, sizeof(client->in) - client->in_len, 0);
	if (got <= 0)
		return false;
	client->in_len += (size_t)got;
	return true;
}

static void consume(struct client *client, size_t len)
{
	memmove(client->in, client->in + len, client->in_len - len);
	client->in_len -= len;
}

static int connect_small(int port, int receive_buffer)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (receive_buffer)
		ck_assert_int_eq(
		    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer)),
		    0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

int client_connect(int port)
{
	return connect_small(port, 0);
}

/* Until the 101. `query` is what follows "transport=websocket". */
static void handshake(struct client *client, int fd, const char *query)
{
	char request[1024];
	const char *end;
	int len = snprintf(request, sizeof(request),
	    "GET /socket.io/?EIO=4&transport=websocket%s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    query);

	memset(client, 0, sizeof(*client));
	client->close_code = -1;
	client->fd = fd;
	client_send_raw(client, request, (size_t)len);
	while (!(end = memmem(client->in, client->in_len, "\r\n\r\n", 4)))
		ck_assert_msg(fill(client), "the edge closed during the handshake");
	ck_assert_msg(memcmp(client->in, "HTTP/1.1 101", 12) == 0, "no 101");
	ck_assert_ptr_nonnull(
	    memmem(client->in, client->in_len, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28));
	consume(client, (size_t)(end + 4 - (const char *)client->in));
}

void client_open_small(struct client *client, int port, int receive_buffer)
{
	handshake(client, connect_small(port, receive_buffer), "");
	(void)client_expect(client, "0{\"sid\":\"");
}

void client_open(struct client *client, int port)
{
	client_open_small(client, port, 0);
}

void client_probe(struct client *client, int port, const char *sid)
{
	char query[256];

	(void)snprintf(query, sizeof(query), "&sid=%s", sid);
	handshake(client, client_connect(port), query);
	client_send(client, "2probe");
	(void)client_expect(client, "3probe");
}

void client_upgrade(struct client *client, int port, const char *sid)
{
	client_probe(client, port, sid);
	client_send(client, "5");
}

void client_close(struct client *client)
{
	(void)close(client->fd);
}

/* One frame off the front; false if it is not whole. The payload is NUL-terminated in `text`. */
static bool take(struct client *client, char *text, int *ret_opcode)
{
	size_t header = 2;
	size_t len;

	if (client->in_len < 2)
		return false;
	len = client->in[1] & 0x7f;
	if (len == 126) {
		header = 4;
		if (client->in_len < header)
			return false;
		len = (size_t)client->in[2] << 8 | client->in[3];
	}
	ck_assert_uint_lt(len, CLIENT_TEXT_MAX);
	if (client->in_len < header + len)
		return false;
	*ret_opcode = client->in[0] & 15;
	memcpy(text, client->in + header, len);
	text[len] = '\0';
	if (*ret_opcode == 8)
		client->close_code =
		    len >= 2 ? (unsigned char)text[0] << 8 | (unsigned char)text[1] : 1005;
	consume(client, header + len);
	return true;
}

const char *client_next(struct client *client)
{
	char *text = client->text;
	int opcode;

	for (;;) {
		if (!take(client, text, &opcode)) {
			if (!fill(client))
				return NULL;
		} else if (opcode == 8) {
			return NULL;
		} else if (opcode == 1 && strcmp(text, "2") == 0) {
			client->pings++;
			client_send(client, "3");
		} else if (opcode == 1) {
			return text;
		}
	}
}

const char *client_expect(struct client *client, const char *what)
{
	const char *text;

	do {
		text = client_next(client);
		ck_assert_msg(text != NULL, "the edge closed before \"%s\"", what);
	} while (!strstr(text, what));
	return text;
}

void client_connect_packet(
    const char *keys_dir, const char *user, char ret_packet[static TOKEN_MAX])
{
	long long now = clock_wall_ms() / 1000;
	struct err err = ERR_INIT;
	char claims[256];
	char *token;

	(void)snprintf(claims, sizeof(claims), "{\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld}", user,
	    now, now + 3600);
	ck_assert_ok(token_mint(keys_dir, "dev", claims, &token, &err), err);
	(void)snprintf(ret_packet, TOKEN_MAX, "40{\"token\":\"%s\"}", token);
	free(token);
}

void client_recover_packet(
    const char *keys_dir, const char *answer, const char *user, char ret_packet[static TOKEN_MAX])
{
	const char *pid = strstr(answer, "\"pid\"");
	const char *end = pid ? strchr(pid, '}') : NULL;
	size_t len;

	ck_assert_ptr_nonnull(end);
	client_connect_packet(keys_dir, user, ret_packet);
	len = strlen(ret_packet) - 1;
	(void)snprintf(ret_packet + len, TOKEN_MAX - len, ",%.*s}", (int)(end - pid), pid);
}

const char *client_sid(struct client *client)
{
	char *sid = client->text + strlen("0{\"sid\":\"");

	sid[strcspn(sid, "\"")] = '\0';
	return sid;
}

bool client_sign_in(struct client *client, const char *keys_dir, const char *user)
{
	char packet[TOKEN_MAX];
	const char *text;

	client_connect_packet(keys_dir, user, packet);
	client_send(client, packet);
	do
		text = client_next(client);
	while (text && strncmp(text, "40", 2) != 0);
	return text != NULL;
}
