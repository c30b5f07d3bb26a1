/*
 * bench_balances: from "a back end publishes a completed movement" to "the client has the balance
 * after it", which the notification service asks the back end for.
 *
 * The bench is the bank too: it answers ww.backend.notifications.balance_get at once. A user's
 * balance is the number of movements so far, so a balance at the socket tells which movements it
 * covers. Movements go to random users at a fixed rate, and are measured from when they were due.
 * Start it through `./dev bench balances`.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"
#include "walletwire/v1/notifications.pb-c.h"

#define BALANCE_GET "ww.backend.notifications.balance_get"
#define BALANCE_KEY "\"available_balance\":"

enum {
	SCALE = 2,
	UNITS_PER_MOVEMENT = 100, /* one whole piece of the currency */
	GIVE_UP_MS = 10000,
	REPLY_MAX = 256,
};

struct user {
	_Atomic int64_t moved;
	int64_t shown;
	size_t first, last; /* movements that are not shown, if any; chained by `next` */
};

struct bench {
	const char *keys_dir;
	char *token;
	char run[ID_SIZE];
	struct bus *bank;
	struct user *users;
	size_t users_len;
	_Atomic size_t asked;
	int64_t *due_us, *latencies_us;
	size_t *next;
	size_t sent, shown, expected, updates;
};

static void user_id(const struct bench *bench, size_t index, char ret[static 64])
{
	(void)snprintf(ret, 64, "bal-%s-%zu", bench->run, index);
}

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;
	char user[64];

	user_id(bench, index, user);
	return bench_lend_token(&bench->token, bench->keys_dir, "%s", user);
}

/* --- the bank; on the bus's thread --- */

static struct user *find_user(struct bench *bench, const char *id)
{
	const char *dash = strrchr(id, '-');
	size_t index = dash ? strtoul(dash + 1, NULL, 10) : bench->users_len;

	return index < bench->users_len ? &bench->users[index] : NULL;
}

static void answer(struct bench *bench, const struct user *user, struct bus_msg *question)
{
	Walletwire__V1__BalanceGetReply reply = WALLETWIRE__V1__BALANCE_GET_REPLY__INIT;
	Walletwire__V1__BalanceEvent wallet = WALLETWIRE__V1__BALANCE_EVENT__INIT;
	Walletwire__V1__BalanceEvent *wallets[] = { &wallet };
	Walletwire__V1__Decimal available = WALLETWIRE__V1__DECIMAL__INIT,
				pending = WALLETWIRE__V1__DECIMAL__INIT;
	uint8_t packed[REPLY_MAX];
	struct err err = ERR_INIT;

	available.units = user->moved * UNITS_PER_MOVEMENT;
	available.scale = pending.scale = SCALE;
	wallet.wallet_id = (char[]){ "main" };
	wallet.available_balance = &available;
	wallet.pending_balance = &pending;
	wallet.currency = (char[]){ "EUR" };
	wallet.version = (uint64_t)user->moved + 1;
	reply.wallets = wallets;
	reply.n_wallets = 1;
	bench_must(
	    bus_respond(bench->bank, bus_msg_reply(question),
		bytes_of(packed, walletwire__v1__balance_get_reply__pack(&reply, packed)), &err),
	    &err);
}

static void on_question(void *arg, struct bus_msg *msg)
{
	struct bench *bench = arg;
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__BalanceGetRequest *request =
	    walletwire__v1__balance_get_request__unpack(NULL, data.len, data.data);
	const struct user *user = request ? find_user(bench, request->user_id) : NULL;

	bench->asked++;
	if (user)
		answer(bench, user, msg);
	walletwire__v1__balance_get_request__free_unpacked(request, NULL);
}

/* --- the wallets' owners --- */

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	struct user *user = &bench->users[socket->index];
	const char *at = memmem(packet.data, packet.len, BALANCE_KEY, strlen(BALANCE_KEY));
	int64_t moved = at ? strtoll(at + strlen(BALANCE_KEY), NULL, 10) : 0;
	int64_t now = clock_mono_us();

	bench->updates += at != NULL;
	for (; user->shown < moved; user->shown++) {
		bench->latencies_us[bench->shown++] = now - bench->due_us[user->first];
		user->first = bench->next[user->first];
	}
}

static void move(struct bench *bench, struct bus *bus, int64_t due)
{
	size_t index = random_below(bench->users_len);
	struct user *user = &bench->users[index];
	char id[64];
	char *list[] = { id };
	struct bench_event event = { .run = bench->run,
		.number = bench->sent,
		.due_us = due,
		.users = list,
		.users_len = 1 };

	user_id(bench, index, id);
	bench->due_us[bench->sent] = due;
	if (user->shown == user->moved)
		user->first = bench->sent;
	else
		bench->next[user->last] = bench->sent;
	user->last = bench->sent++;
	user->moved++; /* the bank knows before it tells */
	bench_publish(bus, &event);
}

static void run(struct bench *bench, struct bench_pool *pool, struct bus *bus, int rate)
{
	int64_t start = clock_mono_us() + 100000, give_up;

	while (bench->sent < bench->expected && !pool->failed) {
		int64_t due = start + (int64_t)bench->sent * 1000000 / rate;

		if (clock_mono_us() >= due)
			move(bench, bus, due);
		bench_pool_poll(pool, clock_mono_us() >= due ? 0 : 1);
	}
	give_up = clock_mono_ms() + GIVE_UP_MS;
	while (bench->shown < bench->expected && clock_mono_ms() < give_up && !pool->failed)
		bench_pool_poll(pool, 10);
}

static void init(struct bench *bench, size_t users, size_t movements)
{
	id_random(bench->run);
	bench->users_len = users;
	bench->expected = movements;
	bench->users = xcalloc(users, sizeof(*bench->users));
	bench->next = xcalloc(movements, sizeof(*bench->next));
	bench->due_us = xcalloc(movements, sizeof(*bench->due_us));
	bench->latencies_us = xcalloc(movements, sizeof(*bench->latencies_us));
}

static void finish(struct bench *bench)
{
	free(bench->users);
	free(bench->next);
	free(bench->due_us);
	free(bench->latencies_us);
	free(bench->token);
}

static void print(struct bench *bench, int rate)
{
	(void)printf("{\"rate\":%d,\"users\":%zu,\"movements\":%zu,\"shown\":%zu,\"questions\":%zu,"
		     "\"updates\":%zu,",
	    rate, bench->users_len, bench->sent, bench->shown, bench->asked, bench->updates);
	bench_sort(bench->latencies_us, bench->shown);
	bench_print_latencies(bench->latencies_us, bench->shown);
	(void)printf("}\n");
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bench_pool pool;
	struct bus_sub *sub;
	struct bus *bus;
	struct err err = ERR_INIT;
	int rate;

	if (argc != 8) {
		(void)fprintf(stderr,
		    "usage: bench_balances PORT KEYS_DIR NATS_URL PASSWORD USERS RATE SECONDS\n");
		return 2;
	}
	bench.keys_dir = argv[2];
	rate = (int)strtol(argv[6], NULL, 10);
	init(&bench, strtoul(argv[5], NULL, 10), (size_t)rate * strtoul(argv[7], NULL, 10));
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), bench.users_len);
	pool.token = token_of;
	pool.on_packet = on_packet;
	pool.arg = &bench;
	bench.bank = bench_bus(argv[3], "backend", argv[4]);
	bus = bench_bus(argv[3], "backend", argv[4]);
	bench_must(
	    bus_subscribe(bench.bank, BALANCE_GET, "bank", on_question, &bench, &sub, &err), &err);
	if (!bench_pool_connect(&pool, 50, 60000))
		return EXIT_FAILURE;
	run(&bench, &pool, bus, rate);
	bus_publish_wait(bus);
	print(&bench, rate);
	bus_close(bus);
	bus_unsubscribe(sub);
	bus_close(bench.bank);
	bench_pool_finish(&pool);
	finish(&bench);
	return bench.shown == bench.expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
