/* As any service's, but by ww-audit itself. */
#include "own.h"

#include "base/message.h"

struct bytes own_pack(const struct own_record *own, struct arena *arena)
{
	AuditRecord *record = MESSAGE_NEW(arena, audit_record);
	AuditActor by = audit_actor(AUDIT_BY(SERVICE), "audit");
	char *why = arena_strdup(arena, own->why);

	record->id = arena_strdup(arena, own->id);
	record->at_us = own->at_us;
	record->service = arena_strdup(arena, "audit");
	record->action = own->action;
	record->actor = &by;
	record->ids = &why;
	record->n_ids = 1;
	record->up_to = own->up_to;
	record->n = own->n;
	return message_pack(&record->base, arena);
}
