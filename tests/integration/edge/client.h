/* client: one WebSocket to an edge, blocking, for tests that look at every frame. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "token/token.h"

enum { CLIENT_TEXT_MAX = 1 << 16 };

struct client {
	int fd;
	char text[CLIENT_TEXT_MAX]; /* the newest frame's */
	unsigned char in[1 << 17];
	size_t in_len;
	unsigned pings; /* answered */
	int close_code; /* of the server's close frame: 1005 if it had none, -1 before */
};

/* A connection to the edge at `port`; the caller closes it. */
int client_connect(int port);

/* Connect and upgrade; the open packet was read and checked. */
void client_open(struct client *client, int port);
/* The same with so small a receive buffer that the edge soon has to wait; 0: as the system does. */
void client_open_small(struct client *client, int port, int receive_buffer);
void client_close(struct client *client);

/* A WebSocket that takes a session over from polling, at this edge or another: probed and switched.
 */
void client_upgrade(struct client *client, int port, const char *sid);
/* The same, but for the "5" that switches. */
void client_probe(struct client *client, int port, const char *sid);

/* CONNECT with a token of `user`; everything up to the CONNECT reply was read. False if closed. */
bool client_sign_in(struct client *client, const char *keys_dir, const char *user);

/* The CONNECT packet with a fresh token of `user`. */
void client_connect_packet(
    const char *keys_dir, const char *user, char ret_packet[static TOKEN_MAX]);

/* The same to recover the socket whose CONNECT answer this was. */
void client_recover_packet(
    const char *keys_dir, const char *answer, const char *user, char ret_packet[static TOKEN_MAX]);

/* The session id of one that was opened and has read nothing since. */
const char *client_sid(struct client *client);

void client_send(struct client *client, const char *text);
/* Several messages in one write, so that the edge reads them in one turn. */
void client_send_all(struct client *client, const char *const *texts, size_t n);
void client_send_raw(struct client *client, const void *data, size_t len);

/* The next text frame, at most 10 s away; pings are answered and skipped. NULL when the server
 * closed. */
const char *client_next(struct client *client);
/* The next text frame that contains `what`; fails the test if the server closes first. */
const char *client_expect(struct client *client, const char *what);

#endif
