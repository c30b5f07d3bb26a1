/* Looking kinds up by name; the table is short enough to walk. */
#include "events.h"

#include <stddef.h>
#include <string.h>

#include "base/attrs.h"

static const struct event_kind kinds[] = {
#define X(kind, event, class) { #kind, event },
#include "events.def"
#undef X
};

const struct event_kind *event_kind_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].kind, kind) == 0)
			return &kinds[i];
	}
	return NULL;
}
