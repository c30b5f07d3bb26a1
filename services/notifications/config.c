/* One table: from it come parsing, --help, --check-config and docs/configuration.md. */
#include "config.h"

#define MINUTE INT64_C(60000)
#define DAY (INT64_C(24) * 60 * MINUTE)

static const struct setting settings[] = {
	SETTING(struct notifications_config, batch_max, "batch-max", SETTING_INT, "500", 1, 500,
	    "Events applied in one transaction at most."),
	SETTING(struct notifications_config, takeover_wait, "takeover-wait", SETTING_DURATION, "5s",
	    0, MINUTE,
	    "How long a replica waits after it got the applier's lock from one that died: the"
	    " consumer's AckWait, after which what the other had in hand comes again."),
	SETTING(struct notifications_config, order_wait, "order-wait", SETTING_DURATION, "10s", 0,
	    5 * MINUTE,
	    "How long a missing number of the stream is waited for before what follows it is"
	    " applied; more than the consumer's AckWait."),
	SETTING(struct notifications_config, mailbox_retention, "mailbox-retention",
	    SETTING_DURATION, "168h", DAY, 365 * DAY,
	    "How long a mailbox can be read by seq; whole days are dropped after it."),
	SETTING(struct notifications_config, transfer_retention, "transfer-retention",
	    SETTING_DURATION, "24h", 0, 365 * DAY,
	    "How long a transfer that has ended can be tracked; one that has not is kept."),
	SETTING(struct notifications_config, balance_fresh, "balance-fresh", SETTING_DURATION,
	    "30s", 0, DAY,
	    "How long a balance that was confirmed is given to clients that ask, before the back"
	    " end is asked; 0: it is asked each time."),
	SETTING(struct notifications_config, balance_timeout, "balance-timeout", SETTING_DURATION,
	    "2s", 10, 4000, "How long the back end may take to say what a user's balances are."),
	SETTING(struct notifications_config, balance_refresh, "balance-refresh", SETTING_BOOL,
	    "true", 0, 0,
	    "Ask the back end for the balances of both sides after every completed transaction,"
	    " payment, deposit or withdrawal."),
	SETTING(struct notifications_config, balance_settle, "balance-settle", SETTING_DURATION,
	    "20ms", 0, MINUTE,
	    "How long such a question waits for more movements of the same user, which it then"
	    " covers too."),
};

static const struct setting *const tables[] = { service_settings, service_worker_settings, settings,
	NULL };
static const size_t table_lens[] = { SERVICE_SETTINGS, SERVICE_WORKER_SETTINGS,
	ARRAY_LEN(settings) };

const struct config_spec notifications_config_spec = {
	.program = "ww-notifications",
	.summary = "Applies wallet events to mailboxes and inboxes, and answers for them.",
	.tables = tables,
	.table_lens = table_lens,
};
