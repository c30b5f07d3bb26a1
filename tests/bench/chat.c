/*
 * bench_chat: how many messages a second reach every member of a room, and how soon.
 *
 * ROOMS rooms of MEMBERS members, nobody in two, each with a Socket.IO socket at one of two edges.
 * First messages are sent as fast as they are shown: IN_FLIGHT of them are on their way at any
 * time, over all rooms and members in turn. Then half as many a second at a steady pace: each is
 * timed from when it was due to when each member's socket, the sender's too, has it. Everybody must
 * see every message of the room once, by its numbers. Start it through `./dev bench chat`.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"
#include "usage.h"

enum { SIDES = 2 /* edges */, IN_FLIGHT = 64, GIVE_UP_MS = 20000, ID_MAX = 64 };

struct samples {
	int64_t *us;
	size_t len, room;
};

struct message {
	int64_t due_us;
	uint32_t left; /* members who do not have it yet */
};

struct bench {
	struct side {
		struct bench *bench;
		size_t index;
		struct bench_pool pool;
	} sides[SIDES];
	const char *keys_dir;
	char *token;
	size_t members, rooms, seconds;
	struct room {
		char id[ID_MAX];
		size_t said; /* who says the next one */
	} * at;
	size_t created;
	uint64_t *seqs; /* the last one that each user was shown */
	struct message *messages;
	size_t sent, done, messages_room;
	size_t refused, disordered;
	struct samples shown, answered; /* of what was sent last */
};

static size_t user_of(const struct side *side, const struct bench_socket *socket)
{
	return socket->index * SIDES + side->index;
}

static void user_name(size_t user, char ret_name[static ID_MAX])
{
	(void)snprintf(ret_name, ID_MAX, "talker-%zu", user);
}

static void send_as(struct bench *bench, size_t user, const struct buf *packet)
{
	struct bench_pool *pool = &bench->sides[user % SIDES].pool;

	bench_socket_send(pool, &pool->sockets[user / SIDES], buf_bytes(packet));
}

static const char *token_of(void *arg, size_t index)
{
	const struct side *side = arg;
	struct bench *bench = side->bench;
	char name[ID_MAX];

	user_name(index * SIDES + side->index, name);
	return bench_lend_token(&bench->token, bench->keys_dir, "%s", name);
}

/* --- what comes --- */

static void add_sample(struct samples *samples, int64_t us)
{
	if (samples->len == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 4096;
		samples->us = xrealloc(samples->us, samples->room * sizeof(*samples->us));
	}
	samples->us[samples->len++] = us;
}

static const char *after(struct bytes packet, const char *text)
{
	const char *at = memmem(packet.data, packet.len, text, strlen(text));

	return at ? at + strlen(text) : NULL;
}

static void on_created(struct bench *bench, struct room *room, const char *id)
{
	size_t len = strcspn(id, "\"");

	if (len >= ID_MAX)
		abort();
	memcpy(room->id, id, len);
	bench->created++;
}

static void on_answer(struct bench *bench, size_t user, struct bytes packet)
{
	struct room *room = &bench->at[user / bench->members];
	size_t number = strtoul((const char *)packet.data + 1, NULL, 10);
	const char *id = after(packet, "\"room\":{\"id\":\"");

	if (!after(packet, "\"ok\":true")) {
		if (bench->refused++ == 0)
			(void)fprintf(stderr, "%.*s\n", (int)packet.len, (const char *)packet.data);
	} else if (!room->id[0] && id) {
		on_created(bench, room, id);
	} else if (number < bench->sent) {
		add_sample(&bench->answered, clock_mono_us() - bench->messages[number].due_us);
	}
}

static void on_shown(struct bench *bench, size_t user, struct bytes packet)
{
	const char *seq = after(packet, "\"seq\":");
	struct message *message;
	size_t number;
	int64_t due_us;

	if (!seq || !bench_read_due(packet, &number, &due_us) || number >= bench->sent)
		return;
	message = &bench->messages[number];
	bench->disordered += strtoull(seq, NULL, 10) != ++bench->seqs[user];
	if (message->left == 0) {
		bench->disordered++;
		return;
	}
	add_sample(&bench->shown, clock_mono_us() - message->due_us);
	bench->done += --message->left == 0;
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	static const char shown[] = "2[\"chat:message\"";
	const struct side *side = arg;
	size_t user = user_of(side, socket);

	if (packet.len > 1 && packet.data[0] == '3')
		on_answer(side->bench, user, packet);
	else if (packet.len > sizeof(shown) && memcmp(packet.data, shown, sizeof(shown) - 1) == 0)
		on_shown(side->bench, user, packet);
}

/* --- what goes --- */

static bool has_failed(const struct bench *bench)
{
	return bench->refused > 0 || bench->sides[0].pool.failed > 0 ||
	       bench->sides[1].pool.failed > 0;
}

/* Whatever has come for either pool, waiting for at most timeout_ms. */
static void serve(struct bench *bench, int timeout_ms)
{
	struct pollfd fds[SIDES];

	for (size_t i = 0; i < SIDES; i++)
		fds[i] = (struct pollfd){ .fd = bench->sides[i].pool.epoll, .events = POLLIN };
	(void)poll(fds, SIDES, timeout_ms);
	for (size_t i = 0; i < SIDES; i++) {
		if (fds[i].revents)
			bench_pool_poll(&bench->sides[i].pool, 0);
	}
}

/* Until *count is `wanted`; false if nothing happens for long. */
static bool serve_until(struct bench *bench, const size_t *count, size_t wanted)
{
	int64_t give_up = clock_mono_ms() + GIVE_UP_MS;
	size_t last = *count;

	while (*count < wanted && !has_failed(bench) && clock_mono_ms() < give_up) {
		serve(bench, 100);
		if (*count != last)
			give_up = clock_mono_ms() + GIVE_UP_MS;
		last = *count;
	}
	return *count >= wanted;
}

static bool create_rooms(struct bench *bench)
{
	struct buf packet = BUF_INIT;
	char name[ID_MAX];

	for (size_t r = 0; r < bench->rooms; r++) {
		size_t first = r * bench->members;

		packet.len = 0;
		buf_append_str(&packet,
		    "21[\"chat:create\",{\"type\":\"group\",\"name\":\"Bench\",\"members\":[");
		for (size_t i = 1; i < bench->members; i++) {
			user_name(first + i, name);
			buf_appendf(&packet, "%s\"%s\"", i > 1 ? "," : "", name);
		}
		buf_append_str(&packet, "]}]");
		send_as(bench, first, &packet);
	}
	buf_finish(&packet);
	return serve_until(bench, &bench->created, bench->rooms);
}

static void say(struct bench *bench, int64_t due_us)
{
	struct buf packet = BUF_INIT;
	size_t number = bench->sent++, r = number % bench->rooms;
	struct room *room = &bench->at[r];

	if (number == bench->messages_room) {
		bench->messages_room = number ? 2 * number : 4096;
		bench->messages =
		    xrealloc(bench->messages, bench->messages_room * sizeof(*bench->messages));
	}
	bench->messages[number] =
	    (struct message){ .due_us = due_us, .left = (uint32_t)bench->members };
	buf_appendf(&packet,
	    "2%zu[\"chat:send\",{\"roomId\":\"%s\",\"text\":\"due %zu "
	    "%lld\",\"clientId\":\"%zu\"}]",
	    number, room->id, number, (long long)due_us, number);
	send_as(bench, r * bench->members + room->said++ % bench->members, &packet);
	buf_finish(&packet);
}

/* Whatever was counted before does not count. */
static void begin(struct bench *bench)
{
	bench->shown.len = bench->answered.len = 0;
}

/* Returns how many were shown to all a second. */
static double go_fast(struct bench *bench)
{
	int64_t start = clock_mono_us(), end = start + (int64_t)bench->seconds * 1000000;
	size_t before = bench->done;

	begin(bench);
	while (clock_mono_us() < end && !has_failed(bench)) {
		while (bench->sent - bench->done < IN_FLIGHT)
			say(bench, clock_mono_us());
		serve(bench, 10);
	}
	return (double)(bench->done - before) * 1e6 / (double)(clock_mono_us() - start);
}

static void go_steadily(struct bench *bench, double per_second)
{
	size_t total = (size_t)(per_second * (double)bench->seconds);
	int64_t start = clock_mono_us();

	begin(bench);
	for (size_t n = 0; n < total && !has_failed(bench);) {
		int64_t due = start + (int64_t)((double)n * 1e6 / per_second);

		if (clock_mono_us() >= due) {
			say(bench, due);
			n++;
		}
		serve(bench, clock_mono_us() >= due ? 0 : 1);
	}
}

static void print_latencies(const char *key, struct samples *samples)
{
	bench_sort(samples->us, samples->len);
	(void)printf(",\"%s\":{", key);
	bench_print_latencies(samples->us, samples->len);
	(void)printf("}");
}

static bool measure(struct bench *bench, struct bench_usage *usage)
{
	double per_second;
	bool whole;

	bench_usage_mark(usage);
	per_second = go_fast(bench);
	whole = serve_until(bench, &bench->done, bench->sent);
	bench_usage_read(usage);
	(void)printf("{\"members\":%zu,\"rooms\":%zu,\"sockets\":%zu,\"messages\":%zu,"
		     "\"perSecond\":%.0f,\"shownPerSecond\":%.0f,",
	    bench->members, bench->rooms, bench->members * bench->rooms, bench->done, per_second,
	    per_second * (double)bench->members);
	bench_usage_print(usage, bench->done);
	if (!whole)
		return false;
	go_steadily(bench, per_second / 2);
	whole = serve_until(bench, &bench->done, bench->sent);
	(void)printf(",\"pacedPerSecond\":%.0f", per_second / 2);
	print_latencies("shown", &bench->shown);
	print_latencies("answered", &bench->answered);
	return whole;
}

static bool connect_all(struct bench *bench)
{
	for (size_t i = 0; i < SIDES; i++) {
		if (!bench_pool_connect(&bench->sides[i].pool, 50, 60000))
			return false;
	}
	return true;
}

static void init(struct bench *bench, char **argv)
{
	size_t users;

	*bench = (struct bench){ .keys_dir = argv[3],
		.members = strtoul(argv[4], NULL, 10),
		.rooms = strtoul(argv[5], NULL, 10),
		.seconds = strtoul(argv[6], NULL, 10) };
	users = bench->members * bench->rooms;
	bench->at = xcalloc(bench->rooms, sizeof(*bench->at));
	bench->seqs = xcalloc(users, sizeof(*bench->seqs));
	for (size_t i = 0; i < SIDES; i++) {
		struct side *side = &bench->sides[i];

		side->bench = bench;
		side->index = i;
		bench_pool_init(&side->pool, (int)strtol(argv[1 + i], NULL, 10),
		    (users + SIDES - 1 - i) / SIDES);
		side->pool.token = token_of;
		side->pool.on_packet = on_packet;
		side->pool.arg = side;
	}
}

static void finish(struct bench *bench)
{
	for (size_t i = 0; i < SIDES; i++)
		bench_pool_finish(&bench->sides[i].pool);
	free(bench->token);
	free(bench->at);
	free(bench->seqs);
	free(bench->messages);
	free(bench->shown.us);
	free(bench->answered.us);
}

int main(int argc, char **argv)
{
	struct bench_usage usage;
	struct bench bench;
	bool ok;

	if (argc != 8) {
		(void)fprintf(stderr, "usage: bench_chat PORT PORT KEYS_DIR MEMBERS ROOMS SECONDS "
				      "NAME=PID,...\n");
		return 2;
	}
	init(&bench, argv);
	bench_usage_init(&usage, argv[7]);
	ok = connect_all(&bench) && create_rooms(&bench) && measure(&bench, &usage);
	(void)printf(
	    ",\"lost\":%zu,\"disordered\":%zu}\n", bench.sent - bench.done, bench.disordered);
	finish(&bench);
	return ok && bench.disordered == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
