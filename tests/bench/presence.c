/*
 * bench_presence: everybody comes online within a minute, one user with thousands of friends goes
 * away and comes back, and some thousands go and come.
 *
 * The first users have a Socket.IO socket each, in turn at two edges; the others are users of load
 * edges (load_edges.h). A change is timed at the sockets of friends, from when the client did it to
 * when the frame was read, with one clock in one process. At rest, before and after, what every
 * watcher believes is compared with what is so; a difference fails the run. Start it through
 * `./dev bench presence`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "crowd.h"
#include "report.h"
#include "usage.h"

enum {
	EACH = 20,     /* friends of everybody */
	FLIPS = 20,    /* of the star */
	FLIP_MS = 500, /* from one to the next */
	GIVE_UP_MS = 60000,
	SETTLE_MS = 10000, /* after the last word: lists that were lost are asked for again */
	IDLE_MS = 10000,
	CHURN_PER_S = 500,
	BACK_AFTER_MS = 5000, /* after friends were told that somebody has gone */
	FILES_SPARE = 200,
};

static const char *const kind_names[CROWD_KINDS] = {
	[CROWD_COMING] = "coming",
	[CROWD_STAR] = "star",
	[CROWD_SOCKET_HERE] = "socketHere",
	[CROWD_SOCKET_GONE] = "socketGone",
	[CROWD_LOAD_HERE] = "loadHere",
	[CROWD_LOAD_GONE] = "loadGone",
};

struct args {
	struct crowd_config crowd;
	int speaker_admin_port;
	const char *nats_url, *password, *dsn, *pids;
	size_t users, star, churn;
	int64_t coming_ms;
};

struct bench {
	struct args args;
	struct friends friends;
	struct crowd crowd;
	struct bench_usage usage;
	int64_t idle_us[BENCH_GROUPS_MAX]; /* of CPU, in IDLE_MS; zeros: not known yet */
	uint32_t *order;                   /* in which users come, and go */
	int64_t flip_last_us[FLIPS];
	size_t wrong;
};

/* --- what it says --- */

static long told_changes(const struct bench *bench)
{
	struct buf text = BUF_INIT;
	long changes;

	bench_scrape(bench->args.speaker_admin_port, &text);
	changes = bench_metric(&text, "ww_presence_changes_total");
	buf_finish(&text);
	return changes;
}

static void print_samples(struct bench *bench, enum crowd_kind kind)
{
	struct crowd_samples *samples = &bench->crowd.samples[kind];

	bench_sort(samples->us, samples->len);
	(void)printf(",\"%s\":{\"n\":%zu,", kind_names[kind], samples->len);
	bench_print_latencies(samples->us, samples->len);
	(void)printf("}");
}

static void print_messages(const struct load_counts *before, const struct load_counts *after)
{
	(void)printf(",\"messages\":%zu,\"messageKiB\":%zu,\"heartbeats\":%zu,\"lists\":%zu,"
		     "\"changesInMessages\":%zu,\"loadReports\":%zu",
	    after->batches - before->batches, (after->bytes - before->bytes) / 1024,
	    after->heartbeats - before->heartbeats, after->lists - before->lists,
	    after->changes - before->changes, after->reports - before->reports);
}

static void compare(struct bench *bench)
{
	struct friends_difference found = load_edges_compare(bench->crowd.load);

	(void)printf(",\"compared\":{\"watchers\":%zu,\"pairs\":%zu,\"wrong\":%zu}", found.watchers,
	    found.pairs, found.wrong);
	bench->wrong += found.wrong;
}

/* What a phase has cost, from begin to end. */
struct account {
	struct load_counts counts;
	size_t changes;
	long told;
	int64_t began_ms;
};

static struct account begin(struct bench *bench)
{
	struct account account = { .counts = load_edges_counts(bench->crowd.load),
		.changes = bench->crowd.changes,
		.told = told_changes(bench),
		.began_ms = clock_mono_ms() };

	bench_usage_mark(&bench->usage);
	return account;
}

/* Sockets are pinged and processes look around also while nobody changes. */
static void print_above_idle(const struct bench *bench, int64_t ms, size_t changes)
{
	struct bench_usage above = bench->usage;

	for (size_t i = 0; i < above.len; i++)
		above.at[i].cpu_us -= bench->idle_us[i] * ms / IDLE_MS;
	(void)printf(",");
	bench_usage_print_cpu(&above, "cpuMsPerThousandAboveIdle", (double)changes / 1000);
}

static void print_account(struct bench *bench, const struct account *account)
{
	int64_t ms = clock_mono_ms() - account->began_ms;
	struct load_counts counts = load_edges_counts(bench->crowd.load);
	size_t changes = bench->crowd.changes - account->changes;

	bench_usage_read(&bench->usage);
	(void)printf("{\"seconds\":%.1f,\"changes\":%zu,\"told\":%ld,\"messagesPerChange\":%.3f",
	    (double)ms / 1000, changes, told_changes(bench) - account->told,
	    (double)(counts.batches - account->counts.batches) / (double)changes);
	print_messages(&account->counts, &counts);
	(void)printf(",");
	bench_usage_print(&bench->usage, changes);
	if (bench->crowd.kind != CROWD_COMING)
		print_above_idle(bench, ms, changes);
}

/* --- the phases --- */

static bool all_come(struct bench *bench)
{
	struct account account = begin(bench);
	int64_t began_us = clock_mono_us(), give_up;
	size_t come_len = 0;

	while (come_len < bench->args.users && !crowd_has_failed(&bench->crowd)) {
		int64_t due = began_us + (int64_t)come_len * bench->args.coming_ms * 1000 /
					     (int64_t)bench->args.users;

		if (due <= clock_mono_us())
			crowd_come(&bench->crowd, bench->order[come_len++]);
		else
			crowd_serve(&bench->crowd);
	}
	give_up = clock_mono_ms() + GIVE_UP_MS;
	while (crowd_ready(&bench->crowd) < bench->args.crowd.sockets &&
	       !crowd_has_failed(&bench->crowd) && clock_mono_ms() < give_up)
		crowd_serve(&bench->crowd);
	crowd_serve_for(&bench->crowd, SETTLE_MS);
	(void)printf("\"online\":");
	print_account(bench, &account);
	print_samples(bench, CROWD_COMING);
	compare(bench);
	(void)printf("}");
	return crowd_ready(&bench->crowd) == bench->args.crowd.sockets;
}

static void rest(struct bench *bench)
{
	bench_usage_mark(&bench->usage);
	crowd_serve_for(&bench->crowd, IDLE_MS);
	bench_usage_read(&bench->usage);
	for (size_t i = 0; i < bench->usage.len; i++)
		bench->idle_us[i] = bench->usage.at[i].cpu_us;
	(void)printf(",\"idle\":{");
	bench_usage_print_cpu(&bench->usage, "cpuMsPerSecond", (double)IDLE_MS / 1000);
	(void)printf("}");
}

/* True when all friends have heard of it. */
static bool flip(struct bench *bench, size_t number)
{
	int64_t began_ms = clock_mono_ms();

	bench->crowd.star_heard = 0;
	crowd_say(&bench->crowd, 0, number % 2 ? PRESENCE(ONLINE) : PRESENCE(AWAY));
	while (bench->crowd.star_heard < bench->args.star && !crowd_has_failed(&bench->crowd) &&
	       clock_mono_ms() - began_ms < SETTLE_MS)
		crowd_serve(&bench->crowd);
	bench->flip_last_us[number] = clock_mono_us() - bench->crowd.changed_us[0];
	while (clock_mono_ms() - began_ms < FLIP_MS && !crowd_has_failed(&bench->crowd))
		crowd_serve(&bench->crowd);
	return bench->crowd.star_heard == bench->args.star;
}

/* One change, told to thousands. */
static bool flip_star(struct bench *bench)
{
	struct account account = begin(bench);
	bool ok = true;

	bench->crowd.kind = CROWD_STAR;
	for (size_t i = 0; i < FLIPS && ok; i++)
		ok = flip(bench, i);
	(void)printf(",\"star\":");
	print_account(bench, &account);
	print_samples(bench, CROWD_STAR);
	bench_sort(bench->flip_last_us, FLIPS);
	(void)printf(",\"lastFriend\":{\"p50ms\":%.2f,\"maxMs\":%.2f}}",
	    bench_percentile_ms(bench->flip_last_us, FLIPS, 0.5),
	    bench_percentile_ms(bench->flip_last_us, FLIPS, 1));
	return ok;
}

/* A third stays away from it all, a third comes back as away. */
enum fate { STAYS_GONE, IS_BACK, IS_BACK_AWAY, FATES };

static void come_back(struct bench *bench, size_t number)
{
	uint32_t user = bench->order[number];

	if (number % FATES == STAYS_GONE)
		return;
	if (number % FATES == IS_BACK_AWAY && !crowd_has_socket(&bench->crowd, user))
		crowd_say(&bench->crowd, user, PRESENCE(AWAY));
	else
		crowd_come(&bench->crowd, user);
}

/* Real ones have to be back before they can say so. */
static void be_away(struct bench *bench)
{
	for (size_t i = 0; i < bench->args.churn; i++) {
		uint32_t user = bench->order[i];

		if (i % FATES != IS_BACK_AWAY || !crowd_has_socket(&bench->crowd, user) ||
		    !crowd_is_ready(&bench->crowd, user))
			continue;
		crowd_say(&bench->crowd, user, PRESENCE(AWAY));
		if (i % 64 == 0)
			crowd_serve(&bench->crowd);
	}
}

static void churn(struct bench *bench)
{
	int64_t began_us = clock_mono_us();
	int64_t back_us = (bench->args.crowd.grace_ms + BACK_AFTER_MS) * 1000;
	size_t gone = 0, back = 0, churners = bench->args.churn;

	while (back < churners && !crowd_has_failed(&bench->crowd)) {
		int64_t now_us = clock_mono_us() - began_us;

		if (gone < churners && (int64_t)gone * 1000000 / CHURN_PER_S <= now_us)
			crowd_go(&bench->crowd, bench->order[gone++]);
		else if (back < gone && (int64_t)back * 1000000 / CHURN_PER_S + back_us <= now_us)
			come_back(bench, back++);
		else
			crowd_serve(&bench->crowd);
	}
}

static size_t expected_ready(const struct bench *bench)
{
	size_t n = bench->args.crowd.sockets;

	for (size_t i = 0; i < bench->args.churn; i += FATES)
		n -= crowd_has_socket(&bench->crowd, bench->order[i]);
	return n;
}

static bool go_and_come(struct bench *bench)
{
	struct account account = begin(bench);
	int64_t give_up;

	bench->crowd.kind = CROWD_KINDS;
	churn(bench);
	give_up = clock_mono_ms() + GIVE_UP_MS;
	while (crowd_ready(&bench->crowd) < expected_ready(bench) &&
	       !crowd_has_failed(&bench->crowd) && clock_mono_ms() < give_up)
		crowd_serve(&bench->crowd);
	be_away(bench);
	crowd_serve_for(&bench->crowd, SETTLE_MS);
	(void)printf(",\"churn\":");
	print_account(bench, &account);
	for (enum crowd_kind kind = CROWD_SOCKET_HERE; kind < CROWD_KINDS; kind++)
		print_samples(bench, kind);
	compare(bench);
	(void)printf("}");
	return crowd_ready(&bench->crowd) == expected_ready(bench);
}

/* --- life --- */

/* The star is first to come, and does not go. */
static void shuffle(struct bench *bench)
{
	size_t users = bench->args.users;

	bench->order = xcalloc(users, sizeof(*bench->order));
	for (uint32_t i = 0; i < users; i++)
		bench->order[i] = (i + 1) % (uint32_t)users;
	for (size_t i = users - 2; i > 0; i--) {
		size_t j = (size_t)random_below(i + 1);
		uint32_t user = bench->order[i];

		bench->order[i] = bench->order[j];
		bench->order[j] = user;
	}
}

static bool is_sensible(const struct args *args)
{
	size_t files = bench_raise_files();

	if (files < args->crowd.sockets + FILES_SPARE) {
		(void)fprintf(stderr,
		    "%zu open files are allowed here (ulimit -Hn), %zu sockets need more\n", files,
		    args->crowd.sockets);
		return false;
	}
	if (args->star + 1 > args->crowd.sockets || args->crowd.sockets > args->users ||
	    args->churn >= args->users || args->users < 10 * EACH) {
		(void)fprintf(stderr,
		    "the star's friends have sockets, users of sockets and of the churn are among "
		    "the users, of whom there are %d at least\n",
		    10 * EACH);
		return false;
	}
	return true;
}

static void prepare(struct bench *bench, struct bus *bus)
{
	const struct args *args = &bench->args;
	char *pids = xasprintf("%s,bench=%d", args->pids, getpid());

	friends_init(&bench->friends, args->users, args->star, EACH);
	friends_store(&bench->friends, args->dsn);
	shuffle(bench);
	crowd_init(&bench->crowd, &args->crowd, &bench->friends, bus);
	bench_usage_init(&bench->usage, pids);
	free(pids);
}

static bool run(struct bench *bench)
{
	struct load_counts counts;
	bool ok;

	(void)printf("{\"users\":%zu,\"sockets\":%zu,\"starFriends\":%zu,\"friendships\":%zu,",
	    bench->args.users, bench->args.crowd.sockets, bench->args.star,
	    bench->friends.pairs / 2);
	ok = all_come(bench);
	if (ok)
		rest(bench);
	ok = ok && flip_star(bench) && go_and_come(bench);
	counts = load_edges_counts(bench->crowd.load);
	(void)printf(",\"strangers\":%zu,\"gaps\":%zu,\"excess\":%zu,\"lost\":%zu}\n",
	    bench->friends.strangers, counts.gaps, counts.excess, bench->crowd.lost);
	return ok && !bench->wrong && !bench->friends.strangers && !counts.excess;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bus *bus;
	bool ok;

	if (argc != 15) {
		(void)fprintf(stderr,
		    "usage: bench_presence PORT PORT2 SPEAKER_ADMIN_PORT KEYS_DIR NATS_URL "
		    "PASSWORD DATABASE_URL NAME=PID,... USERS SOCKETS STAR CHURN COMING_SECONDS "
		    "GRACE_MS\n");
		return 2;
	}
	bench.args = (struct args){
		.crowd = { .ports = { atoi(argv[1]), atoi(argv[2]) },
		    .keys_dir = argv[4],
		    .sockets = strtoul(argv[10], NULL, 10),
		    .grace_ms = strtol(argv[14], NULL, 10) },
		.speaker_admin_port = atoi(argv[3]),
		.nats_url = argv[5],
		.password = argv[6],
		.dsn = argv[7],
		.pids = argv[8],
		.users = strtoul(argv[9], NULL, 10),
		.star = strtoul(argv[11], NULL, 10),
		.churn = strtoul(argv[12], NULL, 10),
		.coming_ms = 1000 * strtol(argv[13], NULL, 10),
	};
	if (!is_sensible(&bench.args))
		return EXIT_FAILURE;
	bus = bench_bus(bench.args.nats_url, "edge", bench.args.password);
	prepare(&bench, bus);
	ok = run(&bench);
	crowd_finish(&bench.crowd);
	bus_close(bus);
	friends_finish(&bench.friends);
	free(bench.order);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
