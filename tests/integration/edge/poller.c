/* HTTP requests with plain system calls. */
#include "poller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "support/support.h"

enum { GETS_MAX = 200 };

static int start(const char *method, const char *sid, int port, const char *body)
{
	char request[POLLER_TEXT_MAX + 512];
	int fd = client_connect(port);
	int len = snprintf(request, sizeof(request),
	    "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nContent-Length: %zu\r\n\r\n%s",
	    method, sid[0] ? "&sid=" : "", sid, strlen(body), body);

	ck_assert_int_eq(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
	return fd;
}

static void finish(struct poller *poller, int fd)
{
	static char answer[POLLER_TEXT_MAX + 1024];
	size_t len = 0;
	const char *body;
	ssize_t got;

	while ((got = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)got;
	(void)close(fd);
	answer[len] = '\0';
	body = strstr(answer, "\r\n\r\n");
	poller->status = body ? atoi(answer + strlen("HTTP/1.1 ")) : 0;
	(void)snprintf(poller->body, sizeof(poller->body), "%s", body ? body + 4 : "");
}

void poller_open(struct poller *poller, int port)
{
	char *end;

	memset(poller, 0, sizeof(*poller));
	finish(poller, start("GET", "", port, ""));
	ck_assert_int_eq(poller->status, 200);
	ck_assert_int_eq(strncmp(poller->body, "0{\"sid\":\"", 9), 0);
	end = strchr(poller->body + 9, '"');
	ck_assert_ptr_nonnull(end);
	(void)snprintf(poller->sid, sizeof(poller->sid), "%.*s", (int)(end - poller->body - 9),
	    poller->body + 9);
}

void poller_post(struct poller *poller, int port, const char *body)
{
	finish(poller, start("POST", poller->sid, port, body));
}

int poller_get_start(struct poller *poller, int port)
{
	return start("GET", poller->sid, port, "");
}

void poller_get_finish(struct poller *poller, int fd)
{
	finish(poller, fd);
}

void poller_get(struct poller *poller, int port)
{
	finish(poller, poller_get_start(poller, port));
}

const char *poller_expect(struct poller *poller, const int ports[2], const char *what)
{
	static char found[POLLER_TEXT_MAX];

	for (int i = 0; i < GETS_MAX; i++) {
		bool is_ping;

		poller_get(poller, ports[i % 2]);
		ck_assert_msg(poller->status == 200, "%d %s before \"%s\"", poller->status,
		    poller->body, what);
		memcpy(found, poller->body, sizeof(found));
		is_ping = found[0] == '2' || strstr(found, "\x1e"
							   "2");
		if (is_ping)
			poller_post(poller, ports[i % 2], "3");
		if (strstr(found, what))
			return found;
	}
	ck_abort_msg("\"%s\" did not come", what);
	return NULL;
}
