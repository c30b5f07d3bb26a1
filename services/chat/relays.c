/* Two outboxes; the events' relay is woken by whichever replica has committed one. */
#include "relays.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "chat.h"
#include "service/outbox.h"
#include "stats.h"
#include "store.h"

struct relays {
	struct outbox *events, *audit;
	struct bus_sub *nudges;
};

static void on_nudge(void *arg, struct bus_msg *msg)
{
	const struct relays *relays = arg;

	(void)msg;
	outbox_wake(relays->events);
}

static enum status start_outbox(struct outbox_spec *spec, const struct chat_config *cfg,
    const char *name, struct outbox **ret_outbox, struct err *err)
{
	char *connection = xasprintf("%s/%s", name, spec->subject);
	enum status s;

	spec->database_url = cfg->service.database_url;
	spec->connection = connection;
	spec->statements = store_statements;
	spec->statements_len = store_statements_len;
	s = outbox_start(spec, ret_outbox, err);
	free(connection);
	return s;
}

enum status relays_start(const struct chat_config *cfg, struct bus *bus, const char *name,
    struct relays **ret_relays, struct err *err)
{
	struct outbox_spec events = { .what = "chat events",
		.subject = "ww.event.chat",
		.metrics = stats_events(),
		.bus = bus,
		.insert = store_outbox };
	struct outbox_spec audit = { .what = "audit records",
		.subject = "ww.audit.chat",
		.metrics = stats_audit(),
		.bus = bus,
		.insert = store_audit.insert };
	struct relays *relays = xcalloc(1, sizeof(*relays));
	enum status s = start_outbox(&events, cfg, name, &relays->events, err);

	if (!s)
		s = start_outbox(&audit, cfg, name, &relays->audit, err);
	if (!s)
		s = bus_subscribe(bus, CHAT_NUDGE, NULL, on_nudge, relays, &relays->nudges, err);
	if (s) {
		relays_stop(relays);
		return s;
	}
	*ret_relays = relays;
	return STATUS_OK;
}

void relays_stop(struct relays *relays)
{
	if (!relays)
		return;
	bus_unsubscribe(relays->nudges);
	outbox_stop(relays->events);
	outbox_stop(relays->audit);
	free(relays);
}
