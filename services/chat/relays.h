/*
 * relays: what the service publishes into streams: events and audit records, each from its outbox
 * (service/outbox.h), and the nudge that saves the events the wait for the next look.
 */
#ifndef CHAT_RELAYS_H
#define CHAT_RELAYS_H

#include "bus/bus.h"
#include "config.h"

struct relays;

/* `cfg` and `bus` outlive them. `name`: "ww-chat/<instance>". */
enum status relays_start(const struct chat_config *cfg, struct bus *bus, const char *name,
    struct relays **ret_relays, struct err *err) MUST_CHECK;
void relays_stop(struct relays *relays); /* NULL is fine */

#endif
