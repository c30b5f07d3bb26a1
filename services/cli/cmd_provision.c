/* ww provision: the streams, consumers and buckets of a deployment; running it again changes
 * nothing. */
#include <stdio.h>

#include "bus/provision.h"
#include "cli.h"
#include "connection.h"

struct provision_options {
	struct connection_options connection;
	int64_t replicas, events_max_bytes, audit_max_bytes;
};

#define ROW(field, name, type, env, dflt, min, max, value, help)                                   \
	{                                                                                          \
		name, type, offsetof(struct provision_options, field), env, dflt, min, max, value, \
		    help                                                                           \
	}

static const struct option_row rows[] = {
	ROW(replicas, "replicas", OPTION_INT, "WW_STREAM_REPLICAS", "1", 1, 5, "N",
	    "servers that keep each stream and bucket: 1, 3 or 5"),
	ROW(events_max_bytes, "events-max-bytes", OPTION_SIZE, "WW_EVENTS_MAX_BYTES", "4GiB",
	    1 << 20, INT64_MAX, "SIZE", "a full event stream refuses its publishers"),
	ROW(audit_max_bytes, "audit-max-bytes", OPTION_SIZE, "WW_AUDIT_MAX_BYTES", "4GiB", 1 << 20,
	    INT64_MAX, "SIZE", "the same for the audit stream"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "provision",
	.help =
	    "Creates the streams, consumers and buckets that are missing, and says what there is.\n"
	    "Services only bind to them. What exists with other settings is reported, never "
	    "edited.",
	.rows = rows,
	.more_rows = connection_rows,
};

static void print_line(void *arg, const char *line)
{
	(void)arg;
	(void)puts(line);
}

static enum status provision(const struct provision_options *opt, struct err *err)
{
	struct provision_config cfg = { .replicas = (int)opt->replicas,
		.events_max_bytes = opt->events_max_bytes,
		.audit_max_bytes = opt->audit_max_bytes };
	struct bus *bus = NULL;
	enum status s = connection_open(&opt->connection, "ops", &bus, err);

	if (s == STATUS_OK)
		s = bus_provision(bus, &cfg, print_line, NULL, err);
	bus_close(bus);
	return s;
}

enum cli_exit cmd_provision(int argc, char **argv)
{
	struct provision_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (opt.replicas % 2 == 0)
		return cli_misused("provision", "--replicas: 1, 3 or 5");
	return provision(&opt, &err) ? cli_failed("provision", &err) : CLI_OK;
}
