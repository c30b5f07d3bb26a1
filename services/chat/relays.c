/* Two outboxes; the events' relay is woken by whichever replica has committed one. */
#include "relays.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "chat.h"
#include "service/audit_relay.h"
#include "service/outbox.h"
#include "stats.h"
#include "store.h"

struct relays {
	struct outbox *events;
	struct audit_relay *audit;
	struct bus_sub *nudges;
};

static void on_nudge(void *arg, struct bus_msg *msg)
{
	const struct relays *relays = arg;

	(void)msg;
	outbox_wake(relays->events);
}

enum status relays_start(
    const struct db_config *database, struct bus *bus, struct relays **ret_relays, struct err *err)
{
	struct outbox_spec events = { .what = "chat events",
		.subject = "ww.event.chat",
		.metrics = stats_events(),
		.bus = bus,
		.database = database,
		.name = "events",
		.insert = store_outbox };
	struct relays *relays = xcalloc(1, sizeof(*relays));
	enum status s = outbox_start(&events, &relays->events, err);

	if (!s)
		s = audit_relay_start(&store_audit, database, bus, &relays->audit, err);
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
	audit_relay_stop(relays->audit);
	free(relays);
}
