/*
 * Adoption (docs/adr/0001-adoption.md). civetweb owns a connection by its descriptor's number,
 * which it never tells; so the number is found by the connection's 4-tuple, the connection moves to
 * another number, and a dead socket takes its place, which civetweb closes in good faith. dup3()
 * swaps in one step: at no time is the number free for another thread to get.
 *
 * The floor keeps the search short: all that civetweb has open is below it, all that was adopted
 * above. Below it one poll() tells which numbers are in use at all.
 */
#include "http/adopt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "http/http.h"

enum {
	FLOOR_MAX = 1024,
	DROP_MAX = 1 << 20, /* bytes; more than any client of ours has a reason to send early */
	COUNT_TRIES = 1000, /* its window is full long before */
};

/* tcpi_state, whose names are in <netinet/tcp.h>, which <linux/tcp.h> excludes. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE_WAIT = 8 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int floor_fd; /* adopted connections have this number or a higher one */
static int dead_fd;

/* A socket whose peer is gone: reads give end of file, writes fail. Shared by all who need one. */
static int make_dead_socket(void)
{
	int pair[2];
	int fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	fd = fcntl(pair[0], F_DUPFD_CLOEXEC, floor_fd);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return fd;
}

static void init_once(void)
{
	int limit = http_raise_descriptor_limit();

	floor_fd = limit >= 2 * FLOOR_MAX ? FLOOR_MAX : limit / 2;
	dead_fd = make_dead_socket();
}

/* Marks in polled[] which numbers below the floor are open; 0 if that could not be found out. */
static nfds_t poll_low(struct pollfd polled[static FLOOR_MAX])
{
	nfds_t count = (nfds_t)floor_fd;

	for (nfds_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = (int)i };
	return poll(polled, count, 0) < 0 ? 0 : count;
}

static bool is_tuple(int fd, const struct adopt_tuple *tuple, in_addr_t peer_addr)
{
	struct sockaddr_in peer, local;
	socklen_t peer_len = sizeof(peer), local_len = sizeof(local);

	(void)memset(&peer, 0, sizeof(peer));
	(void)memset(&local, 0, sizeof(local));
	return getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
	       peer.sin_family == AF_INET && peer.sin_port == htons((uint16_t)tuple->peer_port) &&
	       peer.sin_addr.s_addr == peer_addr &&
	       getsockname(fd, (struct sockaddr *)&local, &local_len) == 0 &&
	       local.sin_port == htons((uint16_t)tuple->local_port);
}

static bool is_listener(int fd, int port)
{
	struct sockaddr_in local;
	socklen_t local_len = sizeof(local), flag_len = sizeof(int);
	int listening = 0;

	(void)memset(&local, 0, sizeof(local));
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag_len) == 0 && listening &&
	       getsockname(fd, (struct sockaddr *)&local, &local_len) == 0 &&
	       local.sin_family == AF_INET && local.sin_port == htons((uint16_t)port);
}

/* Fails with ENOSYS on a kernel that does not count bytes (before Linux 4.1). */
static bool read_info(int fd, struct tcp_info *ret_info)
{
	socklen_t len = sizeof(*ret_info);

	(void)memset(ret_info, 0, sizeof(*ret_info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret_info, &len) != 0)
		return false;
	errno = ENOSYS;
	return len >= offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t);
}

int http_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = before;
	}
	return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}

void adopt_init(void)
{
	(void)pthread_once(&once, init_once);
}

enum status adopt_find(const struct adopt_tuple *tuple, int *ret_fd, struct err *err)
{
	struct pollfd polled[FLOOR_MAX];
	nfds_t count = poll_low(polled);
	struct in_addr peer_addr;
	int found = 0;

	if (inet_pton(AF_INET, tuple->peer_addr, &peer_addr) != 1)
		return err_set(err, STATUS_INTERNAL, "adopt: %s is not IPv4", tuple->peer_addr);
	for (nfds_t i = 0; i < count; i++) {
		if (!(polled[i].revents & POLLNVAL) &&
		    is_tuple(polled[i].fd, tuple, peer_addr.s_addr)) {
			*ret_fd = polled[i].fd;
			found++;
		}
	}
	if (found != 1)
		return err_set(err, STATUS_INTERNAL, "adopt %s:%d: %d descriptors match",
		    tuple->peer_addr, tuple->peer_port, found);
	return STATUS_OK;
}

int adopt_find_listener(int port)
{
	struct pollfd polled[FLOOR_MAX];
	nfds_t count = poll_low(polled);
	int fd = -1;

	for (nfds_t i = 0; i < count; i++) {
		if (polled[i].revents & POLLNVAL || !is_listener(polled[i].fd, port))
			continue;
		if (fd >= 0)
			return -1;
		fd = polled[i].fd;
	}
	return fd;
}

enum status adopt_prepare_listener(int port, struct err *err)
{
	int fd = adopt_find_listener(port);
	int on = 1;

	if (fd < 0)
		return err_set(err, STATUS_INTERNAL, "adopt: no single listener on port %d", port);
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) != 0)
		return err_set(err, STATUS_INTERNAL, "SO_OOBINLINE: %s", strerror(errno));
	return STATUS_OK;
}

bool adopt_is_prepared(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, &len) == 0 && on;
}

/*
 * Nobody reads, so what is unread changes only when something is received: if nothing was between
 * the two readings of TCP_INFO, they and the FIONREAD between them belong together. A FIN counts as
 * a byte received but not as one unread; the kernel has moved on to CLOSE_WAIT by then.
 */
enum status adopt_count(int fd, struct adopt_count *ret_count, struct err *err)
{
	struct tcp_info before, after;
	int unread;

	for (int i = 0; i < COUNT_TRIES; i++) {
		if (!read_info(fd, &before) || ioctl(fd, FIONREAD, &unread) != 0 ||
		    !read_info(fd, &after))
			return err_set(
			    err, STATUS_INTERNAL, "adopt: can't count bytes: %s", strerror(errno));
		if (after.tcpi_state != STATE_ESTABLISHED && after.tcpi_state != STATE_CLOSE_WAIT)
			return err_set(err, STATUS_UNAVAILABLE, "adopt: the client is gone");
		if (before.tcpi_bytes_received == after.tcpi_bytes_received) {
			ret_count->received =
			    after.tcpi_bytes_received - (after.tcpi_state == STATE_CLOSE_WAIT);
			ret_count->consumed = ret_count->received - (uint64_t)unread;
			return STATUS_OK;
		}
	}
	return err_set(err, STATUS_UNAVAILABLE, "adopt: the client does not stop sending");
}

enum status adopt_take(int fd, int *ret_fd, struct err *err)
{
	int high, flags;

	if (dead_fd < 0)
		return err_set(err, STATUS_UNAVAILABLE, "adopt: there is no dead socket");
	high = fcntl(fd, F_DUPFD_CLOEXEC, floor_fd);
	if (high < 0)
		return err_set(err, STATUS_UNAVAILABLE, "adopt: %s", strerror(errno));
	flags = fcntl(high, F_GETFL);
	if (flags < 0 || fcntl(high, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    dup3(dead_fd, fd, O_CLOEXEC) < 0) {
		int cause = errno;

		(void)close(high);
		return err_set(err, STATUS_INTERNAL, "adopt: %s", strerror(cause));
	}
	*ret_fd = high;
	return STATUS_OK;
}

void adopt_drop_input(int fd)
{
	char block[4096];
	ssize_t n;

	for (size_t dropped = 0; dropped < DROP_MAX; dropped += (size_t)n) {
		n = recv(fd, block, sizeof(block), MSG_DONTWAIT);
		if (n <= 0)
			break;
	}
}
