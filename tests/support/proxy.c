/* One thread that polls: a pair of sockets for each connection. */
#include "support/proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "support/support.h"

enum { PAIRS_MAX = 16, TICK_MS = 10, BLOCK = 65536 };

struct pair {
	int client, server;
	bool is_marked, loses; /* the mark was said; the next answer is lost */
};

struct loss {
	const char *mark, *request;
};

struct proxy {
	int listener, port, target;
	atomic_bool is_cut, is_over, has_lost;
	struct loss loss;
	atomic_bool is_armed; /* `loss` is set, and did not come about yet */
	pthread_t thread;
	struct pair pairs[PAIRS_MAX]; /* of the thread */
	size_t len;
};

static struct sockaddr_in address(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void close_pair(struct proxy *proxy, size_t i)
{
	(void)close(proxy->pairs[i].client);
	(void)close(proxy->pairs[i].server);
	proxy->pairs[i] = proxy->pairs[--proxy->len];
}

static void take(struct proxy *proxy)
{
	struct sockaddr_in target = address(proxy->target);
	struct pair pair = { .client = accept(proxy->listener, NULL, NULL), .server = -1 };

	if (pair.client < 0)
		return;
	pair.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!atomic_load(&proxy->is_cut) && proxy->len < PAIRS_MAX &&
	    connect(pair.server, (struct sockaddr *)&target, sizeof(target)) == 0) {
		proxy->pairs[proxy->len++] = pair;
		return;
	}
	(void)close(pair.client);
	(void)close(pair.server);
}

static bool has(const char *data, ssize_t len, const char *text)
{
	return memmem(data, (size_t)len, text, strlen(text)) != NULL;
}

static void look_for_loss(struct proxy *proxy, struct pair *pair, const char *data, ssize_t len)
{
	if (!atomic_load(&proxy->is_armed))
		return;
	pair->is_marked = pair->is_marked || has(data, len, proxy->loss.mark);
	if (!pair->is_marked || !has(data, len, proxy->loss.request))
		return;
	pair->loses = true;
	atomic_store(&proxy->is_armed, false);
}

/* False: one side has gone, or has to. */
static bool pass(struct proxy *proxy, struct pair *pair, bool is_answer)
{
	static char data[BLOCK];
	ssize_t got = read(is_answer ? pair->server : pair->client, data, sizeof(data));

	if (got > 0 && !is_answer)
		look_for_loss(proxy, pair, data, got);
	if (got > 0 && is_answer && pair->loses) {
		atomic_store(&proxy->has_lost, true);
		return false;
	}
	for (ssize_t sent = 0, n; sent < got; sent += n) {
		n = send(is_answer ? pair->client : pair->server, data + sent, (size_t)(got - sent),
		    MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return got > 0;
}

static void turn(struct proxy *proxy)
{
	struct pollfd fds[1 + 2 * PAIRS_MAX] = { { .fd = proxy->listener, .events = POLLIN } };

	while (proxy->len > 0 && atomic_load(&proxy->is_cut))
		close_pair(proxy, 0);
	for (size_t i = 0; i < proxy->len; i++) {
		fds[1 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].client, .events = POLLIN };
		fds[2 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].server, .events = POLLIN };
	}
	if (poll(fds, 1 + 2 * proxy->len, TICK_MS) <= 0)
		return;
	for (size_t i = proxy->len; i-- > 0;) {
		struct pair *pair = &proxy->pairs[i];

		if ((fds[1 + 2 * i].revents && !pass(proxy, pair, /* is_answer= */ false)) ||
		    (fds[2 + 2 * i].revents && !pass(proxy, pair, /* is_answer= */ true)))
			close_pair(proxy, i);
	}
	if (fds[0].revents)
		take(proxy);
}

static void *run(void *arg)
{
	struct proxy *proxy = arg;

	while (!atomic_load(&proxy->is_over))
		turn(proxy);
	while (proxy->len > 0)
		close_pair(proxy, 0);
	return NULL;
}

struct proxy *proxy_start(int port)
{
	struct proxy *proxy = xcalloc(1, sizeof(*proxy));
	struct sockaddr_in own;

	proxy->target = port;
	proxy->port = support_free_port();
	own = address(proxy->port);
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(proxy->listener, (struct sockaddr *)&own, sizeof(own)), 0);
	ck_assert_int_eq(listen(proxy->listener, PAIRS_MAX), 0);
	ck_assert_int_eq(pthread_create(&proxy->thread, NULL, run, proxy), 0);
	return proxy;
}

int proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

void proxy_cut(struct proxy *proxy)
{
	atomic_store(&proxy->is_cut, true);
}

void proxy_mend(struct proxy *proxy)
{
	atomic_store(&proxy->is_cut, false);
}

void proxy_lose_answer(struct proxy *proxy, const char *mark, const char *request)
{
	proxy->loss = (struct loss){ mark, request };
	atomic_store(&proxy->is_armed, true);
}

bool proxy_has_lost(const struct proxy *proxy)
{
	return atomic_load(&proxy->has_lost);
}

void proxy_stop(struct proxy *proxy)
{
	atomic_store(&proxy->is_over, true);
	(void)pthread_join(proxy->thread, NULL);
	(void)close(proxy->listener);
	free(proxy);
}
