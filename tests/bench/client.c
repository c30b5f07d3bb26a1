/* An epoll loop over many clients. */
#include "client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "codec/ws.h"

enum {
	READ_SIZE = 1 << 16,
	EVENTS = 256,
	MUTE_BUFFER = 4096,
	/* So many connections to one port leave from one address: there are 28,000 ports. */
	PER_ADDRESS = 8000,
};

static void let_go(struct bench_pool *pool, struct bench_socket *socket)
{
	if (socket->state == BENCH_READY)
		pool->ready--;
	else if (socket->state != BENCH_IDLE)
		pool->in_flight--;
	if (socket->fd >= 0)
		(void)close(socket->fd);
	buf_finish(&socket->in);
	socket->fd = -1;
	socket->state = BENCH_IDLE;
}

static void fail(struct bench_pool *pool, struct bench_socket *socket, const char *what)
{
	if (!pool->on_lost && pool->failed++ == 0)
		(void)fprintf(stderr, "socket %zu: %s: %s\n", socket->index, what, strerror(errno));
	let_go(pool, socket);
	if (pool->on_lost)
		pool->on_lost(pool->arg, socket, what);
}

static void send_all(struct bench_pool *pool, struct bench_socket *socket, struct bytes data)
{
	/* small requests into an empty socket buffer: a short write means that something is wrong
	 */
	if (send(socket->fd, data.data, data.len, MSG_NOSIGNAL) != (ssize_t)data.len)
		fail(pool, socket, "send");
}

/* A masked text frame; a mask of zeros leaves the text as it is. */
static void send_text(struct bench_pool *pool, struct bench_socket *socket, struct bytes text)
{
	uint8_t header[WS_HEADER_MAX];
	size_t header_len = ws_encode_header(WS_TEXT, text.len, header);
	struct buf frame = BUF_INIT;

	header[1] |= 0x80;
	buf_append(&frame, header, header_len);
	buf_append(&frame, "\0\0\0\0", 4);
	buf_append_bytes(&frame, text);
	send_all(pool, socket, buf_bytes(&frame));
	buf_finish(&frame);
}

static void send_upgrade(struct bench_pool *pool, struct bench_socket *socket)
{
	static const char request[] =
	    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

	socket->state = BENCH_UPGRADING;
	send_all(pool, socket, bytes_of_str(request));
}

static void sign_in(struct bench_pool *pool, struct bench_socket *socket)
{
	struct buf text = BUF_INIT;

	socket->state = BENCH_SIGNING_IN;
	buf_appendf(&text, "40{\"token\":\"%s\"", pool->token(pool->arg, socket->index));
	if (socket->pid[0])
		buf_appendf(&text, ",\"pid\":\"%s\"", socket->pid);
	if (socket->offset[0])
		buf_appendf(&text, ",\"offset\":\"%s\"", socket->offset);
	buf_append_char(&text, '}');
	send_text(pool, socket, buf_bytes(&text));
	buf_finish(&text);
}

/* What stands between `before` and the next quote, if it fits. */
static void copy_quoted(struct bytes text, const char *before, char *out, size_t size)
{
	const uint8_t *at = memmem(text.data, text.len, before, strlen(before));
	const uint8_t *end;
	size_t len;

	if (!at)
		return;
	at += strlen(before);
	end = memchr(at, '"', (size_t)(text.data + text.len - at));
	len = end ? (size_t)(end - at) : size;
	if (len < size) {
		memcpy(out, at, len);
		out[len] = '\0';
	}
}

/* The last argument of an event: ,"<offset>"] */
static void remember_offset(struct bench_socket *socket, struct bytes text)
{
	const uint8_t *end = text.data + text.len - 2;
	const uint8_t *start;

	if (text.len < 4 || memcmp(end, "\"]", 2) != 0)
		return;
	start = memrchr(text.data, '"', (size_t)(end - text.data));
	if (!start || (size_t)(end - start) > sizeof(socket->offset))
		return;
	memcpy(socket->offset, start + 1, (size_t)(end - start - 1));
	socket->offset[end - start - 1] = '\0';
}

static void on_connected(struct bench_pool *pool, struct bench_socket *socket, struct bytes text)
{
	struct epoll_event nothing = { .data.ptr = socket };

	socket->state = BENCH_READY;
	pool->ready++;
	pool->in_flight--;
	if (pool->recovers)
		copy_quoted(text, "\"pid\":\"", socket->pid, sizeof(socket->pid));
	if (socket->is_mute)
		(void)epoll_ctl(pool->epoll, EPOLL_CTL_MOD, socket->fd, &nothing);
	if (pool->on_ready)
		pool->on_ready(pool->arg, socket);
}

static void on_event_text(struct bench_pool *pool, struct bench_socket *socket, struct bytes text)
{
	if (pool->recovers)
		remember_offset(socket, text);
	if (pool->on_packet)
		pool->on_packet(pool->arg, socket, bytes_of(text.data + 1, text.len - 1));
}

static void on_text(struct bench_pool *pool, struct bench_socket *socket, struct bytes text)
{
	if (text.len == 1 && text.data[0] == '2') {
		send_text(pool, socket, BYTES_LITERAL("3"));
	} else if (text.len > 1 && text.data[0] == '4' && text.data[1] == '0') {
		on_connected(pool, socket, text);
	} else if (text.len > 1 && text.data[0] == '4' && text.data[1] == '4') {
		errno = EACCES;
		fail(pool, socket, "refused");
	} else if (text.len > 1 && text.data[0] == '4') {
		on_event_text(pool, socket, text);
	}
}

/* Take one server frame (never masked) off the front; false if it is not whole. */
static bool take_frame(struct bytes *in, struct bytes *ret_payload, uint8_t *ret_opcode)
{
	size_t len, header = 2;

	if (in->len < 2)
		return false;
	len = in->data[1] & 0x7f;
	if (len == 126) {
		header = 4;
		if (in->len < header)
			return false;
		len = (size_t)in->data[2] << 8 | in->data[3];
	} else if (len == 127) {
		header = 10;
		if (in->len < header)
			return false;
		len = 0;
		for (size_t i = 2; i < header; i++)
			len = len << 8 | in->data[i];
	}
	if (in->len - header < len)
		return false;
	*ret_opcode = in->data[0] & 15;
	*ret_payload = bytes_of(in->data + header, len);
	*in = bytes_of(in->data + header + len, in->len - header - len);
	return true;
}

static void on_frames(struct bench_pool *pool, struct bench_socket *socket, struct bytes in)
{
	struct bytes payload;
	uint8_t opcode;

	while (socket->fd >= 0 && take_frame(&in, &payload, &opcode)) {
		if (opcode == WS_TEXT)
			on_text(pool, socket, payload);
		else if (opcode == WS_CLOSE)
			fail(pool, socket, "closed by the server");
	}
	if (socket->fd < 0 || in.len == 0) {
		buf_finish(&socket->in);
		return;
	}
	if (in.data >= socket->in.data && socket->in.data &&
	    in.data < socket->in.data + socket->in.len) {
		memmove(socket->in.data, in.data, in.len);
		socket->in.len = in.len;
	} else {
		buf_append_bytes(&socket->in, in);
	}
}

static void on_bytes(struct bench_pool *pool, struct bench_socket *socket, struct bytes data)
{
	if (socket->state == BENCH_UPGRADING) {
		const uint8_t *end = memmem(data.data, data.len, "\r\n\r\n", 4);

		if (!end || memcmp(data.data, "HTTP/1.1 101", 12) != 0) {
			errno = EPROTO;
			fail(pool, socket, "no 101");
			return;
		}
		sign_in(pool, socket);
		data = bytes_of(end + 4, data.len - (size_t)(end + 4 - data.data));
	}
	if (socket->in.len) {
		buf_append_bytes(&socket->in, data);
		data = buf_bytes(&socket->in);
	}
	on_frames(pool, socket, data);
}

static void on_event(struct bench_pool *pool, struct bench_socket *socket, uint32_t events)
{
	static uint8_t buffer[READ_SIZE];
	ssize_t got;

	if (socket->fd < 0)
		return;
	if (socket->state == BENCH_CONNECTING && events & EPOLLOUT) {
		struct epoll_event readable = { .events = EPOLLIN, .data.ptr = socket };

		(void)epoll_ctl(pool->epoll, EPOLL_CTL_MOD, socket->fd, &readable);
		send_upgrade(pool, socket);
		return;
	}
	got = recv(socket->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (got > 0)
		on_bytes(pool, socket, bytes_of(buffer, (size_t)got));
	else if (got == 0 || errno != EAGAIN)
		fail(pool, socket, "recv");
}

static int open_socket(const struct bench_socket *bench)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1, small = MUTE_BUFFER;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(bench->index / PER_ADDRESS));
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	(void)bind(fd, (struct sockaddr *)&from, sizeof(from));
	if (bench->is_mute)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	return fd;
}

void bench_socket_start(struct bench_pool *pool, struct bench_socket *socket)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)pool->port) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.ptr = socket };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	let_go(pool, socket);
	socket->state = BENCH_CONNECTING;
	pool->in_flight++;
	socket->fd = open_socket(socket);
	if (socket->fd < 0 || (connect(socket->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 &&
				  errno != EINPROGRESS)) {
		fail(pool, socket, "connect");
		return;
	}
	(void)epoll_ctl(pool->epoll, EPOLL_CTL_ADD, socket->fd, &event);
}

void bench_socket_stop(struct bench_pool *pool, struct bench_socket *socket)
{
	let_go(pool, socket);
}

void bench_socket_send(struct bench_pool *pool, struct bench_socket *socket, struct bytes packet)
{
	struct buf text = BUF_INIT;

	buf_append_char(&text, '4');
	buf_append_bytes(&text, packet);
	send_text(pool, socket, buf_bytes(&text));
	buf_finish(&text);
}

size_t bench_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

void bench_pool_init(struct bench_pool *pool, int port, size_t len)
{
	(void)bench_raise_files();
	*pool =
	    (struct bench_pool){ .port = port, .len = len, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	pool->sockets = xcalloc(len, sizeof(*pool->sockets));
	for (size_t i = 0; i < len; i++)
		pool->sockets[i] = (struct bench_socket){ .fd = -1, .index = i };
}

void bench_pool_finish(struct bench_pool *pool)
{
	for (size_t i = 0; i < pool->len; i++) {
		if (pool->sockets[i].fd >= 0)
			(void)close(pool->sockets[i].fd);
		buf_finish(&pool->sockets[i].in);
	}
	(void)close(pool->epoll);
	free(pool->sockets);
}

void bench_pool_poll(struct bench_pool *pool, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(pool->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++)
		on_event(pool, events[i].data.ptr, events[i].events);
}

bool bench_pool_connect(struct bench_pool *pool, size_t max_in_flight, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (pool->ready < pool->len && !pool->failed && clock_mono_ms() < deadline) {
		while (pool->next < pool->len && pool->in_flight < max_in_flight && !pool->failed) {
			bench_socket_start(pool, &pool->sockets[pool->next++]);
		}
		bench_pool_poll(pool, 100);
	}
	return pool->ready == pool->len;
}

long bench_files(int pid)
{
	char path[64];
	long files = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (readdir(dir))
		files++;
	(void)closedir(dir);
	return files - 2; /* "." and ".." */
}

bool bench_process(int pid, long *ret_rss_kib, long *ret_threads)
{
	char path[64], line[256];
	FILE *status;

	*ret_rss_kib = *ret_threads = -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return false;
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			*ret_rss_kib = strtol(line + 6, NULL, 10);
		else if (strncmp(line, "Threads:", 8) == 0)
			*ret_threads = strtol(line + 8, NULL, 10);
	}
	(void)fclose(status);
	return *ret_rss_kib >= 0 && *ret_threads >= 0;
}
