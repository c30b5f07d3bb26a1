/* A blocking client that does exactly what it is told. */
#include "client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"

enum { HIGH_FD = 6000 };

int client_connect(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval limit = { .tv_sec = 10 };
	int low = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The low numbers are the server's, which lives in the same process. */
	int fd = fcntl(low, F_DUPFD_CLOEXEC, HIGH_FD);

	ck_assert_int_ge(fd, 0);
	(void)close(low);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void client_send_bytes(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

void client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

static int status_of(const char *text)
{
	int status = 0;

	return sscanf(text, "HTTP/%*d.%*d %d ", &status) == 1 ? status : 0;
}

void client_read_answer(int fd, struct answer *ret_answer)
{
	size_t len = 0;
	ssize_t n = 0;
	const char *end;

	while (len + 1 < sizeof(ret_answer->text) &&
	       (n = recv(fd, ret_answer->text + len, sizeof(ret_answer->text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	(void)close(fd);
	ret_answer->closed = n == 0;
	ret_answer->text[len] = '\0';
	ret_answer->status = status_of(ret_answer->text);
	end = strstr(ret_answer->text, "\r\n\r\n");
	ret_answer->head_len = end ? (size_t)(end + 4 - ret_answer->text) : len;
	ret_answer->body_len = len - ret_answer->head_len;
}

int client_read_head(int fd)
{
	char head[1024];
	size_t len = 0;

	while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
		if (len + 1 >= sizeof(head) || recv(fd, head + len, 1, 0) != 1)
			return 0;
		len++;
	}
	head[len] = '\0';
	return status_of(head);
}

void client_ask(int port, const char *text, struct answer *ret_answer)
{
	int fd = client_connect(port);

	client_send(fd, text);
	client_read_answer(fd, ret_answer);
}
