/* ww drain: moves the clients of an edge to the others, and tells how far it is. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "cli.h"
#include "connection.h"
#include "fleet.h"

/* The last ones may be on polling, and an edge waits ten seconds for a GET that it can tell. */
enum { LOOK_EVERY_S = 1, LAST_MS = 15000 };

struct drain_options {
	struct connection_options connection;
	int64_t within_ms;
};

static const struct option_row rows[] = {
	{ "within", OPTION_DURATION, offsetof(struct drain_options, within_ms), NULL, "10s", 0,
	    3600000, "TIME", "over what time its clients are moved; 0s: all at once, 1h at most" },
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "drain",
	.operands = "EDGE",
	.operands_max = 1,
	.help = "Moves the clients of an edge (its id, or its name) to the others. It takes no new "
		"ones from then on,\nand stays up, empty, until it is stopped.",
	.rows = rows,
	.more_rows = connection_rows,
};

static enum status ask(struct bus *bus, const struct drain_options *opt, const char *subject,
    uint64_t *ret_sockets, struct err *err)
{
	Walletwire__V1__DrainRequest request = WALLETWIRE__V1__DRAIN_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct arena arena;
	enum status s;

	request.within_ms = (uint64_t)opt->within_ms;
	arena_init(&arena, ANSWER_MEMORY);
	s = connection_ask(bus, &opt->connection, subject, &request.base,
	    &walletwire__v1__drain_reply__descriptor, &arena, &reply, err);
	if (s == STATUS_OK)
		*ret_sockets = ((const Walletwire__V1__DrainReply *)(const void *)reply)->sockets;
	arena_finish(&arena);
	return s;
}

/* Asked again for an end that is no sooner, it starts nothing, and tells what is left. */
static enum status drain(struct bus *bus, const struct drain_options *opt,
    const Walletwire__V1__EdgeLease *edge, struct err *err)
{
	const struct timespec pause = { .tv_sec = LOOK_EVERY_S };
	int64_t until_ms = clock_mono_ms() + opt->within_ms + LAST_MS;
	char subject[FLEET_SUBJECT_SIZE];
	uint64_t sockets = 0;

	fleet_subject(edge, "drain", subject);
	for (;;) {
		enum status s = ask(bus, opt, subject, &sockets, err);

		if (s)
			return s;
		(void)printf("%s: %" PRIu64 " sockets are left\n", edge->id, sockets);
		(void)fflush(stdout);
		if (sockets == 0)
			return STATUS_OK;
		if (clock_mono_ms() >= until_ms)
			return err_set(err, STATUS_TIMEOUT, "%s is not empty in time", edge->id);
		(void)nanosleep(&pause, NULL);
	}
}

enum cli_exit cmd_drain(int argc, char **argv)
{
	struct drain_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	const Walletwire__V1__EdgeLease *edge = NULL;
	struct fleet fleet = { 0 };
	struct bus *bus = NULL;
	struct err err = ERR_INIT;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 1)
		return cli_misused("drain", "give an edge: its id or its name");
	s = connection_open(&opt.connection, "ops", &bus, &err);
	if (s == STATUS_OK)
		s = fleet_read(bus, (int)opt.connection.timeout_ms, &fleet, &err);
	if (s == STATUS_OK)
		s = fleet_find(&fleet, operands.at[0], &edge, &err);
	if (s == STATUS_OK)
		s = drain(bus, &opt, edge, &err);
	fleet_finish(&fleet);
	bus_close(bus);
	return s ? cli_failed("drain", &err) : CLI_OK;
}
