/* An outbox whose subject is named after the service. */
#include "service/audit_relay.h"

#include <stdlib.h>

#include "base/xalloc.h"

RELAY_METRICS(audit, "ww_audit", "audit records");

struct audit_relay {
	char *subject;
	struct outbox *outbox;
};

void audit_relay_register(void)
{
	relay_metrics_register(&audit_metrics);
}

static void relay_free(struct audit_relay *a)
{
	free(a->subject);
	free(a);
}

enum status audit_relay_start(const struct audit_outbox *outbox, const struct db_config *database,
    struct bus *bus, struct audit_relay **ret_relay, struct err *err)
{
	struct audit_relay *a = xcalloc(1, sizeof(*a));
	struct outbox_spec spec = { .what = "audit records",
		.metrics = &audit_metrics,
		.bus = bus,
		.database = database,
		.name = "audit",
		.insert = outbox->insert };
	enum status s;

	a->subject = xasprintf("ww.audit.%s", outbox->service);
	spec.subject = a->subject;
	s = outbox_start(&spec, &a->outbox, err);
	if (s) {
		relay_free(a);
		return s;
	}
	*ret_relay = a;
	return STATUS_OK;
}

void audit_relay_stop(struct audit_relay *a)
{
	if (!a)
		return;
	outbox_stop(a->outbox);
	relay_free(a);
}
