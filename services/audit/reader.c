/* Who reads the record is in the record. */
#include "audit.h"
#include "base/clock.h"

#define SUBJECT "ww.audit.audit"

enum status audit_note_reader(struct request *req, Walletwire__V1__AuditAction action,
    const char *user_id, const char *asked_by, struct err *err)
{
	static const struct audit_outbox own = { .service = "audit" };
	struct audit audit = { .n = 0 };
	struct outbox_row *rows;
	AuditRecord *record;
	AuditActor by;
	enum status s = audit_requester(req, asked_by, &by, err);
	size_t n;

	if (s)
		return s;
	audit_begin(&audit, &own, &by, req->arena, clock_wall_us());
	record = audit_record(&audit, action, 1);
	if (user_id)
		(void)audit_record_user(record, user_id);
	audit_add(&audit, record);
	n = audit_rows(&audit, &rows);
	for (size_t i = 0; i < n && !s; i++) {
		struct bus_ack ack;

		s = bus_publish_stored(
		    req->bus, SUBJECT, rows[i].message_id, rows[i].payload, NULL, &ack, err);
	}
	return s;
}
