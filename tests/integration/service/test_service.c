/*
 * A small service over real servers: it goes by the name of presence, whose NATS user may serve
 * ww.svc.presence.*, and is asked by an edge.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "log/log.h"
#include "service/service.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"
#include "walletwire/v1/notifications.pb-c.h"
#include "walletwire/v1/ops.pb-c.h"

enum { WORKERS = 4, QUEUE = 1024, ANSWERS_MAX = 2048, WAIT_MS = 30000 };

enum { ECHO, STATEMENTS_LEN };

static const struct db_statement statements[] = {
	[ECHO] = { "echo", "SELECT $1::text" },
};

static struct postgres *server;
static struct postgres *own_server; /* of a test that stops it */
static struct support_nats nats;
static struct service *service;
static struct bus *edge;
static struct bus_port *port;
static pthread_t runner;
static enum status run_status;
static struct err err;
static _Atomic(const char *) own_reason; /* for not being ready */

/* A handler that waits until the test lets it go. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t waiting;
	bool open;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* What came back for one request. */
struct answer {
	atomic_bool told;
	enum status status;
	char code[32], message[128], field[64], text[64];
};
static struct answer answers[ANSWERS_MAX];
static atomic_size_t answers_told;

/* --- the service --- */
static const ProtobufCMessage *reply_with(struct request *req, const char *text)
{
	Walletwire__V1__OpenReply *reply = arena_alloc(req->arena, sizeof(*reply));

	walletwire__v1__open_reply__init(reply);
	reply->epoch = arena_strdup(req->arena, text);
	return &reply->base;
}

/* "<user>: <what PostgreSQL said>" */
static enum status on_echo(struct request *req, struct err *e)
{
	const Walletwire__V1__TrackRequest *body = (const Walletwire__V1__TrackRequest *)req->body;
	struct db_result *result = NULL;
	struct db_params params;
	enum status s;

	db_params_init(&params);
	db_add_text(&params, body->transfer_id);
	s = db_run(req->db, ECHO, &params, &result, e);
	if (s)
		return s;
	req->reply =
	    reply_with(req, arena_printf(req->arena, "%s: %s",
				req->user_id ? req->user_id : "nobody", db_get_text(result, 0, 0)));
	db_result_free(result);
	return STATUS_OK;
}

static const struct refusal {
	const char *name;
	enum status status;
	const char *field;
	const char *message; /* as the client sees it */
} refusals[] = {
	{ "invalid", STATUS_INVALID, "transferId", "transferId: private words" },
	{ "not_found", STATUS_NOT_FOUND, "", "private words" },
	{ "forbidden", STATUS_FORBIDDEN, "", "private words" },
	{ "conflict", STATUS_CONFLICT, "", "already done, or changed meanwhile" },
	{ "unavailable", STATUS_UNAVAILABLE, "", "try again shortly" },
	{ "internal", STATUS_INTERNAL, "", "internal error" },
};

static enum status on_refuse(struct request *req, struct err *e)
{
	const Walletwire__V1__TrackRequest *body = (const Walletwire__V1__TrackRequest *)req->body;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (strcmp(refusals[i].name, body->transfer_id) != 0)
			continue;
		if (refusals[i].field[0])
			return err_invalid(e, refusals[i].field, "private words");
		return err_set(e, refusals[i].status, "private words");
	}
	return err_set(e, STATUS_INTERNAL, "no such refusal");
}

static enum status on_hold(struct request *req, struct err *e)
{
	(void)e;
	(void)pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	while (!gate.open)
		(void)pthread_cond_wait(&gate.changed, &gate.lock);
	gate.waiting--;
	(void)pthread_mutex_unlock(&gate.lock);
	req->reply = reply_with(req, "held");
	return STATUS_OK;
}

/* Leaves a transaction open, as a handler with a bug would. */
static enum status on_forget(struct request *req, struct err *e)
{
	enum status s = db_begin(req->db, e);

	if (!s)
		req->reply = reply_with(req, "forgotten");
	return s;
}

/* More than any verb may answer. */
static enum status on_flood(struct request *req, struct err *e)
{
	enum { SIZE = 2 << 20 };
	char *text = arena_alloc(req->arena, SIZE);

	(void)e;
	memset(text, 'x', SIZE - 1);
	req->reply = reply_with(req, text);
	return STATUS_OK;
}

/* Handed over; the test answers them. */
static struct {
	pthread_mutex_t lock;
	struct deferred *requests[WORKERS + 1];
	size_t len;
} handed_over = { .lock = PTHREAD_MUTEX_INITIALIZER };

static enum status on_later(struct request *req, struct err *e)
{
	(void)e;
	(void)pthread_mutex_lock(&handed_over.lock);
	handed_over.requests[handed_over.len++] = request_defer(req);
	(void)pthread_mutex_unlock(&handed_over.lock);
	return STATUS_OK;
}

static const struct route routes[] = {
	{ "ww.svc.presence.echo", &walletwire__v1__track_request__descriptor, on_echo },
	{ "ww.svc.presence.refuse", &walletwire__v1__track_request__descriptor, on_refuse },
	{ "ww.svc.presence.hold", &walletwire__v1__track_request__descriptor, on_hold },
	{ "ww.svc.presence.flood", &walletwire__v1__track_request__descriptor, on_flood },
	{ "ww.svc.presence.forget", &walletwire__v1__track_request__descriptor, on_forget },
	{ "ww.svc.presence.later", &walletwire__v1__track_request__descriptor, on_later },
	{ "ww.svc.presence.stats", &walletwire__v1__service_stats_request__descriptor,
	    service_on_stats },
};

static const char *own_readiness(void *ctx)
{
	ck_assert_ptr_eq(ctx, &own_reason);
	return atomic_load(&own_reason);
}

static void *run(void *arg)
{
	struct err run_err = ERR_INIT;

	(void)arg;
	run_status = service_run(service, &run_err);
	return NULL;
}

/* --- what an operator sees --- */
static void get(const char *path, struct buf *ret_answer)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)service_admin_port(service)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_gt(
	    dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path),
	    0);
	while ((n = read(fd, buf_reserve(ret_answer, 4096), 4096)) > 0)
		ret_answer->len += (size_t)n;
	(void)close(fd);
}

static bool answers_with(const char *path, const char *status, const char *text)
{
	struct buf answer = BUF_INIT;
	bool matches;

	get(path, &answer);
	matches = strstr(buf_str(&answer), status) && strstr(buf_str(&answer), text);
	buf_finish(&answer);
	return matches;
}

static bool is_ready(void *arg)
{
	(void)arg;
	return answers_with("/readyz", " 200 ", "ready");
}

static bool is_not_ready_for(void *reason)
{
	return answers_with("/readyz", " 503 ", reason);
}

static bool metrics_have(void *line)
{
	return answers_with("/metrics", " 200 ", line);
}

/* --- what an edge does --- */
static void ignore_msg(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
}

static void on_answer(void *arg, enum status status, struct bus_msg *msg)
{
	struct answer *answer = arg;

	answer->status = status;
	if (!status) {
		struct bytes data = bus_msg_data(msg);
		Walletwire__V1__OpenReply *reply =
		    walletwire__v1__open_reply__unpack(NULL, data.len, data.data);

		ck_assert_ptr_nonnull(reply);
		(void)snprintf(answer->text, sizeof(answer->text), "%s", reply->epoch);
		if (reply->error) {
			(void)snprintf(
			    answer->code, sizeof(answer->code), "%s", reply->error->code);
			(void)snprintf(
			    answer->message, sizeof(answer->message), "%s", reply->error->message);
			(void)snprintf(
			    answer->field, sizeof(answer->field), "%s", reply->error->field);
		}
		walletwire__v1__open_reply__free_unpacked(reply, NULL);
	}
	atomic_store(&answer->told, true);
	(void)atomic_fetch_add(&answers_told, 1);
}

static void ask_bytes(struct answer *answer, const char *verb, struct bytes data)
{
	char subject[64];

	(void)snprintf(subject, sizeof(subject), "ww.svc.presence.%s", verb);
	memset(answer, 0, sizeof(*answer));
	bus_port_request(port, subject, data, 9000, on_answer, answer);
}

static void ask(struct answer *answer, const char *verb, const char *user, const char *text)
{
	Walletwire__V1__TrackRequest body;
	Walletwire__V1__Caller caller;
	uint8_t data[512];

	walletwire__v1__track_request__init(&body);
	walletwire__v1__caller__init(&caller);
	caller.user_id = (char *)(uintptr_t)user;
	body.caller = user ? &caller : NULL;
	body.transfer_id = (char *)(uintptr_t)text;
	ask_bytes(answer, verb, bytes_of(data, walletwire__v1__track_request__pack(&body, data)));
}

static bool is_told(void *answer)
{
	return atomic_load(&((struct answer *)answer)->told);
}

static bool are_told(void *n)
{
	return atomic_load(&answers_told) == *(size_t *)n;
}

static struct answer *ask_and_wait(const char *verb, const char *user, const char *text)
{
	ask(&answers[0], verb, user, text);
	ck_assert(support_wait(is_told, &answers[0], WAIT_MS));
	return &answers[0];
}

static bool echoes(void *arg)
{
	struct answer *answer = ask_and_wait("echo", "alice", "hi");

	(void)arg;
	return !answer->status && strcmp(answer->text, "alice: hi") == 0;
}

static bool gate_holds(void *n)
{
	bool holds;

	(void)pthread_mutex_lock(&gate.lock);
	holds = gate.waiting == *(size_t *)n;
	(void)pthread_mutex_unlock(&gate.lock);
	return holds;
}

static void open_gate(void)
{
	(void)pthread_mutex_lock(&gate.lock);
	gate.open = true;
	(void)pthread_cond_broadcast(&gate.changed);
	(void)pthread_mutex_unlock(&gate.lock);
}

/* --- life --- */
static void start_service(const char *dsn)
{
	struct service_config cfg = { .nats_url = nats.url,
		.nats_user = (char[]){ "presence" },
		.nats_password = (char[]){ "presence" },
		.database_url = (char *)(uintptr_t)dsn,
		.admin = (char[]){ "127.0.0.1:0" },
		.log_level = (char[]){ "info" },
		.instance = (char[]){ "one" },
		.workers = WORKERS };
	struct service_spec spec = { .name = "presence",
		.routes = routes,
		.routes_len = ARRAY_LEN(routes),
		.statements = statements,
		.statements_len = STATEMENTS_LEN,
		.ctx = &own_reason,
		.not_ready = own_readiness };

	log_init("presence");
	ck_assert_ok(service_new(&cfg, &spec, &service, &err), err);
	ck_assert_str_eq(service_instance(service), "one");
	ck_assert(is_not_ready_for((char[]){ "starting" }));
	ck_assert_int_eq(pthread_create(&runner, NULL, run, NULL), 0);
}

static void start_edge(void)
{
	struct bus_port_config cfg = {
		.queue_max = ANSWERS_MAX, .linger_ms = 1000, .on_msg = ignore_msg
	};

	edge = support_nats_bus(&nats, "edge");
	ck_assert_ok(bus_port_new(edge, &cfg, &port, &err), err);
}

static void setup(void)
{
	support_nats_start(&nats);
	start_service(postgres_new_database(server));
	start_edge();
	ck_assert(support_wait(is_ready, NULL, WAIT_MS));
}

static void setup_own_server(void)
{
	own_server = postgres_start();
	support_nats_start(&nats);
	start_service(postgres_new_database(own_server));
	start_edge();
	ck_assert(support_wait(is_ready, NULL, WAIT_MS));
}

static void stop_service(void)
{
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(pthread_join(runner, NULL), 0);
	ck_assert_int_eq(run_status, STATUS_OK);
	ck_assert(service_is_stopping(service));
}

static void teardown(void)
{
	if (!service_is_stopping(service))
		stop_service();
	service_free(service);
	bus_port_free(port);
	bus_close(edge);
	support_nats_stop(&nats, SIGTERM);
	if (own_server)
		postgres_stop(own_server);
}

START_TEST(request_is_answered_with_its_user_and_the_database)
{
	struct answer *answer = ask_and_wait("echo", "alice", "hello");

	ck_assert_int_eq(answer->status, STATUS_OK);
	ck_assert_str_eq(answer->code, "");
	ck_assert_str_eq(answer->text, "alice: hello");
	ck_assert_str_eq(ask_and_wait("echo", NULL, "hello")->text, "nobody: hello");
	ck_assert_str_eq(ask_and_wait("echo", "", "hello")->text, "nobody: hello");
	ck_assert(support_wait(
	    metrics_have, (char[]){ "ww_presence_echo_total{status=\"ok\"} 3\n" }, WAIT_MS));
	ck_assert(
	    support_wait(metrics_have, (char[]){ "ww_presence_echo_seconds_count 3\n" }, WAIT_MS));
	ck_assert(
	    support_wait(metrics_have, (char[]){ "ww_service_requests_in_hand 0\n" }, WAIT_MS));
	ck_assert(answers_with("/healthz", " 200 ", "ok"));
}
END_TEST

START_TEST(refusal_carries_its_code_and_no_internals)
{
	const struct refusal *refusal = &refusals[_i];
	struct answer *answer = ask_and_wait("refuse", "alice", refusal->name);
	char line[128];

	ck_assert_int_eq(answer->status, STATUS_OK);
	ck_assert_str_eq(answer->code, status_wire(refusal->status));
	ck_assert_str_eq(answer->message, refusal->message);
	ck_assert_str_eq(answer->field, refusal->field);
	(void)snprintf(line, sizeof(line), "ww_presence_refuse_total{status=\"%s\"} 1\n",
	    status_wire(refusal->status));
	/* counted after the answer has left */
	ck_assert(support_wait(metrics_have, line, WAIT_MS));
}
END_TEST

static Walletwire__V1__ServiceStatsReply *stats;

static void take_stats(void *arg, enum status s, struct bus_msg *reply)
{
	struct bytes data;

	ck_assert_int_eq(s, STATUS_OK);
	data = bus_msg_data(reply);
	stats = walletwire__v1__service_stats_reply__unpack(NULL, data.len, data.data);
	atomic_store((atomic_bool *)arg, true);
}

static bool is_true(void *arg)
{
	return atomic_load((atomic_bool *)arg);
}

START_TEST(stats_tell_what_was_served_and_what_was_our_fault)
{
	atomic_bool told = false;

	(void)ask_and_wait("echo", "alice", "hello");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		(void)ask_and_wait("refuse", "alice", refusals[i].name);
	/* counted after the answer has left, by workers in any order */
	ck_assert(support_wait(
	    metrics_have, (char[]){ "ww_presence_refuse_seconds_count 6\n" }, WAIT_MS));
	bus_port_request(
	    port, "ww.svc.presence.stats", bytes_of(NULL, 0), WAIT_MS, take_stats, &told);
	ck_assert(support_wait(is_true, &told, WAIT_MS));
	ck_assert_ptr_nonnull(stats);
	ck_assert_ptr_null(stats->error);
	ck_assert_str_eq(stats->instance, "one");
	ck_assert_int_eq(stats->requests, 1 + (int64_t)ARRAY_LEN(refusals));
	ck_assert_int_eq(stats->failures, 2); /* internal, unavailable */
	ck_assert_int_gt(stats->resident_bytes, 1000000);
	ck_assert_int_ge(stats->uptime_s, 0);
	walletwire__v1__service_stats_reply__free_unpacked(stats, NULL);
}
END_TEST

START_TEST(what_is_no_request_is_invalid)
{
	static const struct bytes wrong[] = {
		{ (const uint8_t *)"\xff\xff\xff", 3 },        /* no protobuf */
		{ (const uint8_t *)"\x12\x05hello then", 12 }, /* a length beyond the end */
		{ (const uint8_t *)"\x12\x02\xc3\x28", 4 },    /* text that is not UTF-8 */
		{ (const uint8_t *)"\x12\x03z\0z", 5 },        /* a NUL, which would end the text */
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		ask_bytes(&answers[i], "echo", wrong[i]);
		ck_assert(support_wait(is_told, &answers[i], WAIT_MS));
		ck_assert_int_eq(answers[i].status, STATUS_OK);
		ck_assert_str_eq(answers[i].code, "invalid");
	}
	ck_assert(echoes(NULL));
}
END_TEST

START_TEST(thousand_requests_at_once_are_answered_by_four_workers)
{
	size_t n = 1000;

	for (size_t i = 0; i < n; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%zu", i);
		ask(&answers[i], "echo", "bob", text);
	}
	ck_assert(support_wait(are_told, &n, WAIT_MS));
	for (size_t i = 0; i < n; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "bob: %zu", i);
		ck_assert_int_eq(answers[i].status, STATUS_OK);
		ck_assert_str_eq(answers[i].text, text);
	}
}
END_TEST

START_TEST(request_beyond_the_queue_is_refused_at_once)
{
	size_t in_hand = WORKERS, beyond = 5, all = WORKERS + QUEUE + beyond, refused = 0;

	for (size_t i = 0; i < in_hand; i++)
		ask(&answers[i], "hold", "alice", "x");
	ck_assert(support_wait(gate_holds, &in_hand, WAIT_MS));
	for (size_t i = in_hand; i < all; i++)
		ask(&answers[i], "hold", "alice", "x");
	/* Told while every worker is still held. */
	ck_assert(support_wait(are_told, &beyond, WAIT_MS));
	open_gate();
	ck_assert(support_wait(are_told, &all, WAIT_MS));
	for (size_t i = 0; i < all; i++) {
		ck_assert_int_eq(answers[i].status, STATUS_OK);
		refused += strcmp(answers[i].code, "unavailable") == 0;
	}
	ck_assert_uint_eq(refused, beyond);
	ck_assert(support_wait(
	    metrics_have, (char[]){ "ww_service_requests_refused_total 5\n" }, WAIT_MS));
}
END_TEST

START_TEST(forgotten_transaction_does_not_reach_the_next_request)
{
	/* More than there are workers, so that each of them has had one. */
	for (int i = 0; i < 3 * WORKERS; i++)
		ck_assert_str_eq(ask_and_wait("forget", "alice", "")->text, "forgotten");
	ck_assert(echoes(NULL));
}
END_TEST

START_TEST(reply_that_is_too_large_is_answered_as_internal)
{
	ck_assert_str_eq(ask_and_wait("flood", "alice", "")->code, "internal");
	ck_assert(echoes(NULL));
}
END_TEST

START_TEST(sigterm_answers_what_is_in_hand_and_queued)
{
	size_t in_hand = WORKERS, all = WORKERS + 8;

	for (size_t i = 0; i < all; i++)
		ask(&answers[i], "hold", "alice", "x");
	ck_assert(support_wait(gate_holds, &in_hand, WAIT_MS));
	ck_assert(
	    support_wait(metrics_have, (char[]){ "ww_service_requests_waiting 8\n" }, WAIT_MS));
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert(support_wait(is_not_ready_for, (char[]){ "stopping" }, WAIT_MS));
	open_gate();
	ck_assert_int_eq(pthread_join(runner, NULL), 0);
	ck_assert_int_eq(run_status, STATUS_OK);
	ck_assert(support_wait(are_told, &all, WAIT_MS));
	for (size_t i = 0; i < all; i++)
		ck_assert_str_eq(answers[i].text, "held");
	/* Nobody serves it any more: told at once, not by a time-out. */
	ck_assert_int_eq(ask_and_wait("echo", "alice", "x")->status, STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(sigterm_ends_an_idle_service)
{
	stop_service();
}
END_TEST

START_TEST(readiness_asks_the_service_too)
{
	atomic_store(&own_reason, "warming up");
	ck_assert(is_not_ready_for((char[]){ "warming up" }));
	atomic_store(&own_reason, NULL);
	ck_assert(is_ready(NULL));
}
END_TEST

START_TEST(without_nats_it_is_not_ready_and_recovers)
{
	ck_assert(echoes(NULL));
	support_nats_stop(&nats, SIGKILL);
	ck_assert(support_wait(is_not_ready_for, (char[]){ "NATS" }, WAIT_MS));
	ck_assert(answers_with("/healthz", " 200 ", "ok"));
	support_nats_restart(&nats);
	ck_assert(support_wait(is_ready, NULL, WAIT_MS));
	ck_assert_ok(bus_wait_connected(edge, WAIT_MS, &err), err);
	ck_assert(support_wait(echoes, NULL, WAIT_MS));
}
END_TEST

START_TEST(without_postgresql_it_is_not_ready_refuses_and_recovers)
{
	ck_assert(echoes(NULL));
	postgres_kill(own_server);
	ck_assert(support_wait(is_not_ready_for, (char[]){ "PostgreSQL" }, WAIT_MS));
	ck_assert_str_eq(ask_and_wait("echo", "alice", "x")->code, "unavailable");
	postgres_restart(own_server);
	ck_assert(support_wait(is_ready, NULL, WAIT_MS));
	ck_assert(support_wait(echoes, NULL, WAIT_MS));
}
END_TEST

START_TEST(closed_connections_are_replaced_before_they_fail_a_request)
{
	for (int i = 0; i < 3 * WORKERS; i++)
		ck_assert(echoes(NULL));
	postgres_terminate_backends(server);
	for (int i = 0; i < 3 * WORKERS; i++)
		ck_assert(echoes(NULL));
}
END_TEST

/* --- answers that come later --- */
static bool are_handed_over(void *n)
{
	bool are;

	(void)pthread_mutex_lock(&handed_over.lock);
	are = handed_over.len == *(size_t *)n;
	(void)pthread_mutex_unlock(&handed_over.lock);
	return are;
}

START_TEST(request_that_is_handed_over_holds_no_worker_and_is_answered_once)
{
	Walletwire__V1__OpenReply reply = WALLETWIRE__V1__OPEN_REPLY__INIT;
	struct err why = ERR_INIT;
	size_t n = WORKERS + 1;

	for (size_t i = 1; i <= n; i++)
		ask(&answers[i], "later", "alice", "x");
	ck_assert(support_wait(are_handed_over, &n, WAIT_MS));
	ck_assert(echoes(NULL));
	ck_assert(!is_told(&answers[1]));
	reply.epoch = (char[]){ "late" };
	for (size_t i = 1; i < n; i++)
		deferred_answer(handed_over.requests[i], &reply.base);
	(void)err_set(&why, STATUS_TIMEOUT, "private words");
	deferred_refuse(handed_over.requests[0], &why);
	for (size_t i = 1; i <= n; i++) {
		ck_assert(support_wait(is_told, &answers[i], WAIT_MS));
		ck_assert_str_eq(answers[i].code[0] ? answers[i].message : answers[i].text,
		    answers[i].code[0] ? "no answer in time" : "late");
	}
	ck_assert(support_wait(
	    metrics_have, (char[]){ "ww_presence_later_total{status=\"ok\"} 4\n" }, WAIT_MS));
	ck_assert(support_wait(
	    metrics_have, (char[]){ "ww_presence_later_total{status=\"timeout\"} 1\n" }, WAIT_MS));
}
END_TEST

/* --- starting before what it needs --- */
START_TEST(service_starts_without_its_servers_and_waits_for_them)
{
	const char *dsn;

	own_server = postgres_start();
	dsn = postgres_new_database(own_server);
	postgres_kill(own_server);
	support_nats_start(&nats);
	support_nats_stop(&nats, SIGTERM);
	start_service(dsn);
	ck_assert(is_not_ready_for((char[]){ "starting" }));
	support_nats_restart(&nats);
	ck_assert(support_wait(is_not_ready_for, (char[]){ "PostgreSQL" }, WAIT_MS));
	postgres_restart(own_server);
	ck_assert(support_wait(is_ready, NULL, WAIT_MS));
	start_edge();
	ck_assert(support_wait(echoes, NULL, WAIT_MS));
	teardown();
}
END_TEST

START_TEST(wrong_settings_are_named)
{
	struct service_config cfg = { .nats_url = (char[]){ "nats://127.0.0.1:1" },
		.nats_user = (char[]){ "presence" },
		.nats_password = (char[]){ "presence" },
		.database_url = (char[]){ "postgresql://u:hunter2@h/d?nonsense=1" },
		.admin = (char[]){ "127.0.0.1:0" },
		.log_level = (char[]){ "loud" },
		.workers = WORKERS };
	struct service_spec spec = { .name = "presence", .routes = routes, .routes_len = 1 };

	ck_assert_int_eq(service_new(&cfg, &spec, &service, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "log-level");
	cfg.log_level = (char[]){ "info" };
	ck_assert_int_eq(service_new(&cfg, &spec, &service, &err), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "database URL"));
	ck_assert_ptr_null(strstr(err.msg, "hunter2"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service");
	TCase *tc = tcase_create("running");
	TCase *own = tcase_create("with a PostgreSQL of its own");
	TCase *start = tcase_create("starting");

	server = postgres_start();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, request_is_answered_with_its_user_and_the_database);
	tcase_add_loop_test(
	    tc, refusal_carries_its_code_and_no_internals, 0, (int)ARRAY_LEN(refusals));
	tcase_add_test(tc, what_is_no_request_is_invalid);
	tcase_add_test(tc, thousand_requests_at_once_are_answered_by_four_workers);
	tcase_add_test(tc, request_beyond_the_queue_is_refused_at_once);
	tcase_add_test(tc, forgotten_transaction_does_not_reach_the_next_request);
	tcase_add_test(tc, reply_that_is_too_large_is_answered_as_internal);
	tcase_add_test(tc, sigterm_answers_what_is_in_hand_and_queued);
	tcase_add_test(tc, sigterm_ends_an_idle_service);
	tcase_add_test(tc, readiness_asks_the_service_too);
	tcase_add_test(tc, stats_tell_what_was_served_and_what_was_our_fault);
	tcase_add_test(tc, without_nats_it_is_not_ready_and_recovers);
	tcase_add_test(tc, closed_connections_are_replaced_before_they_fail_a_request);
	tcase_add_test(tc, request_that_is_handed_over_holds_no_worker_and_is_answered_once);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(own, setup_own_server, teardown);
	tcase_set_timeout(own, 90);
	tcase_add_test(own, without_postgresql_it_is_not_ready_refuses_and_recovers);
	suite_add_tcase(suite, own);
	tcase_set_timeout(start, 90);
	tcase_add_test(start, service_starts_without_its_servers_and_waits_for_them);
	tcase_add_test(start, wrong_settings_are_named);
	suite_add_tcase(suite, start);
	return support_run(suite);
}
