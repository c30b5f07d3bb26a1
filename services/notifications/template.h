/* template: the title and text of an inbox item whose event brings none. Pure. */
#ifndef NOTIFICATIONS_TEMPLATE_H
#define NOTIFICATIONS_TEMPLATE_H

#include "base/arena.h"
#include "messages.h"

/* In English, in the arena. The payload is of an inbox kind. */
void template_render(
    const Payload *payload, struct arena *arena, const char **ret_title, const char **ret_text);

#endif
