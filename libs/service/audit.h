/*
 * audit: what is written down of a change, in the transaction of the change (docs/audit.md).
 *
 *   audit_begin()  at the start of every try, with the outbox of the service and who acts
 *   audit_add()    a record for each thing that was done
 *   audit_write()  before the commit: what was added becomes rows of the outbox, which a relay
 *                  publishes (audit_relay.h); nothing if nothing was added
 *
 * Records are named by an id that is drawn once for all tries: if the outcome of a try is not
 * known, and the next one does the same again, its records have the same names.
 *
 * A record is packed as it is added: what it points to is the caller's. Never put a title, a text,
 * an amount or a reason into one: ids, numbers and actors only.
 */
#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H

#include "base/id.h"
#include "ledger/record.h"
#include "service/audit_outbox.h"
#include "service/service.h"
#include "walletwire/v1/audit.pb-c.h"
#include "walletwire/v1/client.pb-c.h"
#include "walletwire/v1/common.pb-c.h"

typedef Walletwire__V1__AuditActor AuditActor;
typedef Walletwire__V1__AuditUser AuditUser;
typedef Walletwire__V1__AuditRecord AuditRecord;

enum { AUDIT_USERS_MAX = LEDGER_USERS_MAX }; /* of one record */

#define AUDIT_ACTION(NAME) WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_##NAME
#define AUDIT_BY(KIND) WALLETWIRE__V1__AUDIT_ACTOR_KIND__AUDIT_ACTOR_KIND_##KIND

/* All zeros before the first audit_begin(). */
struct audit {
	char id[ID_SIZE];
	const struct audit_outbox *outbox;
	struct arena *arena; /* of the try */
	int64_t at_us;
	AuditActor by;
	unsigned n; /* records of this try */
	struct audit_record *first, *last;
};

/* Who acts: `id` may be "" and lives as long as the actor. */
AuditActor audit_actor(Walletwire__V1__AuditActorKind kind, const char *id);
/* A user, through a socket; of ww.svc.<service>.<verb>. */
AuditActor audit_caller(const Walletwire__V1__Caller *caller);
/* An operator or a back end, by its NATS user; of ww.backend.<service>.<verb>. INVALID if what it
 * calls itself is too long. */
enum status audit_requester(const struct request *req, const char *asked_by, AuditActor *ret_actor,
    struct err *err) MUST_CHECK;

void audit_begin(struct audit *audit, const struct audit_outbox *outbox, const AuditActor *by,
    struct arena *arena, int64_t now_us);

/* An empty record with room for so many users and one id, in the arena. */
AuditRecord *audit_record(
    struct audit *audit, Walletwire__V1__AuditAction action, size_t users_max);
AuditUser *audit_record_user(AuditRecord *record, const char *user_id);
void audit_record_id(AuditRecord *record, const char *id);
void audit_record_event(AuditRecord *record, const char *event_key);

/* That so many rows of the user went. */
void audit_erased(struct audit *audit, const char *user_id, uint64_t rows);

/* By `record->actor`; NULL: by whom this was begun with. More than AUDIT_USERS_MAX users become
 * several records, each `n` of which is that of its users. */
void audit_add(struct audit *audit, AuditRecord *record);

/* Inside the transaction. */
enum status audit_write(struct audit *audit, struct db *db, struct err *err) MUST_CHECK;
/* The same by the commit itself (db_later()), which has to come next. */
enum status audit_write_later(struct audit *audit, struct db *db, struct err *err) MUST_CHECK;

/*
 * Of ww.backend.<service>.export, in a transaction of its own: that somebody, who calls itself
 * `asked_by`, reads what is held about the user. Before anything is read, and for each page: a
 * cursor can be made by hand.
 */
enum status audit_export(struct request *req, const struct audit_outbox *outbox,
    const char *user_id, const char *asked_by, struct err *err) MUST_CHECK;

/* What audit_write() stores, for it and for tests: in the arena; returns how many. */
size_t audit_rows(const struct audit *audit, struct outbox_row **ret_rows);

#endif
