/* As a record of the NATS user ops: it is in the chain who did it, sealed by what is signed next.
 */
#include "audit_note.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/id.h"

enum status audit_note(struct bus *bus, Walletwire__V1__AuditAction action, const char *about,
    uint64_t up_to, const char *asked_by, struct err *err)
{
	Walletwire__V1__AuditRecords records = WALLETWIRE__V1__AUDIT_RECORDS__INIT;
	Walletwire__V1__AuditRecord record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	Walletwire__V1__AuditRecord *one = &record;
	Walletwire__V1__AuditActor by = WALLETWIRE__V1__AUDIT_ACTOR__INIT;
	char about_text[64], id[ID_SIZE], name[128];
	char *ids = about_text;
	uint8_t packed[512];
	struct bus_ack ack;
	size_t len;

	if (snprintf(name, sizeof(name), "%s", asked_by) >= (int)sizeof(name))
		return err_invalid(err, "by", "is longer than %zu bytes", sizeof(name) - 1);
	id_random(id);
	(void)snprintf(about_text, sizeof(about_text), "%s", about ? about : "");
	by.kind = WALLETWIRE__V1__AUDIT_ACTOR_KIND__AUDIT_ACTOR_KIND_OPERATOR;
	by.id = name;
	record.id = id;
	record.at_us = clock_wall_us();
	record.service = (char[]){ "ops" };
	record.action = action;
	record.actor = &by;
	record.ids = &ids;
	record.n_ids = about ? 1 : 0;
	record.up_to = up_to;
	records.records = &one;
	records.n_records = 1;
	len = walletwire__v1__audit_records__pack(&records, packed);
	return bus_publish_stored(bus, "ww.audit.ops", id, bytes_of(packed, len), NULL, &ack, err);
}
