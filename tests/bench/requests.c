/*
 * bench_requests: how long a service takes to answer edges about random users among user-0 to
 * user-<USERS - 1>, one request at a time: of notifications `open`, `list` and `heads`, of chat
 * `rooms`, and `history` of room-<n> for user-<n>. Start it through `./dev bench growth`,
 * `announce` or `history`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "report.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { HEADS_USERS = 500, HISTORY_LIMIT = 100, TIMEOUT_MS = 10000 };

struct bench {
	struct bus *bus;
	size_t users;
	struct arena arena;
};

static char *random_user(struct bench *bench)
{
	return arena_printf(&bench->arena, "user-%zu", (size_t)random_below(bench->users));
}

static Walletwire__V1__Caller *caller(struct bench *bench)
{
	Walletwire__V1__Caller *caller =
	    message_new(&walletwire__v1__caller__descriptor, &bench->arena);

	caller->user_id = random_user(bench);
	return caller;
}

static ProtobufCMessage *make_open(struct bench *bench)
{
	Walletwire__V1__OpenRequest *in =
	    message_new(&walletwire__v1__open_request__descriptor, &bench->arena);

	in->caller = caller(bench);
	return &in->base;
}

static ProtobufCMessage *make_list(struct bench *bench)
{
	Walletwire__V1__ListRequest *in =
	    message_new(&walletwire__v1__list_request__descriptor, &bench->arena);

	in->caller = caller(bench);
	return &in->base;
}

static ProtobufCMessage *make_heads(struct bench *bench)
{
	Walletwire__V1__HeadsRequest *in =
	    message_new(&walletwire__v1__heads_request__descriptor, &bench->arena);

	in->user_ids = arena_alloc(&bench->arena, HEADS_USERS * sizeof(char *));
	for (in->n_user_ids = 0; in->n_user_ids < HEADS_USERS; in->n_user_ids++)
		in->user_ids[in->n_user_ids] = random_user(bench);
	return &in->base;
}

static ProtobufCMessage *make_rooms(struct bench *bench)
{
	Walletwire__V1__ChatRoomsRequest *in =
	    message_new(&walletwire__v1__chat_rooms_request__descriptor, &bench->arena);

	in->caller = caller(bench);
	return &in->base;
}

static ProtobufCMessage *make_history(struct bench *bench)
{
	Walletwire__V1__ChatHistoryRequest *in =
	    message_new(&walletwire__v1__chat_history_request__descriptor, &bench->arena);

	in->caller = caller(bench);
	in->of_case = WALLETWIRE__V1__CHAT_HISTORY_REQUEST__OF_ROOM_ID;
	in->room_id = arena_printf(&bench->arena, "room-%s", strchr(in->caller->user_id, '-') + 1);
	in->limit = HISTORY_LIMIT;
	return &in->base;
}

static const struct verb {
	const char *service, *name;
	ProtobufCMessage *(*make)(struct bench *bench);
	const ProtobufCMessageDescriptor *reply;
} verbs[] = {
	{ "notifications", "open", make_open, &walletwire__v1__open_reply__descriptor },
	{ "notifications", "list", make_list, &walletwire__v1__list_reply__descriptor },
	{ "notifications", "heads", make_heads, &walletwire__v1__heads_reply__descriptor },
	{ "chat", "rooms", make_rooms, &walletwire__v1__chat_rooms_reply__descriptor },
	{ "chat", "history", make_history, &walletwire__v1__chat_history_reply__descriptor },
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* All replies have it as their first field. */
static void must_be_well(const struct verb *verb, struct bytes data)
{
	Walletwire__V1__HeadsReply *reply = (Walletwire__V1__HeadsReply *)protobuf_c_message_unpack(
	    verb->reply, NULL, data.len, data.data);

	if (!reply || reply->error) {
		(void)fprintf(stderr, "%s: %s\n", verb->name,
		    reply ? reply->error->message : "the reply can't be read");
		exit(EXIT_FAILURE);
	}
	protobuf_c_message_free_unpacked(&reply->base, NULL);
}

static int64_t ask(struct bench *bench, const struct verb *verb)
{
	struct bytes request;
	struct bus_msg *reply = NULL;
	struct err err = ERR_INIT;
	const char *subject;
	int64_t start;

	arena_reset(&bench->arena);
	subject = arena_printf(&bench->arena, "ww.svc.%s.%s", verb->service, verb->name);
	request = message_pack(verb->make(bench), &bench->arena);
	start = clock_mono_us();
	bench_must(bus_request(bench->bus, subject, request, TIMEOUT_MS, &reply, &err), &err);
	start = clock_mono_us() - start;
	must_be_well(verb, bus_msg_data(reply));
	bus_msg_unref(reply);
	return start;
}

static void measure(struct bench *bench, const struct verb *verb, int64_t *us, size_t count)
{
	for (size_t i = 0; i < count; i++)
		us[i] = ask(bench, verb);
	bench_sort(us, count);
	(void)printf("\"%s\":{", verb->name);
	bench_print_latencies(us, count);
	(void)printf("}");
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	const char *comma = "";
	int64_t *us;
	size_t count;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: bench_requests NATS_URL EDGE_PASSWORD"
				      " notifications|chat USERS COUNT\n");
		return 2;
	}
	bench.bus = bench_bus(argv[1], "edge", argv[2]);
	bench.users = strtoul(argv[4], NULL, 10);
	count = strtoul(argv[5], NULL, 10);
	arena_init(&bench.arena, SIZE_MAX);
	us = xcalloc(count, sizeof(*us));
	(void)printf("{");
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].service, argv[3]) != 0)
			continue;
		(void)printf("%s", comma);
		measure(&bench, &verbs[i], us, count);
		comma = ",";
	}
	(void)printf("}\n");
	free(us);
	arena_finish(&bench.arena);
	bus_close(bench.bus);
	return EXIT_SUCCESS;
}
