/* Requests are asked again until somebody serves them: services start in any order. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "bus/provision.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "plan.h"

enum { ASK_MS = 2000 };

static void hear(void *arg, struct bus_msg *msg)
{
	struct world *world = arg;
	struct bytes data = bus_msg_data(msg);
	Delivery *delivery;

	(void)pthread_mutex_lock(&world->lock);
	delivery = walletwire__v1__delivery__unpack(
	    arena_allocator(&world->rings_arena), data.len, data.data);
	if (delivery && world->rings_len < WORLD_RINGS_MAX)
		world->rings[world->rings_len++] = delivery;
	(void)pthread_mutex_unlock(&world->lock);
}

static void hear_dead(void *arg, struct bus_msg *msg)
{
	struct world *world = arg;

	(void)pthread_mutex_lock(&world->lock);
	if (world->dead_len < WORLD_DEAD_MAX)
		world->dead[world->dead_len++] = bus_msg_ref(msg);
	(void)pthread_mutex_unlock(&world->lock);
}

/* The test listens in on the dead letters, which no user of a deployment may. */
static void let_ops_hear_dead_letters(struct support_nats *nats)
{
	static char text[1 << 17];
	FILE *file = fopen(nats->conf, "r");
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	char *at;

	(void)fclose(file);
	text[len] = '\0';
	at = strstr(text, "user: ops\n");
	at = at ? strstr(at, "subscribe: {") : NULL;
	at = at ? strchr(at, '[') : NULL;
	ck_assert_ptr_nonnull(at);
	at++;
	file = fopen(nats->conf, "w");
	(void)fprintf(file, "%.*s\n\"ww.dlq.event\"\n%s", (int)(at - text), text, at);
	ck_assert_int_eq(fclose(file), 0);
	support_nats_stop(nats, SIGTERM);
	support_nats_restart(nats);
}

void world_start(struct world *world, struct postgres *pg)
{
	world_start_small(world, pg, 256LL << 20);
}

void world_start_small(struct world *world, struct postgres *pg, int64_t events_max_bytes)
{
	struct err err = ERR_INIT;

	*world = (struct world){ 0 };
	support_nats_start(&world->nats);
	let_ops_hear_dead_letters(&world->nats);
	support_nats_provision_small(&world->nats, events_max_bytes);
	world->dsn = postgres_new_database(pg);
	world->backend = support_nats_bus(&world->nats, "backend");
	world->edge = support_nats_bus(&world->nats, "edge");
	world->ops = support_nats_bus(&world->nats, "ops");
	arena_init(&world->arena, SIZE_MAX);
	arena_init(&world->rings_arena, SIZE_MAX);
	world->rings = calloc(WORLD_RINGS_MAX, sizeof(Delivery *));
	ck_assert_int_eq(pthread_mutex_init(&world->lock, NULL), 0);
	ck_assert_ok(
	    bus_subscribe(world->edge, "ww.rt.user.*", NULL, hear, world, &world->rings_sub, &err),
	    err);
	ck_assert_ok(bus_subscribe(world->ops, "ww.dlq.event", NULL, hear_dead, world,
			 &world->dead_sub, &err),
	    err);
	ck_assert_ok(bus_flush(world->edge, ASK_MS, &err), err);
	ck_assert_ok(bus_flush(world->ops, ASK_MS, &err), err);
}

void world_stop(struct world *world)
{
	for (int i = 0; i < WORLD_REPLICAS; i++)
		world_kill(world, i, SIGTERM);
	bus_unsubscribe(world->rings_sub);
	bus_unsubscribe(world->dead_sub);
	bus_close(world->backend);
	bus_close(world->edge);
	bus_close(world->ops);
	support_nats_stop(&world->nats, SIGTERM);
	for (size_t i = 0; i < world->dead_len; i++)
		bus_msg_unref(world->dead[i]);
	arena_finish(&world->arena);
	arena_finish(&world->rings_arena);
	free(world->rings);
	(void)pthread_mutex_destroy(&world->lock);
}

void world_spawn(struct world *world, int replica, const char *extra)
{
	char program[512], url[128], admin[64], log_name[352];
	const char *argv[] = { program, url, admin, "--nats-user=notifications", "--workers=2",
		extra, NULL };

	ck_assert_msg(getenv("WW_BIN_DIR") != NULL, "WW_BIN_DIR is not set: run it by ctest");
	(void)snprintf(program, sizeof(program), "%s/ww-notifications", getenv("WW_BIN_DIR"));
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world->nats.url);
	world->admin_port[replica] = support_free_port();
	(void)snprintf(admin, sizeof(admin), "--admin=127.0.0.1:%d", world->admin_port[replica]);
	(void)snprintf(
	    log_name, sizeof(log_name), "%s/notifications-%d.log", support_tmp_dir(), replica);
	memcpy(world->log[replica], log_name, sizeof(log_name));
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "notifications", 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world->dsn, 1), 0);
	world->replicas[replica] = support_spawn(argv, world->log[replica]);
	(void)world_open(world, "nobody");
}

void world_kill(struct world *world, int replica, int signal)
{
	support_end(&world->replicas[replica], signal, world->log[replica]);
}

const char *world_readiness(struct world *world, int replica)
{
	return support_get(world->admin_port[replica], "/readyz");
}

int64_t world_metric(struct world *world, int replica, const char *sample)
{
	const char *text = support_get(world->admin_port[replica], "/metrics");
	size_t len = strlen(sample);

	for (const char *at = strstr(text, sample); at; at = strstr(at + 1, sample)) {
		if (at[-1] == '\n' && at[len] == ' ')
			return strtoll(at + len, NULL, 10);
	}
	return -1;
}

struct bytes world_event(struct world *world, const char *json, char ret_subject[static 64])
{
	ProtobufCMessage *event = NULL;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(json_parse(bytes_of_str(json), &root, &err), err);
	ck_assert_ok(reflect_from_json(&walletwire__v1__event__descriptor, root, 4000,
			 &world->arena, &event, &err),
	    err);
	json_free(root);
	(void)snprintf(ret_subject, 64, "ww.event.%s", plan_event_kind((const Event *)event));
	return message_pack(event, &world->arena);
}

static void publish(struct world *world, const char *json, const char *msg_id)
{
	char subject[64];
	struct bytes data = world_event(world, json, subject);
	struct bus_ack ack;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    bus_publish_stored(world->backend, subject, msg_id, data, NULL, &ack, &err), err);
	ck_assert(!ack.duplicate);
}

void world_publish(struct world *world, const char *json)
{
	publish(world, json, NULL);
}

void world_publish_again(struct world *world, const char *json)
{
	char id[ID_SIZE];

	id_random(id);
	publish(world, json, id);
}

void world_publish_raw(struct world *world, const char *subject, struct bytes data)
{
	struct bus_ack ack;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    bus_publish_stored(world->backend, subject, NULL, data, NULL, &ack, &err), err);
}

void world_bury(struct world *world, const char *subject, struct bytes data)
{
	const struct bus_header headers[] = { { "Ww-Reason", "the test's" },
		{ "Ww-Subject", subject }, { "Ww-Stream-Seq", "7" }, { "Ww-Msg-Id", "test/7" },
		{ NULL, NULL } };
	struct bus *notifications = support_nats_bus(&world->nats, "notifications");
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_ok(
	    bus_publish_stored(notifications, "ww.dlq.event", NULL, data, headers, &ack, &err),
	    err);
	bus_close(notifications);
}

void world_bury_event(struct world *world, const char *json)
{
	char subject[64];
	struct bytes data = world_event(world, json, subject);

	world_bury(world, subject, data);
}

const void *world_ask(struct world *world, const char *subject, const void *request,
    const ProtobufCMessageDescriptor *reply, const char **ret_code)
{
	struct bus *bus = strncmp(subject, "ww.backend.", 11) == 0 ? world->ops : world->edge;
	struct bytes data = message_pack(request, &world->arena);
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;
	const Walletwire__V1__ErrorReply *answer;
	struct bytes body = { NULL, 0 };
	struct err err = ERR_INIT;
	struct bus_msg *msg;
	enum status s;

	do {
		msg = NULL;
		s = bus_request(bus, subject, data, ASK_MS, &msg, &err);
		if (s)
			continue;
		body = bytes_of(
		    arena_memdup(&world->arena, bus_msg_data(msg).data, bus_msg_data(msg).len),
		    bus_msg_data(msg).len);
		bus_msg_unref(msg);
		/* Every reply starts with its error, so this reads any of them. */
		answer = walletwire__v1__error_reply__unpack(
		    arena_allocator(&world->arena), body.len, body.data);
		ck_assert_ptr_nonnull(answer);
		s = answer->error ? status_from_wire(answer->error->code) : STATUS_OK;
	} while (s && status_is_temporary(s) && clock_mono_ms() < deadline);
	ck_assert_msg(body.data != NULL, "%s: %s", subject, err.msg);
	if (ret_code)
		*ret_code = status_wire(s);
	else
		ck_assert_msg(!s, "%s: %s", subject, status_wire(s));
	return protobuf_c_message_unpack(
	    reply, arena_allocator(&world->arena), body.len, body.data);
}

Walletwire__V1__Caller *world_caller(struct world *world, const char *user)
{
	Walletwire__V1__Caller *caller = MESSAGE_NEW(&world->arena, caller);

	caller->user_id = arena_strdup(&world->arena, user);
	return caller;
}

const Walletwire__V1__OpenReply *world_open(struct world *world, const char *user)
{
	Walletwire__V1__OpenRequest *in = MESSAGE_NEW(&world->arena, open_request);

	in->caller = world_caller(world, user);
	return world_ask(
	    world, "ww.svc.notifications.open", in, &walletwire__v1__open_reply__descriptor, NULL);
}

const Walletwire__V1__SinceReply *world_since(
    struct world *world, const char *user, uint64_t after, uint64_t up_to)
{
	Walletwire__V1__SinceRequest *in = MESSAGE_NEW(&world->arena, since_request);

	in->caller = world_caller(world, user);
	in->after = after;
	in->up_to = up_to;
	return world_ask(world, "ww.svc.notifications.since", in,
	    &walletwire__v1__since_reply__descriptor, NULL);
}

const Walletwire__V1__VerifyReply *world_verify(struct world *world, const char *user)
{
	Walletwire__V1__VerifyRequest *in = MESSAGE_NEW(&world->arena, verify_request);

	in->user_id = arena_strdup(&world->arena, user);
	return world_ask(world, "ww.backend.notifications.verify", in,
	    &walletwire__v1__verify_reply__descriptor, NULL);
}

const Walletwire__V1__ListReply *world_list(
    struct world *world, const char *user, const char *before, uint32_t limit)
{
	Walletwire__V1__ListRequest *in = MESSAGE_NEW(&world->arena, list_request);

	in->caller = world_caller(world, user);
	in->before = arena_strdup(&world->arena, before);
	in->limit = limit;
	return world_ask(
	    world, "ww.svc.notifications.list", in, &walletwire__v1__list_reply__descriptor, NULL);
}

const Walletwire__V1__SelectReply *world_select(
    struct world *world, const char *verb, const char *user, const char *id, uint64_t up_to)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world->arena, select_request);
	char subject[64];

	in->caller = world_caller(world, user);
	if (id) {
		in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS;
		in->ids = MESSAGE_NEW(&world->arena, string_list);
		in->ids->values = arena_alloc(&world->arena, sizeof(char *));
		in->ids->values[in->ids->n_values++] = arena_strdup(&world->arena, id);
	} else if (up_to) {
		in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO;
		in->up_to = up_to;
	} else {
		in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL;
		in->all = true;
		in->position = in->announcement_position = (UINT64_C(1) << 53) - 1;
	}
	(void)snprintf(subject, sizeof(subject), "ww.svc.notifications.%s", verb);
	return world_ask(world, subject, in, &walletwire__v1__select_reply__descriptor, NULL);
}

/* --- waiting --- */

const Walletwire__V1__UnreadReply *world_unread(struct world *world, const char *user)
{
	Walletwire__V1__UnreadRequest *in = MESSAGE_NEW(&world->arena, unread_request);

	in->caller = world_caller(world, user);
	return world_ask(world, "ww.svc.notifications.unread", in,
	    &walletwire__v1__unread_reply__descriptor, NULL);
}

uint32_t world_recall(struct world *world, const char *type, const char *id, const char *code)
{
	Walletwire__V1__RecallRequest *in = MESSAGE_NEW(&world->arena, recall_request);
	const Walletwire__V1__RecallReply *reply;
	const char *said;

	in->type = arena_strdup(&world->arena, type);
	in->id = arena_strdup(&world->arena, id);
	reply = world_ask(world, "ww.backend.notifications.recall", in,
	    &walletwire__v1__recall_reply__descriptor, &said);
	ck_assert_str_eq(said, code);
	return strcmp(said, "ok") == 0 ? reply->recalled : 0;
}

struct position {
	struct world *world;
	const char *user;
	uint64_t seq, rev, is_seq, is_rev;
};

static bool stands_there(void *arg)
{
	struct position *at = arg;
	const Walletwire__V1__OpenReply *open = world_open(at->world, at->user);

	at->is_seq = open->seq;
	at->is_rev = open->rev;
	return open->seq >= at->seq && open->rev >= at->rev;
}

void world_wait_seq(struct world *world, const char *user, uint64_t seq, uint64_t rev)
{
	struct position at = { world, user, seq, rev, 0, 0 };
	bool there = support_wait(stands_there, &at, WORLD_WAIT_MS);

	ck_assert_msg(there && at.is_seq == seq, "%s stands at seq %lu rev %lu, not %lu", user,
	    (unsigned long)at.is_seq, (unsigned long)at.is_rev, (unsigned long)seq);
}

size_t world_rings(struct world *world)
{
	size_t n;

	(void)pthread_mutex_lock(&world->lock);
	n = world->rings_len;
	(void)pthread_mutex_unlock(&world->lock);
	return n;
}

struct wanted {
	struct world *world;
	size_t n;
};

static bool heard_enough(void *arg)
{
	struct wanted *wanted = arg;

	return world_rings(wanted->world) >= wanted->n;
}

void world_wait_rings(struct world *world, size_t n)
{
	struct wanted wanted = { world, n };

	ck_assert_msg(support_wait(heard_enough, &wanted, WORLD_WAIT_MS),
	    "%zu of %zu deliveries heard", world_rings(world), n);
}

static bool dead_enough(void *arg)
{
	struct wanted *wanted = arg;
	bool enough;

	(void)pthread_mutex_lock(&wanted->world->lock);
	enough = wanted->world->dead_len >= wanted->n;
	(void)pthread_mutex_unlock(&wanted->world->lock);
	return enough;
}

void world_wait_dead(struct world *world, size_t n)
{
	struct wanted wanted = { world, n };

	ck_assert_msg(support_wait(dead_enough, &wanted, WORLD_WAIT_MS), "%zu of %zu dead letters",
	    world->dead_len, n);
}

void world_check_mailbox(struct world *world, const char *user, const char *prefix, uint64_t n)
{
	const Walletwire__V1__VerifyReply *verify = world_verify(world, user);
	uint64_t after = 0;

	ck_assert_msg(verify->consistent, "%s: %s", user,
	    verify->n_findings ? verify->findings[0] : "inconsistent");
	ck_assert_uint_eq(verify->seq, n);
	while (after < n) {
		const Walletwire__V1__SinceReply *page = world_since(world, user, after, n);

		ck_assert(!page->too_old);
		ck_assert_uint_gt(page->handled, after);
		for (size_t i = 0; i < page->n_items; i++) {
			char id[160];

			(void)snprintf(
			    id, sizeof(id), "%s%lu", prefix, (unsigned long)(after + i + 1));
			ck_assert_uint_eq(page->items[i]->seq, after + i + 1);
			ck_assert_str_eq(page->items[i]->notification->id, id);
		}
		ck_assert_uint_eq(page->handled, after + page->n_items);
		after = page->handled;
	}
}
