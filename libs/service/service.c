/*
 * The life of a service: connect, subscribe, serve until told to stop, drain.
 *
 * SIGTERM and SIGINT are blocked in every thread and taken by service_run(); before that they stay
 * pending, where service_is_stopping() sees them, so that waiting for PostgreSQL can be
 * interrupted.
 */
#include "service/service.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "metrics/process.h"
#include "service/admin.h"
#include "service/dispatch.h"
#include "service/probe.h"
#include "service/workers.h"

enum {
	TICK_MS = 250, /* how often a missing subscription is tried again */
	FLUSH_MS = 1000,
	DRAIN_MS = 10000,
	FULL_LOG_US = 1000000, /* at most a line a second about refusals */
};

METRIC(waiting, METRIC_GAUGE, "ww_service_requests_waiting", "Requests in the queue");
METRIC(busy, METRIC_GAUGE, "ww_service_requests_in_hand", "Requests being handled");
METRIC(refused, METRIC_COUNTER, "ww_service_requests_refused_total",
    "Requests refused because the queue was full");
METRIC(strays, METRIC_COUNTER, "ww_service_nats_strays_total",
    "Messages dropped because they were delivered on another subject than their own");

struct service {
	struct service_spec spec;
	char *name; /* "ww-notifications/<instance>", as the servers are told */
	const char *instance;
	struct bus *bus;
	struct admin admin;
	struct probe *probe;
	struct dispatch *dispatch;
	struct workers *workers;
	struct serving { /* one subscription */
		struct service *service;
		size_t route;
		struct bus_sub *sub; /* NULL: not made yet */
	} * serving;
	atomic_bool subscribed; /* all of them, and the server knows */
	atomic_bool stopping;
	int64_t full_logged_us; /* the bus's delivery thread's */
};

static sigset_t stop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return set;
}

/* Why not, or NULL. Asked from HTTP threads, and possibly while service_new() still runs. */
static const char *not_ready(void *arg)
{
	struct service *service = arg;
	enum cause trouble;

	if (service_is_stopping(service))
		return "stopping";
	if (!atomic_load(&service->subscribed))
		return "starting";
	if (!bus_is_connected(service->bus))
		return "no connection to NATS";
	trouble = probe_trouble(service->probe);
	if (trouble)
		return cause_text(trouble);
	return service->spec.not_ready ? service->spec.not_ready(service->spec.ctx) : NULL;
}

static void refresh_gauges(void *arg)
{
	struct service *service = arg;

	metric_set(&waiting, (int64_t)workers_waiting(service->workers));
	metric_set(&busy, (int64_t)workers_busy(service->workers));
	metric_set(&strays, (int64_t)bus_strays(service->bus));
}

static void on_request(void *arg, struct bus_msg *msg)
{
	struct serving *serving = arg;
	struct service *service = serving->service;
	int64_t now_us = clock_mono_us();

	if (workers_push(service->workers, serving->route, msg))
		return;
	metric_inc(&refused);
	dispatch_refuse(service->dispatch, serving->route, msg, now_us, STATUS_UNAVAILABLE);
	if (now_us - service->full_logged_us > FULL_LOG_US) {
		service->full_logged_us = now_us;
		log_warn("the queue of %d requests is full: refusing", WORKERS_QUEUE_MAX);
	}
}

static enum status open_bus(const struct service *service, const struct service_config *cfg,
    bool bulk, struct bus **ret_bus, struct err *err)
{
	struct bus_config bus = { .url = cfg->nats_url,
		.user = cfg->nats_user,
		.password = cfg->nats_password,
		.name = service->name,
		.bulk = bulk };

	return bus_open(&bus, ret_bus, err);
}

enum status service_open_bulk_bus(const struct service *service, const struct service_config *cfg,
    struct bus **ret_bus, struct err *err)
{
	return open_bus(service, cfg, /* bulk= */ true, ret_bus, err);
}

static enum status open_workers(
    struct service *service, const struct service_config *cfg, struct err *err)
{
	struct workers_config workers = { .dispatch = service->dispatch,
		.count = (size_t)cfg->workers,
		.name = service->name,
		.database_url = cfg->database_url,
		.statements = service->spec.statements,
		.statements_len = service->spec.statements_len,
		.by_key = service->spec.by_key };

	return workers_new(&workers, &service->workers, err);
}

static enum status open_all(
    struct service *service, const struct service_config *cfg, struct err *err)
{
	enum status s = open_bus(service, cfg, /* bulk= */ false, &service->bus, err);

	if (s)
		return s;
	service->dispatch = dispatch_new(&service->spec, service->bus, service->instance);
	s = open_workers(service, cfg, err);
	if (!s)
		s = probe_new(cfg->database_url, service->name, &service->probe, err);
	if (s)
		return s;
	/* Complete before the port opens: its threads are the ones that read metrics. */
	metrics_register(&waiting);
	metrics_register(&busy);
	metrics_register(&refused);
	metrics_register(&strays);
	metrics_on_render(refresh_gauges, service);
	metrics_register_process(service->admin.not_ready, service->admin.arg);
	return admin_open(&service->admin, cfg->admin, service->name, err);
}

static struct service *service_alloc(
    const struct service_config *cfg, const struct service_spec *spec)
{
	struct service *service = xcalloc(1, sizeof(*service));
	char id[ID_SIZE];

	id_random(id);
	service->spec = *spec;
	service->name = xasprintf(
	    "ww-%s/%s", spec->name, cfg->instance && cfg->instance[0] ? cfg->instance : id);
	service->instance = strchr(service->name, '/') + 1;
	service->admin.not_ready = not_ready;
	service->admin.arg = service;
	service->serving = xcalloc(spec->routes_len + 1, sizeof(*service->serving));
	for (size_t i = 0; i < spec->routes_len; i++)
		service->serving[i] = (struct serving){ .service = service, .route = i };
	return service;
}

enum status service_new(const struct service_config *cfg, const struct service_spec *spec,
    struct service **ret_service, struct err *err)
{
	sigset_t set = stop_signals();
	struct service *service;
	enum log_level level;
	enum status s;

	if (!log_level_parse(cfg->log_level, &level))
		return err_invalid(err, "log-level", "debug, info, warn or error");
	log_set_level(level);
	/* Before the first thread starts, so that all of them inherit it. */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	service = service_alloc(cfg, spec);
	s = open_all(service, cfg, err);
	if (s) {
		service_free(service);
		return s;
	}
	*ret_service = service;
	return STATUS_OK;
}

/* Other replicas are asked from now on; what this one was asked already is on its way to workers.
 */
static void unsubscribe(struct service *service)
{
	size_t len = service->spec.routes_len;
	struct bus_sub **subs = xcalloc(len ? len : 1, sizeof(struct bus_sub *));

	for (size_t i = 0; i < len; i++) {
		subs[i] = service->serving[i].sub;
		service->serving[i].sub = NULL;
	}
	bus_drain(subs, len, FLUSH_MS);
	free(subs);
}

void service_free(struct service *service)
{
	if (!service)
		return;
	admin_close(&service->admin);
	unsubscribe(service);
	workers_free(service->workers);
	probe_free(service->probe);
	bus_close(service->bus);
	dispatch_free(service->dispatch);
	free(service->serving);
	free(service->name);
	free(service);
}

struct bus *service_bus(struct service *service)
{
	return service->bus;
}

const char *service_instance(const struct service *service)
{
	return service->instance;
}

int service_admin_port(const struct service *service)
{
	return http_front_port(service->admin.front);
}

bool service_is_stopping(const struct service *service)
{
	sigset_t pending;

	if (atomic_load(&service->stopping))
		return true;
	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Whatever is not subscribed yet; `subscribed` once the server has it all. */
static void subscribe(struct service *service)
{
	struct err err = ERR_INIT;

	if (atomic_load(&service->subscribed) || !bus_is_connected(service->bus))
		return;
	for (size_t i = 0; i < service->spec.routes_len; i++) {
		struct serving *serving = &service->serving[i];
		enum status s = STATUS_OK;

		if (!serving->sub)
			s = bus_subscribe(service->bus, service->spec.routes[i].subject,
			    service->spec.name, on_request, serving, &serving->sub, &err);
		if (s) {
			log_failure(&err, "serve %s", service->spec.routes[i].subject);
			return;
		}
	}
	if (bus_flush(service->bus, FLUSH_MS, &err))
		return;
	log_info("serving %zu subjects as %s", service->spec.routes_len, service->name);
	atomic_store(&service->subscribed, true);
}

static void drain(struct service *service)
{
	struct err err = ERR_INIT;
	size_t left;

	unsubscribe(service);
	left = workers_drain(service->workers, DRAIN_MS);
	if (bus_flush(service->bus, FLUSH_MS, &err))
		log_failure(&err, "send the last answers");
	log_info("drained, %zu requests refused", left);
}

enum status service_run(struct service *service, struct err *err)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	sigset_t set = stop_signals();
	int number;

	(void)err; /* nothing that happens to a running service ends it, so far */
	log_info("admin port %d", service_admin_port(service));
	do {
		subscribe(service);
		number = sigtimedwait(&set, NULL, &tick);
	} while (number < 0);
	log_info("%s: draining", number == SIGTERM ? "SIGTERM" : "SIGINT");
	atomic_store(&service->stopping, true);
	drain(service);
	return STATUS_OK;
}
