/* One table: from it come parsing, --help, --check-config and docs/configuration.md. */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "batch.h"

static const struct setting settings[] = {
	SETTING(struct outbox_config, schema, "outbox-schema", SETTING_TEXT, "walletwire_outbox", 0,
	    0, "Schema of the tables events and dead, as outbox.sql makes them."),
	SETTING(struct outbox_config, batch_max, "batch-max", SETTING_INT, "500", 1, BATCH_MAX,
	    "Rows read, published and deleted together at most."),
	SETTING(struct outbox_config, poll_busy, "poll-busy", SETTING_DURATION, "20ms", 1, 10000,
	    "How long to wait before looking again when the last look found rows."),
	SETTING(struct outbox_config, poll_idle, "poll-idle", SETTING_DURATION, "200ms", 1, 60000,
	    "How long to wait when it found none."),
};

static const struct setting *const tables[] = { service_settings, settings, NULL };

/* The length of the other table is known to the linker only, so the spec is made at run time. */
static struct config_spec make_spec(size_t lengths[static 2])
{
	/* Without its last row: nobody asks this program anything, so it has no workers. */
	lengths[0] = service_settings_len - 1;
	assert(strcmp(service_settings[lengths[0]].name, "workers") == 0);
	lengths[1] = ARRAY_LEN(settings);
	return (struct config_spec){
		.program = "ww-outbox",
		.summary = "Publishes the events that a wallet wrote in its own transactions.",
		.tables = tables,
		.table_lens = lengths,
	};
}

enum config_outcome outbox_config_load(struct outbox_config *cfg, int argc, char **argv)
{
	size_t lengths[2];
	struct config_spec spec = make_spec(lengths);

	return config_load(&spec, cfg, argc, argv);
}

void outbox_config_release(struct outbox_config *cfg)
{
	size_t lengths[2];
	struct config_spec spec = make_spec(lengths);

	config_release(&spec, cfg);
}
