/* client: raw HTTP over a socket, as well- or ill-formed as a test wants it. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_SIZE = 65536 };

struct answer {
	int status;  /* 0: none */
	bool closed; /* the other end closed, within the receive timeout */
	size_t head_len, body_len;
	char text[ANSWER_SIZE]; /* head and body, NUL-terminated */
};

/* A connected socket with a receive timeout of 10 s. */
int client_connect(int port);
void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *data, size_t len);

/* Reads to the end of the connection, and closes it. */
void client_read_answer(int fd, struct answer *ret_answer);

/* Reads one head, up to its empty line and no further; returns its status. */
int client_read_head(int fd);

/* Connect, send, read. */
void client_ask(int port, const char *text, struct answer *ret_answer);

#endif
