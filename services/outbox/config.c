/* One table: from it come parsing, --help, --check-config and docs/configuration.md. */
#include "config.h"

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
static const size_t table_lens[] = { SERVICE_SETTINGS, ARRAY_LEN(settings) };

const struct config_spec outbox_config_spec = {
	.program = "ww-outbox",
	.summary = "Publishes the events that a wallet wrote in its own transactions.",
	.tables = tables,
	.table_lens = table_lens,
};
