/* One table: from it come parsing, --help and --check-config. */
#include "config.h"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

static const struct setting settings[] = {
	SETTING(struct audit_config, shards, "shards", SETTING_INT, "1", 1, SHARDS_MAX,
	    "Chains that records are kept in; all of one service are in one, so more than there are"
	    " services is of no use."),
	SETTING(struct audit_config, signing_key_file, "signing-key-file", SETTING_TEXT, NULL, 0, 0,
	    "Ed25519 private key in PEM that signs heads, readable to its owner alone; `ww audit"
	    " key --make` makes one."),
	SETTING(struct audit_config, earlier_keys_file, "earlier-keys-file", SETTING_TEXT, "", 0, 0,
	    "Public keys in PEM, the oldest first, that heads were signed with before the signing"
	    " key was changed; its own may be among them."),
	SETTING(struct audit_config, heads_file, "heads-file", SETTING_TEXT, NULL, 0, 0,
	    "File that signed heads are appended to: on another disk than the database's, best on"
	    " another machine's."),
	SETTING(struct audit_config, heads_interval, "heads-interval", SETTING_DURATION, "60s", 100,
	    24 * HOUR, "A head is signed at least so often while records come."),
	SETTING(struct audit_config, heads_rows, "heads-rows", SETTING_INT, "10000", 1, 10000000,
	    "And after so many records."),
	SETTING(struct audit_config, upkeep_interval, "upkeep-interval", SETTING_DURATION, "1h",
	    100, 24 * HOUR, "How often partitions are made ahead, and old ones dropped."),
};

static const struct setting *const tables[] = { service_settings, service_worker_settings, settings,
	NULL };
static const size_t table_lens[] = { SERVICE_SETTINGS, SERVICE_WORKER_SETTINGS,
	ARRAY_LEN(settings) };

const struct config_spec audit_config_spec = {
	.program = "ww-audit",
	.summary = "Keeps the audit record: append-only, hash-chained and signed.",
	.tables = tables,
	.table_lens = table_lens,
};
