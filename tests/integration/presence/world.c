/* Edges are two subjects and a number. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"

enum { ASK_MS = 5000 };

typedef Walletwire__V1__PresenceBatch Batch;

static void tell_all(struct world_edge *edge, bool wants_friends);

static void on_batch(void *arg, struct bus_msg *msg)
{
	struct world_edge *edge = arg;
	struct bytes data = bus_msg_data(msg);
	Batch *batch;

	(void)pthread_mutex_lock(&edge->world->lock);
	batch = walletwire__v1__presence_batch__unpack(
	    arena_allocator(&edge->world->arena), data.len, data.data);
	if (batch && batch->wants_report)
		edge->reports_wanted++;
	else if (batch && edge->len < WORLD_BATCHES_MAX)
		edge->batches[edge->len++] = batch;
	if (batch && (batch->wants_report || batch->anew))
		tell_all(edge, batch->anew);
	(void)pthread_mutex_unlock(&edge->world->lock);
}

static void open_edge(struct world *world, int i)
{
	struct world_edge *edge = &world->edges[i];
	char subject[64];
	struct err err = ERR_INIT;

	edge->world = world;
	(void)snprintf(edge->id, sizeof(edge->id), "edge-%d", i + 1);
	(void)snprintf(subject, sizeof(subject), "ww.rt.presence.%s", edge->id);
	ck_assert_ok(
	    bus_subscribe(world->edge, subject, NULL, on_batch, edge, &edge->sub, &err), err);
	ck_assert_ok(bus_subscribe(world->edge, "ww.rt.presence.all", NULL, on_batch, edge,
			 &edge->sub_all, &err),
	    err);
}

void world_start(struct world *world, struct postgres *pg)
{
	struct err err = ERR_INIT;

	*world = (struct world){ .lock = PTHREAD_MUTEX_INITIALIZER };
	arena_init(&world->arena, SIZE_MAX);
	support_nats_start(&world->nats);
	world->dsn = postgres_new_database(pg);
	world->edge = support_nats_bus(&world->nats, "edge");
	world->backend = support_nats_bus(&world->nats, "backend");
	for (int i = 0; i < WORLD_EDGES; i++)
		open_edge(world, i);
	ck_assert_ok(bus_flush(world->edge, ASK_MS, &err), err);
}

void world_stop(struct world *world)
{
	for (int i = 0; i < WORLD_REPLICAS; i++)
		world_kill(world, i, SIGTERM);
	for (int i = 0; i < WORLD_EDGES; i++) {
		bus_unsubscribe(world->edges[i].sub);
		bus_unsubscribe(world->edges[i].sub_all);
	}
	bus_close(world->edge);
	bus_close(world->backend);
	support_nats_stop(&world->nats, SIGTERM);
	arena_finish(&world->arena);
}

/* --- replicas --- */

static void answer_comes(struct world *world)
{
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;
	Walletwire__V1__PresenceFriendsRequest request =
	    WALLETWIRE__V1__PRESENCE_FRIENDS_REQUEST__INIT;
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	const char *code = "";
	char user[] = "nobody";

	caller.user_id = user;
	request.caller = &caller;
	while (strcmp(code, "ok") != 0) {
		ck_assert_msg(clock_mono_ms() < deadline, "no answer: %s", code);
		(void)world_ask(world, "ww.svc.presence.friends", &request.base,
		    &walletwire__v1__presence_friends_reply__descriptor, &code);
	}
}

void world_spawn(struct world *world, int replica, const char *extra)
{
	world_spawn_at(world, replica, world->nats.port, extra);
}

void world_spawn_at(struct world *world, int replica, int nats_port, const char *extra)
{
	char program[512], url[128];
	const char *argv[] = { program, url, "--admin=127.0.0.1:0", "--nats-user=presence",
		"--listen-first=200ms", "--batch-interval=20ms", "--offline-grace=300ms", extra,
		NULL };

	ck_assert_msg(getenv("WW_BIN_DIR") != NULL, "WW_BIN_DIR is not set: run it by ctest");
	(void)snprintf(program, sizeof(program), "%s/ww-presence", getenv("WW_BIN_DIR"));
	(void)snprintf(url, sizeof(url), "--nats-url=nats://127.0.0.1:%d", nats_port);
	(void)snprintf(world->log[replica], sizeof(world->log[replica]), "%s/presence-%d-%d.log",
	    support_tmp_dir(), (int)getpid(), replica);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "presence", 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world->dsn, 1), 0);
	world->replicas[replica] = support_spawn(argv, world->log[replica]);
	answer_comes(world);
}

void world_kill(struct world *world, int replica, int signal)
{
	support_end(&world->replicas[replica], signal, world->log[replica]);
}

/* --- verbs --- */

const void *world_ask(struct world *world, const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply, const char **ret_code)
{
	bool is_backend = strncmp(subject, "ww.backend.", strlen("ww.backend.")) == 0;
	struct bus *bus = is_backend ? world->backend : world->edge;
	const Walletwire__V1__ErrorReply *outcome;
	struct bus_msg *msg = NULL;
	struct err err = ERR_INIT;
	const void *message;
	struct bytes packed, data;

	(void)pthread_mutex_lock(&world->lock);
	packed = message_pack(request, &world->arena);
	(void)pthread_mutex_unlock(&world->lock);
	*ret_code = "unavailable";
	if (bus_request(bus, subject, packed, ASK_MS, &msg, &err))
		return NULL;
	data = bus_msg_data(msg);
	(void)pthread_mutex_lock(&world->lock);
	outcome = walletwire__v1__error_reply__unpack(
	    arena_allocator(&world->arena), data.len, data.data);
	message =
	    protobuf_c_message_unpack(reply, arena_allocator(&world->arena), data.len, data.data);
	(void)pthread_mutex_unlock(&world->lock);
	bus_msg_unref(msg);
	*ret_code = outcome->error ? outcome->error->code : "ok";
	return message;
}

static Walletwire__V1__Caller *caller(struct world *world, const char *user)
{
	Walletwire__V1__Caller *caller;

	(void)pthread_mutex_lock(&world->lock);
	caller = MESSAGE_NEW(&world->arena, caller);
	caller->user_id = arena_strdup(&world->arena, user);
	caller->session_id = arena_printf(&world->arena, "sid-%s", user);
	(void)pthread_mutex_unlock(&world->lock);
	return caller;
}

static char *copy(struct world *world, const char *text)
{
	char *copied;

	(void)pthread_mutex_lock(&world->lock);
	copied = arena_strdup(&world->arena, text);
	(void)pthread_mutex_unlock(&world->lock);
	return copied;
}

#define CHANGE(NAME) WALLETWIRE__V1__FRIENDS_SET_REQUEST__CHANGE_##NAME

static const Walletwire__V1__FriendsSetReply *set_friends(struct world *world, const char *verb,
    const char *user, char **ids, size_t len, const char *code)
{
	Walletwire__V1__FriendsSetRequest request = WALLETWIRE__V1__FRIENDS_SET_REQUEST__INIT;
	Walletwire__V1__StringList list = WALLETWIRE__V1__STRING_LIST__INIT;
	const Walletwire__V1__FriendsSetReply *reply;
	const char *answered;

	list.values = ids;
	list.n_values = len;
	request.user_id = copy(world, user);
	request.replace = &list;
	request.change_case = strcmp(verb, "add") == 0      ? CHANGE(ADD)
			      : strcmp(verb, "remove") == 0 ? CHANGE(REMOVE)
							    : CHANGE(REPLACE);
	reply = world_ask(world, "ww.backend.presence.friends_set", &request.base,
	    &walletwire__v1__friends_set_reply__descriptor, &answered);
	ck_assert_str_eq(answered, code);
	return reply;
}

const Walletwire__V1__FriendsSetReply *world_friends(
    struct world *world, const char *verb, const char *user, const char *other, const char *code)
{
	char *ids[] = { copy(world, other ? other : "") };

	return set_friends(world, verb, user, ids, other ? 1 : 0, code);
}

void world_add_many(struct world *world, const char *user, size_t n)
{
	char **ids = xcalloc(n, sizeof(*ids));
	char id[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "friend-%zu", i);
		ids[i] = copy(world, id);
	}
	(void)set_friends(world, "add", user, ids, n, "ok");
	free((void *)ids);
}

const Walletwire__V1__PresenceGetReply *world_get(
    struct world *world, const char *user, const char *other)
{
	Walletwire__V1__PresenceGetRequest request = WALLETWIRE__V1__PRESENCE_GET_REQUEST__INIT;
	char *ids[] = { copy(world, other) };
	const Walletwire__V1__PresenceGetReply *reply;
	const char *code;

	request.caller = caller(world, user);
	request.user_ids = ids;
	request.n_user_ids = 1;
	reply = world_ask(world, "ww.svc.presence.get", &request.base,
	    &walletwire__v1__presence_get_reply__descriptor, &code);
	ck_assert_str_eq(code, "ok");
	return reply;
}

const Walletwire__V1__PresenceFriendsReply *world_list(
    struct world *world, const char *user, const char *after, uint32_t limit)
{
	Walletwire__V1__PresenceFriendsRequest request =
	    WALLETWIRE__V1__PRESENCE_FRIENDS_REQUEST__INIT;
	const Walletwire__V1__PresenceFriendsReply *reply;
	const char *code;

	request.caller = caller(world, user);
	request.after = copy(world, after);
	request.limit = limit;
	reply = world_ask(world, "ww.svc.presence.friends", &request.base,
	    &walletwire__v1__presence_friends_reply__descriptor, &code);
	ck_assert_str_eq(code, "ok");
	return reply;
}

void world_hide(struct world *world, const char *user, bool visible)
{
	Walletwire__V1__PresencePrivacyRequest request =
	    WALLETWIRE__V1__PRESENCE_PRIVACY_REQUEST__INIT;
	const Walletwire__V1__PresencePrivacyReply *reply;
	const char *code;

	request.caller = caller(world, user);
	request.choice_case = WALLETWIRE__V1__PRESENCE_PRIVACY_REQUEST__CHOICE_VISIBLE;
	request.visible = visible;
	reply = world_ask(world, "ww.svc.presence.privacy", &request.base,
	    &walletwire__v1__presence_privacy_reply__descriptor, &code);
	ck_assert_str_eq(code, "ok");
	ck_assert_int_eq(reply->visible, visible);
}

const Walletwire__V1__ExportReply *world_export(
    struct world *world, const char *user, const char *after)
{
	Walletwire__V1__ExportRequest request = WALLETWIRE__V1__EXPORT_REQUEST__INIT;
	const Walletwire__V1__ExportReply *reply;
	const char *code;

	request.user_id = copy(world, user);
	request.after = copy(world, after);
	reply = world_ask(world, "ww.backend.presence.export", &request.base,
	    &walletwire__v1__export_reply__descriptor, &code);
	ck_assert_str_eq(code, "ok");
	return reply;
}

const Walletwire__V1__EraseCounts *world_erase(struct world *world, const char *user)
{
	Walletwire__V1__EraseRequest request = WALLETWIRE__V1__ERASE_REQUEST__INIT;
	const Walletwire__V1__EraseReply *reply;
	const char *code;

	request.user_id = copy(world, user);
	reply = world_ask(world, "ww.backend.presence.erase", &request.base,
	    &walletwire__v1__erase_reply__descriptor, &code);
	ck_assert_str_eq(code, "ok");
	ck_assert(!reply->more);
	return reply->erased;
}

/* --- edges --- */

/* The lock is held. */
static void report(struct world_edge *edge, Walletwire__V1__PresenceReport *report)
{
	struct world *world = edge->world;
	struct err err = ERR_INIT;
	char subject[64];

	report->edge = edge->id;
	report->number = edge->number;
	(void)snprintf(subject, sizeof(subject), "ww.presence.report.%s", edge->id);
	/* Like an edge: what can't be sent is missed, and asked for. */
	if (bus_publish(world->edge, subject, message_pack(&report->base, &world->arena), &err))
		return;
}

static void tell_all(struct world_edge *edge, bool wants_friends)
{
	Walletwire__V1__PresenceReport whole = WALLETWIRE__V1__PRESENCE_REPORT__INIT;
	Walletwire__V1__PresenceReportUser **users =
	    arena_alloc(&edge->world->arena, WORLD_USERS_MAX * sizeof(*users));

	for (size_t i = 0; i < edge->users_len; i++) {
		users[i] = &edge->users[i];
		users[i]->wants_friends |= wants_friends;
	}
	edge->number++;
	whole.whole = whole.first = whole.last = true;
	whole.users = users;
	whole.n_users = edge->users_len;
	report(edge, &whole);
	for (size_t i = 0; i < edge->users_len; i++)
		users[i]->wants_friends = false;
}

void edge_tell_all(struct world_edge *edge)
{
	(void)pthread_mutex_lock(&edge->world->lock);
	tell_all(edge, /* wants_friends= */ false);
	(void)pthread_mutex_unlock(&edge->world->lock);
}

void edge_lose_report(struct world_edge *edge)
{
	(void)pthread_mutex_lock(&edge->world->lock);
	edge->number++;
	(void)pthread_mutex_unlock(&edge->world->lock);
}

static Walletwire__V1__PresenceReportUser *find_user(struct world_edge *edge, const char *user)
{
	Walletwire__V1__PresenceReportUser *added;

	for (size_t i = 0; i < edge->users_len; i++) {
		if (strcmp(edge->users[i].user_id, user) == 0)
			return &edge->users[i];
	}
	ck_assert_uint_lt(edge->users_len, WORLD_USERS_MAX);
	added = &edge->users[edge->users_len++];
	walletwire__v1__presence_report_user__init(added);
	added->user_id = arena_strdup(&edge->world->arena, user);
	return added;
}

static void say(struct world_edge *edge, const char *user, uint32_t sockets, PresenceStatus status,
    bool wants_friends)
{
	Walletwire__V1__PresenceReport changes = WALLETWIRE__V1__PRESENCE_REPORT__INIT;
	Walletwire__V1__PresenceReportUser *said;

	(void)pthread_mutex_lock(&edge->world->lock);
	said = find_user(edge, user);
	said->sockets = sockets;
	said->status = status;
	said->wants_friends = wants_friends;
	changes.users = &said;
	changes.n_users = 1;
	edge->number++;
	report(edge, &changes);
	said->wants_friends = false;
	if (sockets == 0)
		*said = edge->users[--edge->users_len];
	(void)pthread_mutex_unlock(&edge->world->lock);
}

void edge_say(struct world_edge *edge, const char *user, uint32_t sockets, PresenceStatus status)
{
	say(edge, user, sockets, status, /* wants_friends= */ false);
}

void edge_wish(struct world_edge *edge, const char *user)
{
	say(edge, user, 1, PRESENCE(ONLINE), /* wants_friends= */ true);
}

void edge_heartbeat(struct world_edge *edge)
{
	Walletwire__V1__PresenceReport heartbeat = WALLETWIRE__V1__PRESENCE_REPORT__INIT;

	(void)pthread_mutex_lock(&edge->world->lock);
	report(edge, &heartbeat);
	(void)pthread_mutex_unlock(&edge->world->lock);
}

/* What a batch makes of what was shown before it. */
static PresenceStatus shown_after(
    const Batch *batch, const char *watcher, const char *user, PresenceStatus status)
{
	for (size_t i = 0; i < batch->n_friends; i++) {
		const Walletwire__V1__PresenceFriends *list = batch->friends[i];

		if (strcmp(list->user_id, watcher) != 0)
			continue;
		status = PRESENCE(OFFLINE);
		for (size_t j = 0; j < list->n_users; j++) {
			if (strcmp(list->users[j]->user_id, user) == 0)
				status = list->users[j]->status;
		}
	}
	for (size_t i = 0; i < batch->n_changes; i++) {
		const Walletwire__V1__PresenceChange *change = batch->changes[i];

		for (size_t j = 0; j < change->n_watchers; j++) {
			if (strcmp(change->watchers[j], watcher) == 0 &&
			    strcmp(change->update->user_id, user) == 0)
				status = change->update->status;
		}
	}
	return status;
}

PresenceStatus edge_shows(struct world_edge *edge, const char *watcher, const char *user)
{
	PresenceStatus status = PRESENCE(UNSPECIFIED);

	(void)pthread_mutex_lock(&edge->world->lock);
	for (size_t i = 0; i < edge->len; i++)
		status = shown_after(edge->batches[i], watcher, user, status);
	(void)pthread_mutex_unlock(&edge->world->lock);
	return status;
}

struct wanted_status {
	struct world_edge *edge;
	const char *watcher, *user;
	PresenceStatus status;
};

static bool is_shown(void *arg)
{
	const struct wanted_status *wanted = arg;

	return edge_shows(wanted->edge, wanted->watcher, wanted->user) == wanted->status;
}

void edge_wait_shows(
    struct world_edge *edge, const char *watcher, const char *user, PresenceStatus status)
{
	struct wanted_status wanted = { edge, watcher, user, status };

	ck_assert_msg(support_wait(is_shown, &wanted, WORLD_WAIT_MS), "%s sees %s as %d, not as %d",
	    watcher, user, (int)edge_shows(edge, watcher, user), (int)status);
}

void edge_mark(struct world_edge *edge)
{
	(void)pthread_mutex_lock(&edge->world->lock);
	edge->marked = edge->len;
	(void)pthread_mutex_unlock(&edge->world->lock);
}

size_t edge_changes(struct world_edge *edge, const char *user)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&edge->world->lock);
	for (size_t i = edge->marked; i < edge->len; i++) {
		for (size_t j = 0; j < edge->batches[i]->n_changes; j++)
			n += strcmp(edge->batches[i]->changes[j]->update->user_id, user) == 0;
	}
	(void)pthread_mutex_unlock(&edge->world->lock);
	return n;
}

struct wanted_list {
	struct world_edge *edge;
	const char *user;
};

size_t edge_lists(struct world_edge *edge, const char *user)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&edge->world->lock);
	for (size_t i = edge->marked; i < edge->len; i++) {
		for (size_t j = 0; j < edge->batches[i]->n_friends; j++)
			n += strcmp(edge->batches[i]->friends[j]->user_id, user) == 0;
	}
	(void)pthread_mutex_unlock(&edge->world->lock);
	return n;
}

static bool has_list(void *arg)
{
	const struct wanted_list *wanted = arg;

	return edge_lists(wanted->edge, wanted->user) > 0;
}

void edge_wait_list(struct world_edge *edge, const char *user)
{
	struct wanted_list wanted = { edge, user };

	ck_assert_msg(support_wait(has_list, &wanted, WORLD_WAIT_MS), "no list for %s", user);
}

static bool has_change(void *arg)
{
	const struct wanted_list *wanted = arg;

	return edge_changes(wanted->edge, wanted->user) > 0;
}

void edge_wait_changes(struct world_edge *edge, const char *user)
{
	struct wanted_list wanted = { edge, user };

	ck_assert_msg(support_wait(has_change, &wanted, WORLD_WAIT_MS), "no change of %s", user);
}

static bool is_heartbeat(const Batch *batch)
{
	return batch->n_friends + batch->n_changes + batch->n_excess == 0;
}

uint64_t edge_generation(struct world_edge *edge)
{
	uint64_t generation;

	(void)pthread_mutex_lock(&edge->world->lock);
	generation = edge->len > 0 ? edge->batches[edge->len - 1]->generation : 0;
	(void)pthread_mutex_unlock(&edge->world->lock);
	return generation;
}

uint64_t edge_check_numbers(struct world_edge *edge)
{
	uint64_t generation = 0, number = 0;

	(void)pthread_mutex_lock(&edge->world->lock);
	for (size_t i = 0; i < edge->len; i++) {
		const Batch *batch = edge->batches[i];

		ck_assert_uint_ge(batch->generation, generation);
		if (batch->generation > generation)
			ck_assert_uint_eq(batch->number, 1);
		else
			ck_assert_uint_eq(batch->number, number + !is_heartbeat(batch));
		generation = batch->generation;
		number = batch->number;
	}
	(void)pthread_mutex_unlock(&edge->world->lock);
	return generation;
}
