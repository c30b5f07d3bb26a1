/*
 * bench_floor: what the machine can do: a server that does nothing but send() the same frame to
 * every socket.
 *
 * Speaks as much of Socket.IO as bench_fanout does: one answer to a handshake, one to whatever
 * comes after it. A datagram to its port ("<number> <microseconds>") is one broadcast, made into
 * the frame that an edge would send. One thread. Start it through `./dev bench fanout`.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "client.h"
#include "codec/ws.h"

enum { FILES_MAX = 1 << 16, EVENTS = 256, BACKLOG = 4096 };

static const char handshake[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char open_packet[] =
    "0{\"sid\":\"floor\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}";
static const char connected[] = "40{\"sid\":\"floor\"}";

static struct {
	int epoll, listener, control;
	bool upgraded[FILES_MAX]; /* by descriptor */
	int ready[FILES_MAX];     /* who is told */
	size_t ready_len;
} server;

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

static void watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	must(epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void send_all(int fd, struct bytes data)
{
	while (data.len) {
		ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd writable = { .fd = fd, .events = POLLOUT };

		if (sent < 0 && errno == EAGAIN)
			(void)poll(&writable, 1, -1);
		else if (sent < 0)
			return;
		else
			data = bytes_of(data.data + sent, data.len - (size_t)sent);
	}
}

static void append_frame(struct buf *out, struct bytes text)
{
	uint8_t header[WS_HEADER_MAX];

	buf_append(out, header, ws_encode_header(WS_TEXT, text.len, header));
	buf_append_bytes(out, text);
}

static void on_readable(int fd)
{
	char request[4096];
	struct buf answer = BUF_INIT;

	if (recv(fd, request, sizeof(request), MSG_DONTWAIT) <= 0) {
		(void)close(fd);
		return;
	}
	if (!server.upgraded[fd]) {
		buf_append_str(&answer, handshake);
		append_frame(&answer, bytes_of_str(open_packet));
		server.upgraded[fd] = true;
	} else {
		append_frame(&answer, bytes_of_str(connected));
		server.ready[server.ready_len++] = fd;
	}
	send_all(fd, buf_bytes(&answer));
	buf_finish(&answer);
}

static void broadcast(void)
{
	struct buf text = BUF_INIT, frame = BUF_INIT;
	char due[64];
	ssize_t len = recv(server.control, due, sizeof(due) - 1, 0);

	if (len <= 0)
		return;
	due[len] = '\0';
	due[strcspn(due, "\n")] = '\0';
	buf_appendf(&text,
	    "42[\"announcement\",{\"id\":\"bench-%ld\",\"announcementSeq\":1,\"title\":"
	    "\"Maintenance tonight\","
	    "\"text\":\"due %s "
	    "\",\"priority\":\"normal\",\"unread\":1},\"AAAAAAAAAAAAAAAAAAAAAA.1.1.1\"]",
	    strtol(due, NULL, 10), due);
	append_frame(&frame, buf_bytes(&text));
	for (size_t i = 0; i < server.ready_len; i++)
		send_all(server.ready[i], buf_bytes(&frame));
	buf_finish(&text);
	buf_finish(&frame);
}

static void serve(void)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(server.epoll, events, EVENTS, -1);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == server.control) {
			broadcast();
		} else if (fd == server.listener) {
			int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

			must(client < FILES_MAX, "too many sockets");
			if (client >= 0)
				watch(client);
		} else {
			on_readable(fd);
		}
	}
}

static int bound(int type, int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), yes = 1;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	must(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
	watch(fd);
	return fd;
}

int main(int argc, char **argv)
{
	int port = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0;

	if (!port) {
		(void)fprintf(stderr, "usage: bench_floor PORT\n");
		return 2;
	}
	(void)bench_raise_files();
	(void)signal(SIGTERM, on_signal);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	server.listener = bound(SOCK_STREAM, port);
	server.control = bound(SOCK_DGRAM, port);
	must(listen(server.listener, BACKLOG) == 0, "listen");
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (!stopped)
		serve();
	return EXIT_SUCCESS;
}
