/* The connection: its options, its life, and what nats.c tells about it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/hello.h"
#include "bus/internal.h"

enum {
	PING_INTERVAL_MS = 5000,
	PINGS_OUT = 2,
	RECONNECT_WAIT_MS = 250,
	RECONNECT_JITTER_MS = 250,
	CLOSE_FLUSH_MS = 2000,
};

static void set_connected(struct bus *bus, bool connected)
{
	(void)pthread_mutex_lock(&bus->lock);
	atomic_store(&bus->connected, connected);
	if (connected)
		(void)atomic_fetch_add(&bus->epoch, 1);
	(void)pthread_cond_broadcast(&bus->changed);
	(void)pthread_mutex_unlock(&bus->lock);
}

static void tell_connected(struct bus *bus)
{
	set_connected(bus, true);
	if (bus->cfg.on_connected)
		bus->cfg.on_connected(bus->cfg.arg);
}

static void on_first_connect(natsConnection *nc, void *arg)
{
	(void)nc;
	tell_connected(arg);
}

static void on_reconnect(natsConnection *nc, void *arg)
{
	struct bus *bus = arg;

	(void)nc;
	(void)atomic_fetch_add(&bus->reconnects, 1);
	tell_connected(bus);
}

static void on_disconnect(natsConnection *nc, void *arg)
{
	struct bus *bus = arg;

	(void)nc;
	set_connected(bus, false);
	if (bus->cfg.on_disconnected)
		bus->cfg.on_disconnected(bus->cfg.arg);
}

static void on_closed(natsConnection *nc, void *arg)
{
	struct bus *bus = arg;

	(void)nc;
	(void)pthread_mutex_lock(&bus->lock);
	atomic_store(&bus->connected, false);
	bus->closed = true;
	(void)pthread_cond_broadcast(&bus->changed);
	(void)pthread_mutex_unlock(&bus->lock);
}

/* `sub` may have been freed by now: it is never looked at. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus ns, void *arg)
{
	struct bus *bus = arg;

	(void)nc;
	(void)sub;
	if (ns != NATS_SLOW_CONSUMER)
		return;
	(void)atomic_fetch_add(&bus->slow_reports, 1);
	if (bus->cfg.on_slow)
		bus->cfg.on_slow(bus->cfg.arg);
}

static natsStatus set_manners(natsOptions *opts)
{
	natsStatus ns = NATS_OK;

	/* The library's own bounds: a dead link is noticed in 10 s, a full socket in 0.5 s, and a
	 * reconnect attempt holds the connection's lock for 0.5 s. */
	IFOK(ns, natsOptions_SetTimeout(opts, CONNECT_TIMEOUT_MS));
	IFOK(ns, natsOptions_SetWriteDeadline(opts, WRITE_DEADLINE_MS));
	IFOK(ns, natsOptions_SetPingInterval(opts, PING_INTERVAL_MS));
	IFOK(ns, natsOptions_SetMaxPingsOut(opts, PINGS_OUT));
	IFOK(ns, natsOptions_SetMaxReconnect(opts, -1));
	IFOK(ns, natsOptions_SetReconnectWait(opts, RECONNECT_WAIT_MS));
	IFOK(ns, natsOptions_SetReconnectJitter(opts, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS));
	/* Nothing is kept while disconnected: an old doorbell is worse than none. */
	IFOK(ns, natsOptions_SetReconnectBufSize(opts, 0));
	/* One thread for all subscriptions of the process. */
	IFOK(ns, natsOptions_UseGlobalMessageDelivery(opts, true));
	return ns;
}

/*
 * A server that wants TLS gets it from nats.c without a word, also one that was not there to be
 * asked when we started. Without authorities that it trusts no handshake comes to a good end.
 * nats.c asks OpenSSL's defaults alone for them, and nobody else here does: PostgreSQL's are named.
 * (An impossible name for certificates would do as well, but costs an SSL_CTX, thousands of
 * allocations, for each connection.) Before main(), as only then no thread reads the environment.
 */
__attribute__((constructor)) static void trust_no_authorities(void)
{
	(void)setenv("SSL_CERT_FILE", "/dev/null", /* overwrite= */ 1);
	(void)setenv("SSL_CERT_DIR", "/dev/null", /* overwrite= */ 1);
}

static natsStatus set_options(struct bus *bus, const struct bus_config *cfg)
{
	natsOptions *opts = bus->opts;
	natsStatus ns = natsOptions_SetURL(opts, cfg->url);

	IFOK(ns, natsOptions_SetUserInfo(opts, cfg->user, cfg->password));
	IFOK(ns, natsOptions_SetName(opts, cfg->name));
	IFOK(ns, natsOptions_SetCustomInboxPrefix(opts, bus->inbox_prefix));
	IFOK(ns, set_manners(opts));
	IFOK(ns, natsOptions_SetSendAsap(opts, !cfg->bulk));
	IFOK(ns, natsOptions_SetRetryOnFailedConnect(opts, true, on_first_connect, bus));
	IFOK(ns, natsOptions_SetReconnectedCB(opts, on_reconnect, bus));
	IFOK(ns, natsOptions_SetDisconnectedCB(opts, on_disconnect, bus));
	IFOK(ns, natsOptions_SetClosedCB(opts, on_closed, bus));
	IFOK(ns, natsOptions_SetErrorHandler(opts, on_error, bus));
	return ns;
}

static enum status check_config(const struct bus_config *cfg, struct err *err)
{
	if (hello_check_url(cfg->url, err))
		return err->status;
	/* It becomes a token of the inbox's subject. */
	if (!cfg->user || !bus_name_is_valid(cfg->user))
		return err_invalid(err, "user", "must be 1 to 64 of A-Z a-z 0-9 _ -");
	return hello_check_servers(cfg->url, err);
}

static enum status refused(struct err *err)
{
	return err_set(err, STATUS_UNAUTHORIZED, "the NATS server refuses user and password");
}

static enum status start(struct bus *bus, const struct bus_config *cfg, struct err *err)
{
	jsOptions js_opts;
	natsStatus ns = natsOptions_Create(&bus->opts);

	IFOK(ns, set_options(bus, cfg));
	if (ns)
		return err_set(
		    err, STATUS_INVALID, "connect to %s: %s", cfg->url, natsStatus_GetText(ns));
	ns = natsConnection_Connect(&bus->nc, bus->opts);
	if (ns == NATS_OK)
		tell_connected(bus);
	else if (ns != NATS_NOT_YET_CONNECTED)
		return bus_fail(err, ns, "connect to %s", cfg->url);
	(void)jsOptions_Init(&js_opts);
	js_opts.Wait = JS_API_TIMEOUT_MS;
	ns = natsConnection_JetStream(&bus->js, bus->nc, &js_opts);
	if (ns)
		return bus_fail(err, ns, "JetStream context");
	/* nats.c gives up, for ever, on a server that refuses the password. */
	if (requests_new(bus, &bus->requests, err) == STATUS_OK)
		return STATUS_OK;
	return natsConnection_IsClosed(bus->nc) ? refused(err) : err->status;
}

enum status bus_open(const struct bus_config *cfg, struct bus **ret_bus, struct err *err)
{
	enum status s = check_config(cfg, err);
	struct bus *bus;

	if (s)
		return s;
	bus = xcalloc(1, sizeof(*bus));
	bus->cfg = (struct bus_config){ .on_connected = cfg->on_connected,
		.on_disconnected = cfg->on_disconnected,
		.on_slow = cfg->on_slow,
		.arg = cfg->arg };
	bus->url = xstrdup(cfg->url);
	bus->inbox_prefix = xasprintf("_INBOX.%s", cfg->user);
	(void)pthread_mutex_init(&bus->lock, NULL);
	wait_init(&bus->changed);
	bus->reaper = reaper_new();
	s = start(bus, cfg, err);
	if (s) {
		bus_close(bus);
		return s;
	}
	*ret_bus = bus;
	return STATUS_OK;
}

/* nats.c calls back from threads of its own: what they use may go when it has told that it is
 * through. */
static void close_connection(struct bus *bus)
{
	if (atomic_load(&bus->connected))
		(void)natsConnection_FlushTimeout(bus->nc, CLOSE_FLUSH_MS);
	natsConnection_Close(bus->nc);
	(void)pthread_mutex_lock(&bus->lock);
	while (!bus->closed)
		(void)pthread_cond_wait(&bus->changed, &bus->lock);
	(void)pthread_mutex_unlock(&bus->lock);
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	if (bus->nc)
		close_connection(bus);
	requests_free(bus->requests);
	reaper_free(bus->reaper);
	jsCtx_Destroy(bus->js);
	natsConnection_Destroy(bus->nc);
	natsOptions_Destroy(bus->opts);
	(void)pthread_cond_destroy(&bus->changed);
	(void)pthread_mutex_destroy(&bus->lock);
	free(bus->inbox_prefix);
	free(bus->url);
	free(bus);
}

uint64_t bus_strays(const struct bus *bus)
{
	return atomic_load(&bus->strays);
}

bool bus_is_connected(const struct bus *bus)
{
	return atomic_load(&bus->connected);
}

enum status bus_wait_connected(struct bus *bus, int timeout_ms, struct err *err)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	bool connected, closed, in_time = true;

	(void)pthread_mutex_lock(&bus->lock);
	while (!atomic_load(&bus->connected) && !bus->closed && in_time)
		in_time = wait_until(&bus->changed, &bus->lock, until);
	connected = atomic_load(&bus->connected);
	closed = bus->closed;
	(void)pthread_mutex_unlock(&bus->lock);
	if (connected)
		return STATUS_OK;
	if (closed)
		return refused(err);
	/* One that came after us may be why. */
	if (hello_check_servers(bus->url, err))
		return err->status;
	return err_set(err, STATUS_UNAVAILABLE, "no NATS server answered in %d ms", timeout_ms);
}
