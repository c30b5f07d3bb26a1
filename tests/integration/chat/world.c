/* Requests by descriptor, as the edge makes them. */
#include "world.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "bus/provision.h"
#include "codec/reflect.h"
#include "db/db.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/delivery.pb-c.h"
#include "walletwire/v1/event.pb-c.h"
#include "walletwire/v1/presence.pb-c.h"

enum { ASK_MS = 10000, TEXT_MAX = 100000 };

#define VERB(name_, request_, reply_)                             \
	{                                                         \
		name_, &walletwire__v1__##request_##__descriptor, \
		    &walletwire__v1__##reply_##__descriptor       \
	}

static const struct verb {
	const char *name;
	const ProtobufCMessageDescriptor *request, *reply;
} verbs[] = {
	VERB("create", chat_create_request, chat_room_reply),
	VERB("invite", chat_invite_request, chat_room_reply),
	VERB("join", chat_join_request, chat_room_reply),
	VERB("leave", chat_leave_request, chat_room_reply),
	VERB("remove", chat_remove_request, chat_room_reply),
	VERB("role", chat_role_request, chat_room_reply),
	VERB("rename", chat_rename_request, chat_room_reply),
	VERB("rooms", chat_rooms_request, chat_rooms_reply),
	VERB("send", chat_send_request, chat_send_reply),
	VERB("edit", chat_edit_request, chat_message_reply),
	VERB("delete", chat_delete_request, chat_message_reply),
	VERB("history", chat_history_request, chat_history_reply),
	VERB("read", chat_read_request, chat_read_reply),
	VERB("typing", chat_typing_request, error_reply),
	VERB("block", chat_block_request, error_reply),
	VERB("unblock", chat_block_request, error_reply),
	VERB("blocks", chat_blocks_request, chat_blocks_reply),
	VERB("report", chat_report_request, error_reply),
	VERB("view", chat_view_request, chat_view_reply),
	VERB("views", chat_views_request, chat_views_reply),
	VERB("reports", chat_reports_request, chat_reports_reply),
	VERB("hold", chat_hold_request, chat_hold_reply),
	VERB("export", chat_export_request, chat_export_reply),
	VERB("erase", chat_erase_request, chat_erase_reply),
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	ck_abort_msg("no verb %s", name);
	return NULL;
}

static const char *render(const ProtobufCMessage *message, struct arena *arena)
{
	struct buf out = BUF_INIT;
	const char *text;

	reflect_append_json(&out, message);
	text = arena_strdup(arena, buf_str(&out));
	buf_finish(&out);
	return text;
}

/* --- servers and programs --- */

static void on_ring(void *arg, struct bus_msg *msg)
{
	struct world *world = arg;
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__Delivery *delivery;

	(void)pthread_mutex_lock(&world->lock);
	delivery =
	    walletwire__v1__delivery__unpack(arena_allocator(&world->arena), data.len, data.data);
	if (delivery && world->rings_len < WORLD_RINGS_MAX)
		world->ring[world->rings_len++] = arena_printf(&world->arena, "%s %s",
		    bus_msg_subject(msg), render(&delivery->base, &world->arena));
	(void)pthread_mutex_unlock(&world->lock);
}

void world_start(struct world *world, struct postgres *pg)
{
	struct err err = ERR_INIT;

	*world = (struct world){ .lock = PTHREAD_MUTEX_INITIALIZER };
	arena_init(&world->arena, SIZE_MAX);
	support_nats_start(&world->nats);
	support_nats_provision(&world->nats);
	world->dsn = postgres_new_database(pg);
	world->edge = support_nats_bus(&world->nats, "edge");
	world->ops = support_nats_bus(&world->nats, "ops");
	world->notifications = support_nats_bus(&world->nats, "notifications");
	ck_assert_ok(bus_pull_open(world->notifications, STREAM_EVENTS, CONSUMER_NOTIFICATIONS,
			 &world->events, &err),
	    err);
	ck_assert_ok(
	    bus_subscribe(world->edge, "ww.rt.room.*", NULL, on_ring, world, &world->rings, &err),
	    err);
	ck_assert_ok(bus_flush(world->edge, ASK_MS, &err), err);
}

void world_stop(struct world *world)
{
	for (int i = 0; i < WORLD_REPLICAS; i++)
		world_kill(world, i, SIGTERM);
	support_end(&world->presence, SIGTERM, world->log[WORLD_REPLICAS]);
	bus_unsubscribe(world->rings);
	bus_pull_close(world->events);
	bus_close(world->edge);
	bus_close(world->ops);
	bus_close(world->notifications);
	support_nats_stop(&world->nats, SIGTERM);
	arena_finish(&world->arena);
}

static pid_t spawn(
    struct world *world, const char *name, char log[static 352], const char *const *extra)
{
	char program[512], url[128], user[64], log_path[352];
	const char *argv[16] = { program, url, user, "--admin=127.0.0.1:0" };
	size_t n = 4;

	ck_assert_msg(getenv("WW_BIN_DIR") != NULL, "WW_BIN_DIR is not set: run it by ctest");
	(void)snprintf(program, sizeof(program), "%s/ww-%s", getenv("WW_BIN_DIR"), name);
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world->nats.url);
	(void)snprintf(user, sizeof(user), "--nats-user=%s", name);
	for (; extra && *extra; extra++)
		argv[n++] = *extra;
	(void)snprintf(log_path, sizeof(log_path), "%s/%s-%d-%lld.log", support_tmp_dir(), name,
	    (int)getpid(), (long long)clock_mono_us());
	(void)snprintf(log, 352, "%s", log_path);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", name, 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world->dsn, 1), 0);
	return support_spawn(argv, log);
}

void world_spawn(struct world *world, int replica, const char *const *extra)
{
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;

	world->replicas[replica] = spawn(world, "chat", world->log[replica], extra);
	while (strcmp(ask(world, "nobody", "blocks", "{}"), "{\"userIds\":[],\"next\":\"\"}") != 0)
		ck_assert_msg(clock_mono_ms() < deadline, "ww-chat does not answer");
}

void world_kill(struct world *world, int replica, int signal)
{
	support_end(&world->replicas[replica], signal, world->log[replica]);
}

static enum status befriend(
    struct world *world, struct bus *backend, const char *user, const char *other)
{
	Walletwire__V1__FriendsSetRequest request = WALLETWIRE__V1__FRIENDS_SET_REQUEST__INIT;
	Walletwire__V1__StringList list = WALLETWIRE__V1__STRING_LIST__INIT;
	char *ids[] = { arena_strdup(&world->arena, other) };
	struct bus_msg *msg = NULL;
	struct err err = ERR_INIT;
	enum status s;

	list.values = ids;
	list.n_values = 1;
	request.user_id = arena_strdup(&world->arena, user);
	request.add = &list;
	request.change_case = WALLETWIRE__V1__FRIENDS_SET_REQUEST__CHANGE_ADD;
	s = bus_request(backend, "ww.backend.presence.friends_set",
	    message_pack(&request.base, &world->arena), ASK_MS, &msg, &err);
	bus_msg_unref(msg);
	return s;
}

void world_befriend(struct world *world, const char *user, const char *other)
{
	struct bus *backend = support_nats_bus(&world->nats, "backend");
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;

	world->presence = spawn(world, "presence", world->log[WORLD_REPLICAS], NULL);
	while (befriend(world, backend, user, other))
		ck_assert_msg(clock_mono_ms() < deadline, "ww-presence does not answer");
	bus_close(backend);
}

/* --- asking --- */

static void set_caller(ProtobufCMessage *request, const char *user, struct arena *arena)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "caller");
	Walletwire__V1__Caller *caller = MESSAGE_NEW(arena, caller);

	if (!field)
		return;
	caller->user_id = arena_strdup(arena, user);
	caller->session_id = arena_strdup(arena, "session");
	*(Walletwire__V1__Caller **)(void *)((char *)request + field->offset) = caller;
}

static const char *read_answer(const struct verb *verb, struct bus_msg *msg, struct arena *arena)
{
	struct bytes data = bus_msg_data(msg);
	const Walletwire__V1__ErrorReply *outcome =
	    walletwire__v1__error_reply__unpack(arena_allocator(arena), data.len, data.data);
	const ProtobufCMessage *reply;

	ck_assert_ptr_nonnull(outcome);
	if (outcome->error && outcome->error->field[0])
		return arena_printf(arena, "%s %s", outcome->error->code, outcome->error->field);
	if (outcome->error)
		return arena_strdup(arena, outcome->error->code);
	reply = protobuf_c_message_unpack(verb->reply, arena_allocator(arena), data.len, data.data);
	ck_assert_ptr_nonnull(reply);
	return render(reply, arena);
}

static const char *ask_on(struct bus *bus, const char *prefix, const char *user,
    const char *verb_name, const char *payload, struct arena *arena)
{
	const struct verb *verb = find_verb(verb_name);
	ProtobufCMessage *request = NULL;
	struct bus_msg *msg = NULL;
	struct json *json = NULL;
	struct err err = ERR_INIT;
	const char *answer;
	enum status s;

	ck_assert_ok(json_parse_max(bytes_of_str(payload), 1 << 20, &json, &err), err);
	ck_assert_ok(reflect_from_json(verb->request, json, TEXT_MAX, arena, &request, &err), err);
	json_free(json);
	set_caller(request, user, arena);
	s = bus_request(bus, arena_printf(arena, "%s%s", prefix, verb_name),
	    message_pack(request, arena), ASK_MS, &msg, &err);
	if (s)
		return arena_strdup(arena, status_wire(s));
	answer = read_answer(verb, msg, arena);
	bus_msg_unref(msg);
	return answer;
}

const char *ask_in(struct world *world, struct arena *arena, const char *user, const char *verb,
    const char *payload)
{
	return ask_on(world->edge, "ww.svc.chat.", user, verb, payload, arena);
}

#define FORMAT(world, format, ret_text)                              \
	do {                                                         \
		va_list args;                                        \
		char *made = NULL;                                   \
		va_start(args, format);                              \
		ck_assert_int_ge(vasprintf(&made, format, args), 0); \
		va_end(args);                                        \
		(void)pthread_mutex_lock(&(world)->lock);            \
		(ret_text) = arena_strdup(&(world)->arena, made);    \
		(void)pthread_mutex_unlock(&(world)->lock);          \
		free(made);                                          \
	} while (0)

/* The answer is made apart, since doorbells come into the world's arena meanwhile. */
static const char *ask_apart(struct world *world, struct bus *bus, const char *prefix,
    const char *user, const char *verb, const char *payload)
{
	struct arena apart;
	const char *answer;

	arena_init(&apart, SIZE_MAX);
	answer = ask_on(bus, prefix, user, verb, payload, &apart);
	(void)pthread_mutex_lock(&world->lock);
	answer = arena_strdup(&world->arena, answer);
	(void)pthread_mutex_unlock(&world->lock);
	arena_finish(&apart);
	return answer;
}

const char *ask(struct world *world, const char *user, const char *verb, const char *payload, ...)
{
	const char *text;

	FORMAT(world, payload, text);
	return ask_apart(world, world->edge, "ww.svc.chat.", user, verb, text);
}

const char *ask_backend(struct world *world, const char *verb, const char *payload, ...)
{
	const char *text;

	FORMAT(world, payload, text);
	return ask_apart(world, world->ops, "ww.backend.chat.", "", verb, text);
}

const char *field(struct world *world, const char *json, const char *name)
{
	struct json *root = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	const struct json *value;
	const char *text;

	ck_assert_msg(!json_parse_max(bytes_of_str(json), 8 << 20, &root, &err), "%s", json);
	value = json_get(root, name);
	if (value && json_is_string(value))
		buf_append_bytes(&out, json_text(value));
	else if (value)
		json_append_value(&out, value);
	(void)pthread_mutex_lock(&world->lock);
	text = arena_strdup(&world->arena, buf_str(&out));
	(void)pthread_mutex_unlock(&world->lock);
	buf_finish(&out);
	json_free(root);
	return text;
}

/* --- what was published --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *describe(struct world *world, struct bus_msg *msg)
{
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__Event *event =
	    walletwire__v1__event__unpack(arena_allocator(&world->arena), data.len, data.data);
	struct buf out = BUF_INIT;
	const char *text;

	ck_assert_str_eq(bus_msg_subject(msg), "ww.event.chat");
	ck_assert_ptr_nonnull(event);
	qsort(event->user_ids, event->n_user_ids, sizeof(char *), by_text);
	for (size_t i = 0; i < event->n_user_ids; i++)
		buf_appendf(&out, "%s%s", i ? "," : "", event->user_ids[i]);
	buf_appendf(&out, ": %s %s", event->id, render(&event->chat->base, &world->arena));
	text = arena_strdup(&world->arena, buf_str(&out));
	buf_finish(&out);
	return text;
}

static const char *fetch_event(struct world *world, int timeout_ms)
{
	struct bus_msg *msg = NULL;
	struct err err = ERR_INIT;
	const char *text;
	size_t n = 0;

	ck_assert_ok(bus_pull_fetch(world->events, &msg, 1, timeout_ms, &n, &err), err);
	if (n == 0)
		return NULL;
	(void)pthread_mutex_lock(&world->lock);
	text = describe(world, msg);
	(void)pthread_mutex_unlock(&world->lock);
	ck_assert_ok(bus_msg_ack(msg, &err), err);
	bus_msg_unref(msg);
	return text;
}

const char *next_event(struct world *world)
{
	const char *text = fetch_event(world, WORLD_WAIT_MS);

	ck_assert_msg(text != NULL, "no event came");
	return text;
}

void no_event(struct world *world)
{
	const char *text;

	/* What is committed and not published yet would follow. */
	while (query(world, "SELECT count(*) FROM chat.outbox") > 0)
		;
	text = fetch_event(world, 50);
	ck_assert_msg(text == NULL, "came: %s", text);
}

struct awaited {
	struct world *world;
	const char *text;
	const char *found;
};

static bool ring_came(void *arg)
{
	struct awaited *awaited = arg;
	struct world *world = awaited->world;

	(void)pthread_mutex_lock(&world->lock);
	for (size_t i = 0; i < world->rings_len && !awaited->found; i++) {
		if (!strstr(world->ring[i], awaited->text))
			continue;
		awaited->found = world->ring[i];
		world->rings_len -= i + 1;
		memmove(world->ring, world->ring + i + 1, world->rings_len * sizeof(char *));
	}
	(void)pthread_mutex_unlock(&world->lock);
	return awaited->found;
}

const char *wait_ring(struct world *world, const char *text)
{
	struct awaited awaited = { world, text, NULL };

	ck_assert_msg(support_wait(ring_came, &awaited, WORLD_WAIT_MS), "no ring of %s", text);
	return awaited.found;
}

size_t count_rings(struct world *world, const char *text)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&world->lock);
	for (size_t i = 0; i < world->rings_len; i++)
		n += strstr(world->ring[i], text) != NULL;
	(void)pthread_mutex_unlock(&world->lock);
	return n;
}

static struct db *open_database(struct world *world, const struct db_statement *statement)
{
	struct db_config cfg = { .dsn = world->dsn,
		.application_name = "test",
		.statements = statement,
		.statements_len = statement ? 1 : 0 };
	struct db *db = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	ck_assert_ok(db_ensure(db, &err), err);
	return db;
}

int64_t query(struct world *world, const char *sql)
{
	const struct db_statement statement = { "query", sql };
	struct db *db = open_database(world, &statement);
	struct err err = ERR_INIT;
	struct db_params p;
	int64_t n = 0;

	db_params_init(&p);
	ck_assert_ok(db_run_int(db, 0, &p, &n, &err), err);
	db_close(db);
	return n;
}

struct db *world_hold(struct world *world, const char *sql)
{
	struct db *db = open_database(world, NULL);
	struct err err = ERR_INIT;

	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(db_exec(db, sql, &err), err);
	return db;
}

void world_let_go(struct db *db)
{
	struct err err = ERR_INIT;

	ck_assert_ok(db_commit(db, &err), err);
	db_close(db);
}

struct waiters {
	struct world *world;
	int n;
};

static bool they_wait(void *arg)
{
	const struct waiters *waiters = arg;

	return query(waiters->world, "SELECT count(*) FROM pg_locks WHERE NOT granted") >=
	       waiters->n;
}

void wait_for_waiters(struct world *world, int n)
{
	ck_assert_msg(support_wait(they_wait, &(struct waiters){ world, n }, WORLD_WAIT_MS),
	    "there are no %d who wait", n);
}

static void *ask_apart_from_others(void *arg)
{
	struct asker *asker = arg;

	asker->answer =
	    ask_in(asker->world, &asker->arena, asker->user, asker->verb, asker->payload);
	return NULL;
}

void asker_start(struct asker *asker, struct world *world, const char *user, const char *verb,
    const char *payload, ...)
{
	*asker = (struct asker){ .world = world, .user = user, .verb = verb };
	FORMAT(world, payload, asker->payload);
	arena_init(&asker->arena, SIZE_MAX);
	ck_assert_int_eq(pthread_create(&asker->thread, NULL, ask_apart_from_others, asker), 0);
}

const char *asker_end(struct asker *asker)
{
	const char *answer;

	(void)pthread_join(asker->thread, NULL);
	(void)pthread_mutex_lock(&asker->world->lock);
	answer = arena_strdup(&asker->world->arena, asker->answer);
	(void)pthread_mutex_unlock(&asker->world->lock);
	arena_finish(&asker->arena);
	return answer;
}
