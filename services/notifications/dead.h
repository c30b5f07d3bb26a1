/* dead: events that can't be applied, put where an operator finds them, with the reason. */
#ifndef NOTIFICATIONS_DEAD_H
#define NOTIFICATIONS_DEAD_H

#include "batch.h"
#include "bus/bus.h"

/* Stored in WW_DLQ when it returns; the caller then notes *ret_dead, which is in the arena, and
 * acknowledges the event. */
enum status dead_letter(struct bus *bus, struct bus_msg *msg, const char *reason,
    struct arena *arena, struct batch_dead *ret_dead, struct err *err) MUST_CHECK;

#endif
