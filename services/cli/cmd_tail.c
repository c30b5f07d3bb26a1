/* ww tail: what a user is being told, as it happens. Sees what edges see; asks for nothing missed.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/subject.h"
#include "cli.h"
#include "connection.h"
#include "deliveries.h"

enum { DELIVERY_MEMORY = 8 << 20 }; /* decoded; deliveries are cut at 256 KiB */

struct tail_options {
	struct connection_options connection;
	int64_t count;
};

static const struct option_row rows[] = {
	{ "count", OPTION_INT, offsetof(struct tail_options, count), NULL, NULL, 1, INT64_MAX, "N",
	    "stop after this many lines" },
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "tail",
	.operands = "user ID",
	.operands_max = 2,
	.help = "Prints what is delivered to a user, one line of JSON for each item and state, "
		"until Ctrl-C.",
	.rows = rows,
	.more_rows = connection_rows,
};

/* Shared with the thread of the bus that calls on_delivery(). */
struct tail {
	size_t left; /* lines to print; of that thread alone */
	int done_fd; /* an eventfd: written when nothing is left */
};

static void on_delivery(void *arg, struct bus_msg *msg)
{
	struct tail *tail = arg;
	Walletwire__V1__Delivery *delivery;
	struct buf lines = BUF_INIT;
	struct arena arena;

	arena_init(&arena, DELIVERY_MEMORY);
	delivery = walletwire__v1__delivery__unpack(
	    arena_allocator(&arena), bus_msg_data(msg).len, bus_msg_data(msg).data);
	if (!delivery) {
		(void)fprintf(stderr, "ww tail: a delivery of %zu bytes can't be decoded\n",
		    bus_msg_data(msg).len);
	} else if (tail->left > 0) {
		tail->left -= deliveries_append(&lines, delivery, tail->left);
		cli_print_lines(buf_bytes(&lines));
		/* Nobody reads any more: as good as enough lines. */
		if (fflush(stdout) != 0)
			tail->left = 0;
		if (tail->left == 0)
			(void)eventfd_write(tail->done_fd, 1);
	}
	buf_finish(&lines);
	arena_finish(&arena);
}

/* Ctrl-C or enough lines. Signals were blocked before any thread was started. */
static void wait_for_end(int signal_fd, int done_fd)
{
	struct pollfd fds[] = { { signal_fd, POLLIN, 0 }, { done_fd, POLLIN, 0 } };

	while (poll(fds, ARRAY_LEN(fds), -1) < 0)
		continue;
}

static enum status tail_subject(
    const struct tail_options *opt, const char *subject, int signal_fd, struct err *err)
{
	struct tail tail = { .left = opt->count ? (size_t)opt->count : SIZE_MAX,
		.done_fd = eventfd(0, EFD_CLOEXEC) };
	struct bus_sub *sub = NULL;
	struct bus *bus = NULL;
	enum status s = connection_open(&opt->connection, "ops", &bus, err);

	if (s == STATUS_OK)
		s = bus_subscribe(bus, subject, NULL, on_delivery, &tail, &sub, err);
	if (s == STATUS_OK)
		s = bus_flush(bus, (int)opt->connection.timeout_ms, err);
	if (s == STATUS_OK) {
		(void)fprintf(stderr, "listening on %s\n", subject);
		wait_for_end(signal_fd, tail.done_fd);
	}
	if (sub)
		bus_unsubscribe(sub);
	bus_close(bus); /* after it, on_delivery() runs no more */
	(void)close(tail.done_fd);
	return s;
}

enum cli_exit cmd_tail(int argc, char **argv)
{
	struct tail_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;
	char subject[SUBJECT_SIZE];
	int signal_fd;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 2 || strcmp(operands.at[0], "user") != 0)
		return cli_misused("tail", "give what to follow: user ID");
	if (subject_with_id("ww.rt.user.", operands.at[1], subject, &err))
		return cli_misused("tail", "%s", err.msg);
	signal_fd = cli_signal_fd();
	s = tail_subject(&opt, subject, signal_fd, &err);
	(void)close(signal_fd);
	return s ? cli_failed("tail", &err) : CLI_OK;
}
